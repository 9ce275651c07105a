/** The supervisor's board: joins the socket, the store, the rows and the conversation that is watched. */

import { boardTells } from "../lib/alarm_line.js";
import { asked, empty, forgotten, holding, reduce, toFollow } from "../lib/console_store.js";
import { escalations, real, summary } from "../lib/console_views.js";
import { gravest, newOnes, realFirst } from "../lib/escalation_order.js";
import { say } from "../lib/say.js";
import { openLine } from "../lib/socket.js";
import { textForm } from "../console/chat.js";
import { lineSign, voice } from "../console/view.js";
import { newId, post } from "../staff/api.js";
import { ask, forgetReasons, unsentReason } from "../staff/ask.js";
import { byId, data, h, reconcile, setText } from "../staff/dom.js";
import { askFor, lineUrl, onlyProgress } from "../staff/line.js";
import { logView } from "../staff/log.js";
import { pauseForm } from "../staff/pausing.js";
import { soundBehind } from "../staff/sound.js";
import { warning } from "../staff/warning.js";
import { boardView } from "./view.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").StaffEvent} StaffEvent
 * @typedef {import("../lib/console_store.js").EscalationSummary} EscalationSummary
 * @typedef {import("./view.js").Step} Step
 */

const VERSION = 1;
const STALE_AFTER = 10_000;
const ASK_EVERY = 4_000;

const words = data("words");
const beep = soundBehind(byId("sound", HTMLButtonElement), words);
const { tell } = voice();
const sign = lineSign(words);
const mayAsk = onlyProgress();
const watchPane = byId("watch", HTMLElement);
const board = byId("board", HTMLElement);
const log = logView(byId("watch-log", HTMLElement), byId("watch-scroller", HTMLElement), words);
const plainTitle = document.title;
/** A form for each conversation that was watched: a note must not follow its author to another one. @type {Map<string, ReturnType<typeof textForm>>} */
const notes = new Map();
/** What pauses the conversation that is watched. @type {ReturnType<typeof pauseForm> | null} */
let pause = null;
/** How staff speak of them. @type {Map<string, string>} */
const handles = new Map();

let state = empty();
/** @type {string | null} */
let watched = null;
/** @type {HTMLElement | null} */
let cameFrom = null;
let connected = false;
let drawing = false;

const view = boardView(words, { step, reason, watch, take });
const line = openLine({
  url: lineUrl(),
  hello: () => ({ type: "hello", version: VERSION, follow: holding(state), page: "board" }),
  onFrame: heard,
  onState: (name, about) => {
    connected = name === "open";
    sign.show(name, about?.code);
    draw();
  },
});

/** @param {StaffEvent} frame */
function heard(frame) {
  const before = state;
  state = reduce(state, frame, Date.now());
  if (frame.type === "overview") {
    alarm(before);
    for (const [id, form] of notes) if (id !== watched && form.draft() === "" && summary(state, id) === undefined) notes.delete(id);
  }
  follow();
  draw();
}

function follow() {
  for (const wanted of toFollow({ ...state, order: [] }, watched === null ? [] : [watched])) {
    if (!mayAsk(wanted.conversation, wanted.after)) continue;
    state = asked(state, wanted.conversation);
    void askFor(line, wanted, { ahead: (id) => (state = forgotten(state, id)), refused: (code) => tell(say(words, `error_${code}`)) });
  }
}

/** Show what nobody has acknowledged; sound and speak only for what is new or has climbed. @param {State} before */
function alarm(before) {
  const open = escalations(state);
  const raised = open.filter((one) => one.state === "raised");
  const earlier = before.overview?.escalations ?? [];
  const news = newOnes(raised, earlier, (one) => one.id).filter((one) => one.aloud !== false);
  const { told, standing, unreached } = boardTells(raised, news, earlier);
  const nobody = ` ${say(words, "paged_unreached")}`;
  forgetReasons((key) => !open.some((one) => key.startsWith(one.id)));
  const pressing = real(raised).length;
  document.title = pressing > 0 ? `(${pressing}) ⚠ ${plainTitle}` : plainTitle;
  setText(byId("alarm", HTMLElement), inWords(realFirst(raised), "not_acknowledged", "not_acknowledged_many") + (standing ? nobody : ""));
  if (told.length > 0) {
    setText(byId("alarm-news", HTMLElement), inWords(told, (told[0]?.climbs ?? 0) > 0 ? "alarm_climbed" : "alarm", "alarm_many") + (unreached ? nobody : ""));
    beep();
  } else if (raised.length === 0) setText(byId("alarm-news", HTMLElement), "");
}

