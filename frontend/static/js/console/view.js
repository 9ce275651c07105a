/** What stands around the conversations: availability, offers, the line, one status, the title's counter. */

import { secondsLeft, since } from "../lib/ages.js";
import { cameAs, offered, unreadInAll, waitedFrom } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { byId, setText } from "../staff/dom.js";
import { levelMark, setLevel } from "../staff/level.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {"connecting" | "open" | "lost" | "stopped"} LineState
 */

const COLLECTED_FOR = 2_000;
const SHOWN_FOR = 12_000;
/** An answer to somebody's own doing stands that long before news takes its place. */
const ANSWER_READ_IN = 4_000;
/** Who does one thing after the other hears of all else by then. */
const NEWS_WAITS_AT_MOST = 8_000;
/** Until then a list that knows what was chosen has come. */
const LISTED_WITHIN = 3_000;
const SAFE_FROM_A_SECOND_CLICK = 700;
/** A shorter wait says nothing. */
const A_WHILE = 60_000;

/**
 * @param {Words} words
 * @param {{accept: (id: string) => void, decline: (id: string) => void, available: (state: "ready" | "busy" | "away") => Promise<boolean>}} does
 */
export function surroundings(words, does) {
  const bar = byId("offer", HTMLElement);
  const text = byId("offer-text", HTMLElement);
  const more = byId("offer-more", HTMLElement);
  const accept = byId("offer-accept", HTMLButtonElement);
  const decline = byId("offer-decline", HTMLButtonElement);
  const mark = levelMark(words, 0);
  const radios = [...document.querySelectorAll("input[name=availability]")].flatMap((input) => (input instanceof HTMLInputElement ? [input] : []));
  const plainTitle = document.title;
  /** @type {string | null} */
  let showing = null;
  /** What was just chosen: a list that was read before it does not turn it back. @type {string | null} */
  let chosen = null;
  byId("offer-level", HTMLElement).append(mark);

  const turn = byId("offer-turn", HTMLButtonElement);
  turn.addEventListener("click", () => {
    bar.scrollIntoView({ block: "start" });
    accept.focus();
  });
  accept.addEventListener("click", () => showing !== null && does.accept(showing));
  decline.addEventListener("click", () => showing !== null && does.decline(showing));
  for (const radio of radios) {
    radio.addEventListener("change", () => {
      const value = radio.value;
      if (radio.checked && (value === "ready" || value === "busy" || value === "away")) void choose(value);
    });
  }

  // somebody may be quicker than this script: what they chose before it came counts too, once all of it is there
  const early = radios.find((radio) => radio.checked);
  queueMicrotask(() => early?.dispatchEvent(new Event("change")));

  /** @param {"ready" | "busy" | "away"} value */
  async function choose(value) {
    chosen = value;
    const done = await does.available(value);
    setTimeout(() => chosen === value && (chosen = null), done ? LISTED_WITHIN : 0);
  }

  /**
   * @param {State} state
   * @param {number} now the server's clock
   */
  function render(state, now) {
    for (const radio of radios) {
      const right = radio.value === (chosen ?? state.overview?.availability);
      if (right && !radio.checked) radio.checked = true;
    }
    renderOffer(state, now);
    const count = unreadInAll(state);
    setText(byId("list-count", HTMLElement), count > 0 ? `(${count})` : "");
    setText(byId("list-unread", HTMLElement), count > 0 ? say(words, "unread", { n: count }) : "");
    const title = count > 0 ? `(${count}) ${plainTitle}` : plainTitle;
    if (document.title !== title) document.title = title;
  }

  /** @param {State} state @param {number} now */
  function renderOffer(state, now) {
    const offers = [...offered(state)].sort((a, b) => Date.parse(a.offer_until ?? "") - Date.parse(b.offer_until ?? ""));
    const one = offers.find((offer) => offer.id === showing) ?? offers[0];
    bar.hidden = turn.hidden = one === undefined;
    if (one === undefined) {
      showing = null;
      return;
    }
    if (one.id !== showing) {
      showing = one.id;
      pause();
    }
    setLevel(words, mark, one.level);
    bar.classList.toggle("drill", one.drill === true);
    // the strip is narrow: what says nothing is left out of it
    const waits = now - Date.parse(waitedFrom(one)) < A_WHILE ? [] : [say(words, "waits", { age: since(words, waitedFrom(one), now) })];
    setText(text, [say(words, "offer", { name: one.handle }), cameAs(words, one), ...waits].join(" · "));
    setText(byId("offer-left", HTMLElement), say(words, "offer_left", { n: secondsLeft(one.offer_until, now) }));
    setText(more, offers.length > 1 ? say(words, "offer_more", { n: offers.length - 1 }) : "");
  }

  /** Keep the second half of a double click from answering the next offer, which comes at the same place. */
  function pause() {
    accept.disabled = decline.disabled = true;
    setTimeout(() => {
      accept.disabled = decline.disabled = false;
    }, SAFE_FROM_A_SECOND_CLICK);
  }

  return { render };
}

