/** The visitor's page: joins the line, the store and the view. The token lives in here and nowhere else. */

import { openLine } from "../lib/socket.js";
import { answered, empty, gone, misses, queued, quiet, reduce, takenBack, way } from "../lib/visitor_store.js";
import { arm, hasLeft } from "./exit.js";
import { box, composerOf, logOf, put, surroundings, thumbs, turnTo, voice, wordsOfPage } from "./view.js";

/**
 * @typedef {import("../lib/visitor_store.js").State} State
 * @typedef {import("../lib/visitor_store.js").Own} Own
 * @typedef {import("../protocol").VisitorEvent} VisitorEvent
 */

const VERSION = 1;
const MINUTE = 60_000;
const TYPING_LASTS = 8_000;
const LAST_WORDS_FOR = 10 * MINUTE;
const CATCH_UP_WITHIN = 3_000;
const TRY_AGAIN_AFTER = 5_000;

/** Refusals of a text, as the word list names them; everything else is our own fault. @type {Record<string, string>} */
const REASONS = {
  text_empty: "error_empty",
  text_too_long: "error_long",
  too_large: "error_long",
  text_control: "error_signs",
  text_unpaired: "error_signs",
  wrong_state: "error_closed",
  token_spent: "error_closed",
};

const words = wordsOfPage();
const say = voice();
const log = logOf(words, { again, takeBack });
const composer = composerOf(words, say, post);
const around = surroundings(words, say);

let state = empty();
/** Up to which minute of waiting the visitor said that they stay. */
let stays = 0;
/** Since when the line is broken; 0 when it is not, -Infinity when it stays so. */
let brokenAt = 0;
let finished = false;
/** @type {{focus: Element | null, last: number} | null} */
let covered = null;
/** @type {import("../lib/socket.js").Line | null} */
let line = null;
/** @type {Record<string, ReturnType<typeof setTimeout> | undefined>} */
const timers = {};

/** @param {string} name @param {number} ms @param {() => unknown} work */
function later(name, ms, work) {
  clearTimeout(timers[name]);
  timers[name] = setTimeout(work, ms);
}

