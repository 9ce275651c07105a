/** The supervisor's board: joins the socket, the store, the rows and the conversation that is watched. */

import { asked, empty, forgotten, holding, reduce, toFollow } from "../lib/console_store.js";
import { escalations, summary } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { openLine } from "../lib/socket.js";
import { textForm } from "../console/chat.js";
import { lineSign, voice } from "../console/view.js";
import { newId, post } from "../staff/api.js";
import { ask } from "../staff/ask.js";
import { byId, data, setText } from "../staff/dom.js";
import { askFor, lineUrl, onlyProgress } from "../staff/line.js";
import { logView } from "../staff/log.js";
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
const noteForm = textForm(words, {
  label: say(words, "note_watched"),
  button: say(words, "save_note"),
  kind: "note",
  send: (body) => note(body),
});
byId("watch-note", HTMLElement).append(noteForm.element);

let state = empty();
/** @type {string | null} */
let watched = null;
/** @type {HTMLElement | null} */
let cameFrom = null;
let connected = false;
let drawing = false;

const view = boardView(words, { step, reason, watch });
const line = openLine({
  url: lineUrl(),
  hello: () => ({ type: "hello", version: VERSION, follow: holding(state) }),
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
  if (frame.type === "overview") alarm(before);
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

/** Say each new or climbed escalation once, and then be quiet about it. @param {State} before */
function alarm(before) {
  const old = new Map((before.overview?.escalations ?? []).map((one) => [one.id, one]));
  const news = escalations(state).filter((one) => one.state === "raised" && one.climbs >= (old.get(one.id)?.climbs ?? -1) + 1);
  const [first] = news;
  if (!escalations(state).some((one) => one.state === "raised")) setText(byId("alarm", HTMLElement), "");
  if (first === undefined) return;
  const text =
    news.length > 1
      ? say(words, "alarm_many", { n: news.length })
      : say(words, first.climbs > 0 ? "alarm_climbed" : "alarm", { name: first.handle, level: say(words, `level_${first.level}`) });
  setText(byId("alarm", HTMLElement), text);
  beep();
}

/** @param {EscalationSummary} one @param {Step} what */
async function step(one, what) {
  const name = one.handle;
  const path = `escalations/${one.id}/${what}`;
  if (what === "acknowledge" || what === "start") return settle(await post(path), what, name);
  const reason_ = await ask(words, {
    title: say(words, `ask_${what}`, { name }),
    text: say(words, `ask_${what}_text`),
    yes: say(words, `step_${what}`),
    reason: say(words, "ask_reason"),
  });
  return reason_ === null ? undefined : settle(await post(path, { reason: reason_ }), what, name);
}

/** @param {import("../staff/api.js").Answer} answer @param {Step} what @param {string} name */
function settle(answer, what, name) {
  tell(answer.ok ? say(words, `done_${what}`, { name }) : say(words, `error_${answer.code}`));
}

/** @param {string} id @returns {Promise<string>} */
async function reason(id) {
  const answer = await post(`escalations/${id}/reason`);
  return answer.ok ? String(answer.body.reason ?? "") : say(words, `error_${answer.code}`);
}

/** Open a conversation to read along; its people are not told. @param {string} id */
function watch(id) {
  const one = summary(state, id);
  if (one === undefined) return tell(say(words, "state_gone"));
  if (document.activeElement instanceof HTMLElement) cameFrom = document.activeElement;
  if (watched !== null && watched !== id) unfollow(watched);
  watched = id;
  watchPane.hidden = false;
  board.classList.add("watching");
  setText(byId("watch-name", HTMLElement), say(words, "watching", { name: one.handle }));
  byId("watch-name", HTMLElement).focus();
  follow();
  draw();
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

/** @param {string} body */
function note(body) {
  const id = watched;
  if (id === null) return;
  void line.command({ type: "note", conversation: id, client_id: newId(), body }).then((answer) => {
    if (!answer.ok && watched === id) noteForm.putBack(body);
    tell(answer.ok ? say(words, "note_saved") : say(words, "way_refused", { why: say(words, `error_${answer.code}`) }));
    draw();
  });
}

function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    const now = Date.now() + state.offset;
    view.render(state, watched, now);
    freshness();
    if (watched === null) return;
    const one = summary(state, watched);
    log.render(state, watched);
    const about = one === undefined ? say(words, "state_gone") : warning(words, one) || `${one.advocate ?? say(words, "nobody_yet")} · ${say(words, `state_${one.state}`)}`;
    setText(byId("watch-standing", HTMLElement), about);
    noteForm.allow(one !== undefined, say(words, "state_gone"));
  });
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
  if (event.key === "Escape" && noteForm.draft() === "") unwatch();
});
// The socket's own heartbeat is slower than a board may be wrong.
setInterval(() => connected && line.send({ type: "ping" }), ASK_EVERY);
setInterval(() => {
  follow();
  draw();
}, 1_000);
draw();
