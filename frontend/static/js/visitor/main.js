/** The visitor's page: joins the line, the store and the view. The token lives in `exit.js`. */
import { openLine } from "../lib/socket.js";
import { answered, asking, empty, gone, misses, queued, quiet, reduce, takenBack, way } from "../lib/visitor_store.js";
import { Dialled, entry, later as aside, loadBack, loadPolls, prove, turns } from "./dial.js";
import { arm, chat, hasLeft } from "./exit.js";
import { box, composerOf, logOf, put, surroundings, thumbs, turnTo, voice } from "./view.js";
import { wordsOfPage } from "./words.js";

/** @typedef {import("../visitor").State} State @typedef {import("../visitor").Own} Own @typedef {import("../protocol").VisitorEvent} VisitorEvent */

const VERSION = 1;
const TYPING_LASTS = 8_000;
const LAST_WORDS_FOR = 600_000;
const CATCH_UP_WITHIN = 3_000;
const TRY_AGAIN_AFTER = 5_000;
const TELL_SEEN_AFTER = 1_000;

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

const [words, say] = [wordsOfPage(), voice()];
const log = logOf(words, { again, takeBack });
const composer = composerOf(words, say, post);
const around = surroundings(words, say);

export let state = empty();
/** Draws the wait. @type {(state: State, now: number) => void} */
let waits = () => undefined;
/** Since when the line is broken; 0 when it is not, -Infinity when it stays so. */
let brokenAt = 0;
let finished = false;
/** Up to which number somebody looked at the log, and what the server was told of it. */
let read = 0;
let told = "";
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

export function newToken() {
  const random = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)));
  return btoa(random).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}