function begin() {
  const random = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)));
  const token = btoa(random).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
  const chosen = document.querySelector("input[name=door]:checked");
  const door = chosen instanceof HTMLInputElement ? chosen.value : "not_said";
  const language = document.documentElement.lang;
  line = openLine({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v`,
    // it begins once: later the token only goes on, so that a line that comes back begins nothing anew
    hello: () => ({ type: "hello", version: VERSION, token, after: state.last, start: !state.begun, language, door }),
    onFrame: heard,
    onState: lineIs,
  });
  arm(token, () => line?.close(4001));
  setInterval(draw, 1_000);
  draw();
  turnTo("chat", thumbs.matches ? "news" : "text");
}

/** @param {VisitorEvent} frame */
function heard(frame) {
  if (finished) return;
  const before = state;
  state = reduce(state, frame, Date.now());
  if (frame.type === "typing") later("typing", TYPING_LASTS, () => ((state = quiet(state)), draw()));
  if (frame.type === "error" && frame.code === "ahead_of_log") startOver();
  if ((frame.type === "message" || frame.type === "fact") && frame.seq > state.last) line?.reconnect();
  else if (misses(state)) later("behind", CATCH_UP_WITHIN, () => misses(state) && line?.reconnect());
  if (state.waitingFrom !== before.waitingFrom) stays = 0;
  if (before.ended === null && state.ended === "visitor") finish();
  else if (before.ended === null && state.ended !== null) lastWords();
  draw();
}

/** Hold nothing and fetch the log from its beginning: the server's was set back. */
function startOver() {
  state = { ...empty(), begun: true, outbox: state.outbox };
  line?.reconnect();
}

/** @param {"connecting" | "open" | "lost" | "stopped"} name @param {{code?: number}} [detail] */
function lineIs(name, detail) {
  if (finished || hasLeft()) return;
  if (name === "open") brokenAt = 0;
  else if (name === "lost" && brokenAt === 0) brokenAt = Date.now();
  else if (name === "stopped") stopped(detail?.code);
  draw();
}

/** @param {number | undefined} code none when this page closed the line itself */
function stopped(code) {
  brokenAt = code === 4400 ? -Infinity : 0;
  if (code === 4403) turnTo("refused", "refused-title");
  else if (code !== undefined && code !== 4400 && state.ended === null) {
    state = gone(state);
    lastWords();
  }
}

/** @param {string} body */
function post(body) {
  const clientId = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  state = queued(state, { clientId, body }, Date.now());
  deliver({ clientId, body });
}

/** @param {{clientId: string, body: string}} message */
function deliver({ clientId, body }) {
  void line?.command({ type: "post", client_id: clientId, body }).then((answer) => {
    if (finished || hasLeft()) return;
    state = answered(state, clientId, answer);
    if (answer.ok) say(words["sent"] ?? "");
    else cameBack(clientId, answer.code);
    draw();
  });
  draw();
}

/** @param {string} clientId @param {string} code */
function cameBack(clientId, code) {
  const own = state.outbox.find((one) => one.clientId === clientId);
  const reason = REASONS[code];
  if (own === undefined || state.ended !== null) return;
  if (reason === undefined) {
    // our own fault: it stays on its way, from when it was first sent
    state = queued(state, own, own.at);
    setTimeout(() => !finished && state.ended === null && deliver(own), TRY_AGAIN_AFTER);
    return;
  }
  if (reason !== "error_closed" && composer.draft() === "") takeBack(own);
  composer.trouble(words[reason] ?? "");
}

/** @param {Own} own */
function again(own) {
  state = queued(state, own, Date.now());
  line?.reconnect();
  draw();
}

/** @param {Own} own */
function takeBack(own) {
  state = takenBack(state, own.clientId);
  composer.putBack(own.body);
  draw();
}

/** Ask once, calmly. */
function askToEnd() {
  const unsent = state.outbox.some((own) => way(own, Date.now()) !== "sent");
  box("confirm-unsent").hidden = !unsent;
  put(box("confirm-unsent"), unsent ? (words["confirm_unsent"] ?? "") : "");
  box("confirm").hidden = false;
  box("confirm-title").focus();
}

function goOn() {
  box("confirm").hidden = true;
  box("text").focus();
}

/** End it. The page is empty at once; the line stays until the server has heard of it. */
function end() {
  void line?.command({ type: "end" }).then(() => line?.close());
  finish();
}

/** Take every word of the conversation off the page. */
function finish() {
  finished = true;
  clearTimeout(timers["last"]);
  state = { ...empty(), begun: true };
  log.render(state, Date.now());
  composer.clear();
  for (const id of ["news", "more", "typing", "over", "confirm", "line", "status"]) box(id).replaceChildren();
  turnTo("ended", "ended-title");
}

/** Leave the other side's last words readable for a while. */
function lastWords() {
  box("confirm").hidden = true;
  later("last", LAST_WORDS_FOR, finish);
  // nothing is missing: events come in order, and this was the last
  line?.close();
}

function draw() {
  if (line === null || finished || hasLeft()) return;
  const now = Date.now();
  log.render(state, now);
  around(state, { now, stays, brokenFor: brokenAt === 0 ? 0 : now - brokenAt });
}

/** Hide everything from whoever looks through the open apps. */
function cover() {
  if (hasLeft() || covered !== null) return;
  covered = { focus: document.activeElement, last: state.last };
  box("page").hidden = true;
  box("cover").hidden = false;
}

function uncover() {
  const { focus, last } = covered ?? { focus: null, last: 0 };
  covered = null;
  box("cover").hidden = true;
  box("page").hidden = false;
  log.toNewest();
  if (focus instanceof HTMLElement && !thumbs.matches) focus.focus();
  if (state.lines.some((one) => one.seq > last && one.kind === "message" && !one.own)) say(words["uncovered"] ?? "");
}

function stay() {
  stays = Math.floor((Date.now() - (state.waitingFrom ?? 0)) / MINUTE) >= 10 ? 10 : 5;
  draw();
  box("text").focus();
}

/** @type {Record<string, () => void>} */
const buttons = {
  start: begin,
  "start-below": begin,
  end: askToEnd,
  "stop-waiting": askToEnd,
  "go-on": goOn,
  "end-yes": end,
  clear: finish,
  stay,
  uncover,
  afresh: () => location.replace(`/?l=${document.documentElement.lang}`),
};
for (const [id, press] of Object.entries(buttons)) document.getElementById(id)?.addEventListener("click", press);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && cover());
for (const link of document.querySelectorAll("#languages a")) {
  // no second entry in the history of this browser
  link.addEventListener("click", (event) => {
    event.preventDefault();
    if (link instanceof HTMLAnchorElement) location.replace(link.href);
  });
}
for (const id of ["begin", "begin-below", "doors"]) document.getElementById(id)?.removeAttribute("hidden");
document.getElementById("plain")?.remove();
