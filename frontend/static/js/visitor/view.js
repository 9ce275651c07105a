/** Everything that touches the page: shows a state, and says what was pressed. */

import { got, measured, way } from "../lib/visitor_store.js";
import { later } from "./dial.js";
import { counted, named } from "./words.js";

/**
 * @typedef {import("../visitor").State} State
 * @typedef {import("../visitor").Line} Line
 * @typedef {import("../visitor").Own} Own
 * @typedef {import("./words.js").Words} Words
 * @typedef {(text: string) => void} Say
 */

const SHORT_BREAK = 1_500;
const AT_THE_END = 48;
const EARLIER_WITHIN = 5_000;
const COUNT_FROM = 200;
const FEWEST_ROWS = 3;
const MOST_ROWS = 6;

const SECTIONS = ["landing", "chat", "ended", "refused", "full"];

/** There Enter makes a new line, and focus in the box would cover half of the page. */
export const thumbs = matchMedia("(pointer: coarse)");

/** @template {HTMLElement} E @param {string} id @param {new () => E} kind @returns {E} */
export function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

export const box = (/** @type {string} */ id) => part(id, HTMLElement);

/** Set a text if it is another one: the same would be read aloud again. @param {HTMLElement} element @param {string} text */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} name one of `SECTIONS` @param {string} focusOn */
export function turnTo(name, focusOn) {
  for (const section of SECTIONS) box(section).hidden = section !== name;
  box(focusOn).focus();
  scrollTo(0, 0);
}

/** Return what speaks to screen readers beside the log: one sentence at a time. @returns {Say} */
export function voice() {
  const status = box("status");
  return (text) => {
    status.textContent = "";
    setTimeout(() => (status.textContent = text), 100);
  };
}

/**
 * Return what draws the conversation: each line once, and behind them what is on its way.
 *
 * @param {Words} words
 * @param {{again: (own: Own) => void, takeBack: (own: Own) => void}} does
 */
