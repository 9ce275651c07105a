/** Show a conversation's lines: messages, notes that say what they are, and facts in words. */

import { isOwn } from "../lib/console_store.js";
import { summary } from "../lib/console_views.js";
import { knows, say } from "../lib/say.js";
import { h } from "./dom.js";

/**
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").Line} Line
 */

const AT_THE_END = 48;

/**
 * Keep a log element in line with one conversation at a time. The newest line stays in sight until somebody scrolls
 * back; from then on a button says that there is more below.
 *
 * @param {HTMLElement} region the element with role=log
 * @param {HTMLElement} scroller what scrolls
 * @param {Words} words
 * @param {() => void} [reached] is called when the newest line comes into sight
 */
export function logView(region, scroller, words, reached = () => {}) {
  const list = h("ol", { class: "log" });
  const below = h("button", { type: "button" }, say(words, "new_below"));
  const notice = h("p", { class: "new-below", hidden: true }, below);
  region.append(list);
  scroller.after(notice);
  /** @type {string | null} */
  let shown = null;
  let first = 0;
  let last = 0;
  let follows = true;
  /** The language of the conversation, for whoever has it read aloud. @type {string | null} */
  let spoken = null;
  /** Where the reader was: an element that leaves the page forgets it. */
  let place = 0;
  /** The largest that it had since it was last settled. */
  let height = 0;

  scroller.addEventListener("scroll", () => {
    look();
    if (follows && !notice.hidden) arrived();
    if (height > scroller.clientHeight) settle();
  });
  below.addEventListener("click", () => {
    toNewest();
    region.focus();
  });
  // a keyboard, the writing box or the line's sign takes some of the height
  new ResizeObserver(settle).observe(scroller);

  function look() {
    place = scroller.scrollTop;
    // one that is just getting another height was at its end if it was so with the larger of the two
    follows = scroller.scrollHeight - place - Math.max(height, scroller.clientHeight) < AT_THE_END;
  }

  function toNewest() {
    follows = true;
    arrived();
    scroller.scrollTop = scroller.scrollHeight;
    // it may be smaller again before anybody sees it
    height = Math.max(height, scroller.clientHeight);
  }

  function arrived() {
    notice.hidden = true;
    reached();
  }

  /** Stand where the reader was: at the newest line, or further back. */
  function settle() {
    height = scroller.clientHeight;
    scroller.scrollTop = follows ? scroller.scrollHeight : place;
  }

  /**
   * @param {State} state
   * @param {string | null} id
   */
  function render(state, id) {
    const log = id === null ? undefined : state.logs[id];
    if (id !== shown || log === undefined || log.last < last) reset(id);
    spoken = id === null ? null : (summary(state, id)?.language ?? null);
    if (log !== undefined && last > 0 && log.first < first) prepend(state, log.lines.filter((line) => line.seq <= first));
    first = log?.first ?? 0;
    if (log === undefined || log.last === last) return;
    const fresh = log.lines.filter((line) => line.seq > last);
    // an erasure changes the lines before it as well: what stands here is made anew
    if (last === 0 || fresh.some((line) => line.type === "fact" && line.code === "erase_done")) {
      fill(state, log.lines);
      return;
    }
    // somebody may have scrolled just now, and the page hears of that with its next frame
    if (scroller.clientHeight > 0 && scroller.scrollTop !== place) look();
    list.append(...fresh.map((line) => item(state, line, words, spoken)));
    last = log.last;
    if (follows || fresh.some((line) => isOwn(state, line))) toNewest();
    else if (fresh.some((line) => line.type !== "fact")) notice.hidden = false;
  }

  /**
   * Put older lines before the rest: the reader stays where they are, and they are not read out.
   *
   * @param {State} state
   * @param {readonly Line[]} lines
   */
  function prepend(state, lines) {
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    region.setAttribute("aria-live", "off");
    list.prepend(...lines.map((line) => item(state, line, words, spoken)));
    scroller.scrollTop = scroller.scrollHeight - fromEnd;
    setTimeout(() => region.removeAttribute("aria-live"), 500);
  }

  /**
   * Show what was there already without reading all of it out: the region is live only afterwards.
   *
   * @param {State} state
   * @param {readonly Line[]} lines
   */
  function fill(state, lines) {
    region.setAttribute("aria-live", "off");
    list.replaceChildren(...lines.map((line) => item(state, line, words, spoken)));
    last = lines.at(-1)?.seq ?? 0;
    toNewest();
    setTimeout(() => region.removeAttribute("aria-live"), 500);
  }

  /** @param {string | null} id */
  function reset(id) {
    shown = id;
    last = 0;
    list.replaceChildren();
  }

  /**
   * Stand a mark at the end of a line's own row: what comes below it is not what the mark speaks of.
   *
   * @param {Element} mark
   * @param {number} seq
   */
  function stand(mark, seq) {
    const row = list.querySelector(`[data-seq="${seq}"]`);
    if (row === null || mark.parentElement === row) return;
    row.append(mark);
    settle();
  }

  return { render, settle, stand, toNewest, follows: () => follows };
}

/**
 * @param {State} state
 * @param {Line} line
 * @param {Words} words
 * @param {string | null} spoken
 * @returns {HTMLLIElement}
 */
function item(state, line, words, spoken) {
  const at = h("time", { datetime: line.at }, clock(line.at, words));
  if (line.type === "fact") {
    const drill = summary(state, line.conversation)?.drill === true;
    return h("li", { class: `fact fact-${line.code}` }, fact(words, line, drill), " ", at);
  }
  const text = h("p", { class: "text", dir: "auto" }, line.body);
  const own = isOwn(state, line);
  if (line.type === "note") {
    const who = own ? say(words, "note_by_you") : say(words, "note_by", { name: line.name ?? say(words, "somebody") });
    return h("li", { class: "line note" }, h("p", { class: "who" }, h("strong", {}, who), " ", at), text);
  }
  if (spoken !== null) text.lang = spoken;
  const who = line.author === "visitor" ? say(words, "visitor") : own ? say(words, "you") : (line.name ?? say(words, "somebody"));
  const side = line.author === "visitor" ? "theirs" : "ours";
  return h("li", { class: `line ${side}`, "data-seq": line.seq }, h("p", { class: "who" }, h("strong", {}, who), " ", at), text);
}

/**
 * Put a fact into words; one without a name was done by a clock or by the visitor.
 *
 * @param {Words} words
 * @param {{code: string, name: string | null, level: number | null}} line
 * @param {boolean} [drill] a drill ends for a visitor who may have had no part in it
 * @returns {string}
 */
export function fact(words, line, drill = false) {
  if (drill && knows(words, `drill_${line.code}`)) return say(words, `drill_${line.code}`);
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
  return Number.isNaN(then.getTime()) ? "" : then.toLocaleTimeString(say(words, "locale"), { hour: "numeric", minute: "2-digit" });
}