/** @param {readonly EscalationSummary[]} some the oldest first @param {string} one the word for a single one @param {string} many */
function inWords(some, one, many) {
  const [first] = some;
  if (first === undefined) return "";
  const about = (/** @type {EscalationSummary} */ which) => ({ name: which.handle, level: say(words, `level_${which.level}`) });
  if (some.length === 1) return say(words, one, about(first));
  const worst = gravest(some) ?? first;
  // the oldest is to be answered first, and whoever answers knows of the one that is worse
  const more = worst.level > first.level ? [say(words, "alarm_gravest", about(worst))] : [];
  return [say(words, many, { n: some.length }), say(words, "alarm_first", about(first)), ...more].join(" ");
}

/** @param {EscalationSummary} one @param {Step} what */
async function step(one, what) {
  const name = one.handle;
  const path = `escalations/${one.id}/${what}`;
  if (what === "acknowledge" || what === "start") return settle(await post(path), what, name);
  const key = `${one.id}:${what}`;
  const reason_ = await ask(words, {
    key,
    title: say(words, `ask_${what}`, { name }),
    text: say(words, `ask_${what}_text`),
    yes: say(words, `step_${what}`),
    reason: say(words, "ask_reason"),
  });
  if (reason_ === null) return undefined;
  const answer = await post(path, { reason: reason_ });
  if (answer.ok) {
    forgetReasons((other) => other === key);
    // its row goes, and with it the button that was pressed
    byId("escalations-heading", HTMLElement).focus();
  }
  return settle(answer, what, name);
}

/** @param {import("../staff/api.js").Answer} answer @param {Step} what @param {string} name */
function settle(answer, what, name) {
  tell(answer.ok ? say(words, `done_${what}`, { name }) : say(words, `error_${answer.code}`));
}

/** @param {string} id @returns {Promise<import("./view.js").Why>} */
async function reason(id) {
  const answer = await post(`escalations/${id}/reason`);
  if (!answer.ok) return { text: say(words, `error_${answer.code}`), rules: [] };
  const screened = state.overview?.escalations.some((one) => one.id === id && one.source === "screening") === true;
  const text = (screened ? `${say(words, "because_it_says")}\n` : "") + String(answer.body.reason ?? "");
  return { text, rules: answer.body.rules };
}

/** Open a conversation to read along; its people are not told. @param {string} id */
function watch(id) {
  const one = summary(state, id);
  if (one === undefined) return tell(say(words, "state_gone"));
  if (document.activeElement instanceof HTMLElement) cameFrom = document.activeElement;
  if (watched !== null && watched !== id) unfollow(watched);
  watched = id;
  watchPane.hidden = false;
  watchPane.classList.toggle("drill", one.drill === true);
  board.classList.add("watching");
  setText(byId("watch-name", HTMLElement), say(words, "watching", { name: one.handle }));
  byId("watch-note", HTMLElement).replaceChildren(noteForm(id, one.handle).element);
  pause = pauseForm(words, data("pauses"), id, one.handle, tell);
  byId("watch-pause", HTMLElement).replaceChildren(pause.element);
  byId("watch-name", HTMLElement).focus();
  follow();
  draw();
}

/** Take somebody in danger who waits, whoever they are offered to. @param {string} id */
async function take(id) {
  const name = summary(state, id)?.handle ?? "";
  const pressed = document.activeElement;
  const answer = await line.command({ type: "take", conversation: id });
  // its row goes, and with it the button that was pressed
  if (answer.ok && [pressed, document.body].includes(document.activeElement)) byId("waiting-heading", HTMLElement).focus();
  tell(answer.ok ? say(words, "board_taken", { name }) : say(words, `error_${answer.code}`));
}

function unwatch() {
  if (watched !== null) unfollow(watched);
  watched = null;
  watchPane.hidden = true;
  board.classList.remove("watching");
  (cameFrom?.isConnected === true ? cameFrom : byId("board-heading", HTMLElement)).focus();
  draw();
}