export function logOf(words, does) {
  const [log, lines, below] = [box("log"), box("lines"), box("new-below")];
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();
  let [outgoing, newestShown] = [0, 0];
  /** How high the log was, and where it stood. */
  let [height, from] = [0, 0];
  /** Whether the newest line stays in sight: until somebody scrolls back. */
  let follows = true;

  box("to-newest").addEventListener("click", () => (toNewest(), log.focus()));
  log.addEventListener("scroll", settle);
  // the keyboard of a phone takes half of the height
  new ResizeObserver(settle).observe(log);

  /** A log that got smaller keeps its end in sight. A scroll may be heard of later than this. */
  function settle() {
    if (log.scrollTop !== from) {
      from = log.scrollTop;
      // while it gets another height the larger one counts
      follows = log.scrollHeight - from - Math.max(height, log.clientHeight) < AT_THE_END;
      below.hidden ||= follows;
    }
    if (follows && height > log.clientHeight) log.scrollTop = log.scrollHeight;
    height = log.clientHeight;
  }

  function toNewest() {
    follows = below.hidden = true;
    // a long one is read from its top
    const theirs = /** @type {HTMLElement?} */ (lines.querySelector(".theirs:last-child"));
    log.scrollTop = theirs?.offsetTop ?? log.scrollHeight;
  }

  /** @param {string} template @param {Record<string, string>} texts by class @returns {HTMLElement} */
  function rowFrom(template, texts) {
    const row = part(template, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
    if (!(row instanceof HTMLElement)) throw new Error(`the page has no ${template}`);
    for (const [name, text] of Object.entries(texts)) put(within(row, name), text);
    return row;
  }

  /** @param {Line} line @param {string} language @returns {HTMLElement} */
  function rowOf(line, language) {
    if (line.kind === "fact") return rowFrom("fact", { words: named(words, `fact_${line.code}`, line.name) });
    if (line.own) return rowFrom("own", { who: words["you"] ?? "", words: line.body });
    const row = rowFrom("theirs", { who: line.name ?? words["advocate"] ?? "", words: line.body });
    within(row, "words").lang = language;
    later.texts?.link(within(row, "words"), words["link"] ?? "");
    return row;
  }

  /** @param {HTMLElement} row @param {string} text @param {{label: string, press: () => void}} [button] */
  function setWay(row, text, button) {
    const place = within(row, "way");
    const shown = `${text} ${button?.label ?? ""}`;
    if (place.dataset["shown"] === shown) return;
    place.dataset["shown"] = shown;
    place.replaceChildren(text);
    if (button === undefined) return;
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = button.label;
    element.addEventListener("click", button.press);
    place.append(document.createElement("br"), element);
  }

  /** @param {Own} own @param {boolean} over @param {number} now */
  function ownRow(own, over, now) {
    const row = rows.get(own.clientId) ?? rowFrom("own", { who: words["you"] ?? "", words: own.body });
    const how = over && !own.sent ? "refused" : way(own, now);
    if (how === "stuck") setWay(row, words["unsent"] ?? "", { label: words["try_again"] ?? "", press: () => does.again(own) });
    else if (how === "refused" && !over) setWay(row, words[how] ?? "", { label: words["put_back"] ?? "", press: () => does.takeBack(own) });
    else setWay(row, words[how] ?? "");
    return row;
  }

  /** Bring the list to what is wanted; rows that stay are not touched: they would be read aloud again. @param {[string, HTMLElement][]} wanted */
  function place(wanted) {
    const keys = new Set(wanted.map(([key]) => key));
    for (const [key, row] of rows) if (!keys.has(key)) row.remove();
    for (const key of rows.keys()) if (!keys.has(key)) rows.delete(key);
    let at = lines.firstElementChild;
    for (const [key, row] of wanted) {
      rows.set(key, row);
      if (row === at) at = row.nextElementSibling;
      else lines.insertBefore(row, at);
    }
  }

  /** @param {State} state @param {number} now */
  function render(state, now) {
    settle();
    const [fromEnd, grows] = [log.scrollHeight - log.scrollTop, state.last > newestShown];
    newestShown = state.last;
    const wanted = state.lines.map((line) => /** @type {[string, HTMLElement]} */ ([line.key, rows.get(line.key) ?? rowOf(line, state.language)]));
    const newest = state.lines.filter((line) => line.kind === "message" && line.own).at(-1);
    for (const line of state.lines) {
      const row = line.kind === "message" && line.own ? rows.get(line.key) : undefined;
      if (row !== undefined) setWay(row, line === newest && state.outbox.length === 0 ? (words[got(state, line.seq)] ?? "") : "");
    }
    for (const own of state.outbox) wanted.push([own.clientId, ownRow(own, state.ended !== null, now)]);
    place(wanted);
    const mine = state.outbox.length > outgoing;
    outgoing = state.outbox.length;
    if ((grows && follows) || mine) toNewest();
    else if (grows) below.hidden = false;
    else log.scrollTop = log.scrollHeight - fromEnd;
  }

  /** Stay where the reader is while earlier lines come in above. */
  function holdStill() {
    follows = false;
    hush();
    log.focus();
  }

  function hush() {
    log.setAttribute("aria-live", "off");
    setTimeout(() => log.removeAttribute("aria-live"), EARLIER_WITHIN);
  }

  /** Say every line anew in the words of now. */
  function anew() {
    hush();
    rows.clear();
    lines.replaceChildren();
  }
  return { render, toNewest, holdStill, anew, follows: () => follows };
}

/** @param {HTMLElement} row @param {string} name @returns {HTMLElement} */
function within(row, name) {
  const found = row.classList.contains(name) ? row : row.querySelector(`.${name}`);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${name}`);
  return found;
}

/**
 * Return the box to write in. Nothing of its text goes anywhere before it is sent.
 *
 * @param {Words} words @param {Say} say @param {(body: string) => void} send
 */
export function composerOf(words, say, send) {
  const text = part("text", HTMLTextAreaElement);
  const problem = box("problem");
  const [count, parts] = [box("count"), box("parts")];

  /** @param {string} about */
  function trouble(about) {
    problem.hidden = about === "";
    put(problem, about);
    if (about !== "") say(about);
  }

  function typed() {
    const { left } = measured(text.value);
    count.hidden = left >= COUNT_FROM;
    parts.hidden = left >= 0 || later.texts === undefined;
    put(count, counted(words, left < 0 ? "over" : "left", Math.abs(left)));
    if (!problem.hidden) trouble("");
    text.rows = FEWEST_ROWS;
    while (text.rows < MOST_ROWS && text.scrollHeight > text.clientHeight) text.rows += 1;
  }

  function post() {
    const { body, left } = measured(text.value);
    if (body === "") return trouble(words["error_empty"] ?? "");
    if (left < 0) return trouble(words["error_long"] ?? "");
    send(body);
    return clear();
  }

  const clear = () => ((text.value = ""), typed());

  /** @param {string} body */
  function putBack(body) {
    text.value = `${body}\n${text.value}`.trimEnd();
    typed();
    if (!thumbs.matches) text.focus();
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || thumbs.matches) return;
    event.preventDefault();
    post();
  }

  text.addEventListener("input", typed);
  text.addEventListener("keydown", key);
  box("send").addEventListener("click", post);
  parts.addEventListener("click", () => (later.texts?.inParts(text.value).forEach(send), clear(), text.focus()));
  return { trouble, putBack, draft: () => text.value, clear };
}

/** Return what draws everything around the log. @param {Words} words @param {Say} say */
export function surroundings(words, say) {
  const call = box("call");
  let told = "";

  /** @param {State} state @param {boolean} broken @param {string} proof @returns {[string, string]} the news, and what can be done */
  function news(state, broken, proof) {
    if (state.ended !== null) return [named(words, `fact_${state.ended}`, state.endedBy), ""];
    if (!state.begun) return [words[proof || "connecting"] ?? "", words[proof ? `${proof}_more` : "write_now"] ?? ""];
    if (broken) return [words["line_lost"] ?? "", ""];
    if (state.waitingFrom === null) return [named(words, "with", state.advocate), ""];
    const key = state.staffed ? "waiting" : "nobody";
    return [words[key] ?? "", words[`${key}_more`] ?? ""];
  }

  /** Say that the line broke. @param {State} state @param {number} brokenFor */
  function breaks(state, brokenFor) {
    const where = state.begun ? (state.waitingFrom === null ? "line_lost_chat" : "line_lost_queue") : "cannot_connect";
    const key = brokenFor === Infinity ? "out_of_date" : where;
    const about = brokenFor >= SHORT_BREAK ? (words[key] ?? "") : "";
    if (about !== "" && told !== about) say(key === where && state.begun ? `${words["line_lost"]} ${about}` : about);
    if (about === "" && told !== "" && state.ended === null) say(words["line_back"] ?? "");
    told = about;
    put(box("line"), about);
    box("line").hidden = about === "";
  }

  /** @param {State} state @param {{brokenFor: number, proof: string}} beside `proof` while very many begin */
  return function render(state, { brokenFor, proof }) {
    const [first, more] = news(state, brokenFor >= SHORT_BREAK && brokenFor < Infinity, proof);
    put(box("news"), first);
    put(box("more"), more);
    call.hidden = state.begun && state.ended === null && state.waitingFrom === null && brokenFor < SHORT_BREAK;
    box("retry").hidden = state.begun || proof !== "proof_failed";
    put(box("typing"), state.typing ? named(words, "typing", state.advocate) : "");
    breaks(state, brokenFor);
    for (const id of ["composer", "ending"]) box(id).hidden = state.ended !== null;
    box("over").hidden = state.ended === null;
  };
}