export function begin(token = newToken()) {
  const chosen = document.querySelector("input[name=door]:checked");
  const door = chosen instanceof HTMLInputElement ? chosen.value : "not_said";
  // it begins once: a line that comes back begins nothing anew
  const hello = () => ({ type: "hello", version: VERSION, token: chat.token ?? "", after: state.last, start: !state.begun, language: document.documentElement.lang, door, ...(state.begun ? {} : entry.hello) });
  line = openLine({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v`,
    hello,
    ping: () => ({ type: "ping", ...seen() }),
    onFrame: (/** @type {VisitorEvent} */ frame) => (frame.type === "proof_wanted" ? prove(frame.challenge, hello, draw) : heard(frame)),
    onState: lineIs,
    WebSocketClass: Dialled,
  });
  arm(token, () => line?.close(4001));
  loadPolls();
  loadWaits();
  setInterval(draw, 1_000);
  draw();
  turnTo("chat", thumbs.matches ? "news" : "text");
}

function loadWaits() {
  const again = () => later("waits", TRY_AGAIN_AFTER, loadWaits);
  import("./waiting.js").then((part) => ((waits = part.waits(words, say, (frame) => line?.command(frame))), draw()), again);
}

/** @param {VisitorEvent} frame */
function heard(frame) {
  if (finished) return;
  const before = state;
  state = reduce(state, frame, Date.now());
  if (frame.type === "typing") later("typing", TYPING_LASTS, () => ((state = quiet(state)), draw()));
  if (frame.type === "error" && frame.code === "ahead_of_log") askAgain(true);
  else if ((frame.type === "message" || frame.type === "fact") && frame.seq > state.last) askAgain(false);
  else if (misses(state)) later("behind", CATCH_UP_WITHIN, () => misses(state) && askAgain(false));
  if (before.ended === null && state.ended === "ended_by_visitor") finish();
  else if (before.ended === null && state.ended !== null) lastWords();
  draw();
}

/** Fetch what is missing on a new line. @param {boolean} refused the server holds less than this page */
function askAgain(refused) {
  clearTimeout(timers["behind"]);
  state = asking(state, refused);
  read = Math.min(read, state.last);
  line?.reconnect();
}

/** Return how far this page has got, and its reader. */
function seen() {
  if (document.visibilityState === "visible" && covered === null && log.follows()) read = state.last;
  return { delivered: state.last, read };
}

/** Tell the server a little later, once for all. */
function tellSeen() {
  if (finished || `${state.last} ${seen().read}` === told || timers["seen"] !== undefined) return;
  later("seen", TELL_SEEN_AFTER, () => {
    timers["seen"] = undefined;
    told = `${state.last} ${seen().read}`;
    line?.send({ type: "seen", ...seen() });
  });
}

/** @param {"connecting" | "open" | "lost" | "stopped"} name @param {{code?: number, error?: string}} [detail] */
function lineIs(name, detail) {
  if (finished || hasLeft()) return;
  if (name === "open") brokenAt = 0;
  if (name === "lost") {
    loadPolls();
    told = "";
    clearTimeout(timers["behind"]);
    if (brokenAt === 0) brokenAt = Date.now();
  }
  if (name === "stopped") stopped(detail?.code, detail?.error);
  draw();
}

/** @param {number} [code] none when this page closed the line itself @param {string} [error] */
function stopped(code, error) {
  brokenAt = code === 4400 ? -Infinity : 0;
  if (code === undefined || code === 4400 || state.ended !== null) return;
  state = gone(state, code);
  lastWords(code !== 4403 ? "" : error === "full" ? error : "refused");
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
  if (own === undefined || state.ended !== null || brokenAt < 0) return;
  if (reason === undefined) {
    // our own fault: it stays on its way
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
  [box("confirm").hidden, box("confirm-unsent").hidden] = [false, !unsent];
  put(box("confirm-unsent"), unsent ? (words["confirm_unsent"] ?? "") : "");
  box("confirm-title").focus();
  box("confirm").scrollIntoView();
}

function goOn() {
  box("confirm").hidden = true;
  box("text").focus();
}

/** End it; the line stays until the server has heard of it. */
export function end() {
  const told = line?.command({ type: "end" });
  void told?.then(() => line?.close());
  aside.ending?.tell(told);
  finish();
}

/** Take every word of the conversation off the page. */
export function finish(section = "ended") {
  finished = true;
  clearTimeout(timers["last"]);
  log.render((state = { ...empty(), begun: true }), Date.now());
  composer.clear();
  for (const id of ["news", "more", "typing", "unsent", "over", "confirm", "line", "status"]) box(id).replaceChildren();
  turnTo(section, `${section}-title`);
  void aside.survey?.ask();
}

/** Leave the last words readable for a while. @param {string} [section] when nobody was let in */
function lastWords(section = "") {
  const draft = [...(section ? state.outbox.map((own) => own.body) : []), composer.draft()].join("\n\n").trim();
  put(box("unsent-words"), draft);
  box("unsent").hidden = draft === "";
  composer.clear();
  box("confirm").hidden = true;
  // the box to write in goes, and the focus must not go with it
  queueMicrotask(() => document.activeElement?.closest("[hidden]") && box("news").focus());
  later("last", LAST_WORDS_FOR, () => finish(section || "ended"));
  // nothing is missing: events come in order, and this was the last
  line?.close();
  if (section) box(section).append(box("unsent")), turnTo(section, `${section}-title`);
}

function draw() {
  if (line === null || finished || hasLeft()) return;
  const now = Date.now();
  waits(state, now);
  around(state, { brokenFor: brokenAt === 0 ? 0 : now - brokenAt, proof: entry.words });
  box("earlier").hidden = state.first === 0 || state.hidden;
  // last: the rest gives it its height
  log.render(state, now);
  tellSeen();
}

/** Hide it from whoever looks through the open apps. */
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

/** @type {Record<string, () => void>} */
const buttons = {
  start: () => begin(),
  "start-below": () => begin(),
  "have-words": loadBack, "get-words": loadBack,
  end: askToEnd,
  "stop-waiting": askToEnd,
  "go-on": goOn,
  "end-yes": end,
  clear: () => finish(),
  retry: () => ((entry.words = ""), line?.reconnect(), draw()),
  uncover,
  "show-earlier": () => (log.holdStill(), void line?.command({ type: "older", before: state.first + 1 }).then(draw)),
  afresh: () => location.replace(`/?l=${document.documentElement.lang}`),
};
for (const [id, press] of Object.entries(buttons)) document.getElementById(id)?.addEventListener("click", press);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && cover());
turns((turned, href) => {
  put(box("tongue"), turned ? "" : (words["turn_failed"] ?? ""));
  const language = document.documentElement.lang;
  void line?.command({ type: "language", language });
  if (turned) log.anew(), draw();
  state = { ...state, language };
  // no second entry in the history of this browser
  if (line === null && !turned) location.replace(href);
});
for (const id of ["begin", "begin-below", "doors", "have-words"]) document.getElementById(id)?.removeAttribute("hidden");
document.getElementById("plain")?.remove();
document.getElementById("doors")?.addEventListener("change", () => box("work").toggleAttribute("open", !!document.querySelector("[value=professional]:checked")));