/** @param {string} id */
function unfollow(id) {
  state = forgotten(state, id);
  void line.command({ type: "unfollow", conversation: id });
}

/** @param {string} id @param {string} name */
function noteForm(id, name) {
  const known = notes.get(id);
  if (known !== undefined) return known;
  const form = textForm(words, {
    label: say(words, "note_about", { name }),
    button: say(words, "save_note"),
    kind: "note",
    send: (body) => note(id, body),
  });
  notes.set(id, form);
  handles.set(id, name);
  return form;
}

/** @param {string} id @param {string} body @returns {Promise<boolean>} whether it is saved */
async function note(id, body) {
  draw();
  const answer = await line.command({ type: "note", conversation: id, client_id: newId(), body });
  tell(answer.ok ? say(words, "note_saved") : say(words, "way_refused", { why: say(words, `error_${answer.code}`) }));
  draw();
  return answer.ok;
}

function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    const now = Date.now() + state.offset;
    view.render(state, watched, now);
    freshness();
    for (const form of notes.values()) form.way(connected);
    leftNotes();
    if (watched === null) return;
    const one = summary(state, watched);
    log.render(state, watched);
    const about = one === undefined ? say(words, "state_gone") : warning(words, one) || `${one.advocate ?? say(words, "nobody_yet")} · ${say(words, `state_${one.state}`)}`;
    setText(byId("watch-standing", HTMLElement), about);
    notes.get(watched)?.allow(one !== undefined, say(words, "state_gone"));
    const open = one?.ended_by === null;
    byId("watch-limits", HTMLElement).hidden = !open;
    pause?.render(one, open);
  });
}

/** Show the notes that were not saved before their conversation went: no row leads to them any more. */
function leftNotes() {
  const left = [...notes].filter(([id, form]) => id !== watched && form.draft().trim() !== "" && summary(state, id) === undefined);
  byId("left", HTMLElement).hidden = left.length === 0;
  const make = (/** @type {typeof left[number]} */ [id, form]) => {
    const away = h("button", { type: "button" }, say(words, "discard"));
    away.addEventListener("click", () => void discard(id));
    return h("li", {}, form.element, h("p", { class: "choices" }, away));
  };
  reconcile(byId("left-notes", HTMLUListElement), left, ([id]) => id, make, (_, [, form]) => form.allow(false, say(words, "state_gone")));
}

/** @param {string} id */
async function discard(id) {
  const title = say(words, "discard_title", { name: handles.get(id) ?? "" });
  if ((await ask(words, { title, text: say(words, "discard_text"), yes: say(words, "discard_yes") })) === null) return;
  notes.delete(id);
  draw();
  byId("board-heading", HTMLElement).focus();
}

/** Say as at when this is true, and in words when that is too long ago. */
function freshness() {
  const stale = state.heardAt === 0 || Date.now() - state.heardAt > STALE_AFTER;
  const at = state.heardAt === 0 ? "" : new Date(state.heardAt).toLocaleTimeString(say(words, "locale"));
  board.classList.toggle("is-stale", stale && state.heardAt > 0);
  setText(byId("as-at", HTMLElement), at === "" ? say(words, "no_news_yet") : say(words, "as_at", { at }));
  const banner = byId("stale", HTMLElement);
  banner.hidden = !stale || state.heardAt === 0;
  setText(banner, banner.hidden ? "" : say(words, "stale", { at }));
}

byId("watch-close", HTMLButtonElement).addEventListener("click", unwatch);
watchPane.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && watched !== null && notes.get(watched)?.draft() === "") unwatch();
});
byId("alarm", HTMLElement).addEventListener("click", (event) => {
  event.preventDefault();
  view.toFirst();
});
window.addEventListener("beforeunload", (event) => {
  if (unsentReason() || [...notes.values()].some((form) => form.draft().trim() !== "")) event.preventDefault();
});
// The socket's own heartbeat is slower than a board may be wrong.
setInterval(() => connected && line.send({ type: "ping" }), ASK_EVERY);
setInterval(() => {
  follow();
  draw();
}, 1_000);
draw();