/**
 * Return the page's one voice: what happens is collected for a moment, answers to the person's own doing come at once.
 */
export function voice() {
  const place = byId("status", HTMLElement);
  /** @type {{text: string, about: string, danger: boolean}[]} */
  let collected = [];
  /** @type {ReturnType<typeof setTimeout> | null} */
  let timer = null;
  let answer = "";
  let answeredAt = -Infinity;
  let collectedFrom = 0;

  function flush() {
    const readAt = answeredAt + ANSWER_READ_IN;
    const danger = collected.some((one) => one.danger);
    const until = danger ? 0 : Math.min(readAt, collectedFrom + NEWS_WAITS_AT_MOST);
    if (until > performance.now()) {
      timer = setTimeout(flush, until - performance.now());
      return;
    }
    // beside what did not wait for it, an answer is told once more
    const told = readAt > performance.now() ? [answer] : [];
    const text = [...told, ...collected.map((one) => one.text)].join(" ");
    if (text !== "") setText(place, text);
    collected = [];
    timer = null;
    // news grows old: the lists show what is true now
    setTimeout(() => place.textContent === text && setText(place, ""), SHOWN_FOR);
  }

  return {
    /** @param {string} text */
    tell: (text) => {
      // Said again in full even when the words are the same: it is a new answer to a new attempt.
      place.textContent = "";
      answer = text;
      answeredAt = performance.now();
      setTimeout(() => {
        if (!place.textContent.includes(text)) setText(place, text);
        // a page that was busy shows it late, and it is read from then on
        answeredAt = performance.now();
      }, 30);
    },
    /**
     * Tell of something soon; of what takes the place of something older, only the newest. Danger waits for no answer to be read.
     *
     * @param {string} text
     * @param {string} [about]
     * @param {boolean} [danger]
     */
    mention: (text, about = text, danger = false) => {
      collected = [...collected.filter((one) => one.about !== about), { text, about, danger }];
      if (timer !== null && !danger) return;
      if (timer === null) collectedFrom = performance.now();
      else clearTimeout(timer);
      timer = setTimeout(flush, Math.max(0, collectedFrom + COLLECTED_FOR - performance.now()));
    },
    /** Take back what is no longer news, or say instead what is true now. @param {string} about @param {string} [instead] */
    retract: (about, instead = "") => {
      collected = collected.map((one) => (one.about === about ? { ...one, text: instead } : one)).filter((one) => one.text !== "");
    },
  };
}

/**
 * Show whether the line is there; its absence is said in words that stay until it is back.
 *
 * @param {Words} words
 */
export function lineSign(words) {
  const sign = byId("line", HTMLElement);
  const again = byId("line-sign-in", HTMLElement);

  /**
   * @param {LineState} state
   * @param {number | undefined} code
   */
  function show(state, code) {
    const signedOut = state === "stopped" && code !== 4400;
    sign.hidden = state === "open";
    sign.dataset["state"] = state;
    again.hidden = !signedOut;
    setText(byId("line-text", HTMLElement), say(words, state === "stopped" ? (signedOut ? "line_signed_out" : "line_stopped") : `line_${state === "lost" ? "dropped" : "connecting"}`));
  }

  return { show };
}
