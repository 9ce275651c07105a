/** Show a conversation's lines: messages, notes that say what they are, and facts in words. */

import { isOwn } from "../lib/console_store.js";
import { knows, say } from "../lib/say.js";
import { h } from "./dom.js";

/**
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").Line} Line
 */

const MOST_SHOWN = 200;

/**
 * Keep a log element in line with one conversation at a time.
 *
 * @param {HTMLElement} region the element with role=log
 * @param {HTMLElement} scroller what scrolls
 * @param {Words} words
 */
export function logView(region, scroller, words) {
  const list = h("ol", { class: "log" });
  region.append(list);
  /** @type {string | null} */
  let shown = null;
  let last = 0;

  /**
   * @param {State} state
   * @param {string | null} id
   */
  function render(state, id) {
    const log = id === null ? undefined : state.logs[id];
    if (id !== shown || log === undefined || log.last < last) reset(id);
    if (log === undefined || log.last === last) return;
    const fresh = log.lines.filter((line) => line.seq > last);
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
    if (last === 0) {
      fill(state, log.lines);
      return;
    }
    list.append(...fresh.map((line) => item(state, line, words)));
    last = log.last;
    while (list.childElementCount > MOST_SHOWN) list.firstElementChild?.remove();
    if (atEnd || fresh.some((line) => isOwn(state, line))) scroller.scrollTop = scroller.scrollHeight;
  }

  /**
   * Show what was there already without reading all of it out: the region is live only afterwards.
   *
   * @param {State} state
   * @param {readonly Line[]} lines
   */
  function fill(state, lines) {
    region.setAttribute("aria-live", "off");
    const tail = lines.slice(-MOST_SHOWN);
    const hidden = lines.length - tail.length;
    list.replaceChildren(...tail.map((line) => item(state, line, words)));
    if (hidden > 0) list.prepend(h("li", { class: "earlier" }, say(words, "earlier_lines", { n: hidden })));
    last = lines.at(-1)?.seq ?? 0;
    scroller.scrollTop = scroller.scrollHeight;
    setTimeout(() => region.removeAttribute("aria-live"), 500);
  }

  /** @param {string | null} id */
  function reset(id) {
    shown = id;
    last = 0;
    list.replaceChildren();
  }

  return { render };
}

/**
 * @param {State} state
 * @param {Line} line
 * @param {Words} words
 * @returns {HTMLLIElement}
 */
function item(state, line, words) {
  const at = h("time", { datetime: line.at }, clock(line.at, words));
  if (line.type === "fact") return h("li", { class: `fact fact-${line.code}` }, fact(words, line), " ", at);
  const text = h("p", { class: "text", dir: "auto" }, line.body);
  const own = isOwn(state, line);
  if (line.type === "note") {
    const who = own ? say(words, "note_by_you") : say(words, "note_by", { name: line.name ?? say(words, "somebody") });
    return h("li", { class: "line note" }, h("p", { class: "who" }, h("strong", {}, who), " ", at), text);
  }
  const who = line.author === "visitor" ? say(words, "visitor") : own ? say(words, "you") : (line.name ?? say(words, "somebody"));
  const side = line.author === "visitor" ? "theirs" : "ours";
  return h("li", { class: `line ${side}` }, h("p", { class: "who" }, h("strong", {}, who), " ", at), text);
}

/**
 * Put a fact into words; one without a name was done by a clock or by the visitor.
 *
 * @param {Words} words
 * @param {{code: string, name: string | null, level: number | null}} line
 * @returns {string}
 */
export function fact(words, line) {
  const key = line.name === null && knows(words, `fact_${line.code}_alone`) ? `fact_${line.code}_alone` : `fact_${line.code}`;
  const level = line.level === null ? "" : say(words, `level_${line.level}`);
  return say(words, key, { name: line.name ?? say(words, "somebody"), level });
}

/**
 * Return hours and minutes of a moment as this person reads them.
 *
 * @param {string} moment
 * @param {Words} words
 */
export function clock(moment, words) {
  const then = new Date(moment);
  return Number.isNaN(then.getTime()) ? "" : then.toLocaleTimeString(say(words, "locale"), { hour: "2-digit", minute: "2-digit" });
}
