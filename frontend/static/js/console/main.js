/** The advocate's console: joins the socket, the store and the panes. */

import { asked, answered, empty, forgotten, holding, landed, letGo, queued, readToEnd, reduce, toFollow } from "../lib/console_store.js";
import { backWord } from "../lib/console_seats.js";
import { drillOver, mine, newReturn, offeredNoMore, offeredOnlyIn, overtaken, real, summary, turnedImminent, unread, waiting } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { openLine } from "../lib/socket.js";
import { newId } from "../staff/api.js";
import { byId, data } from "../staff/dom.js";
import { askFor, lineUrl, onlyProgress } from "../staff/line.js";
import { marksBehind } from "../staff/marks.js";
import { soundBehind } from "../staff/sound.js";
import { keys } from "./keys.js";
import { listPane } from "./list.js";
import { panelSet } from "./panels.js";
import { takings } from "./taking.js";
import { lineSign, surroundings, voice } from "./view.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").StaffEvent} StaffEvent
 * @typedef {import("../lib/console_store.js").Pending} Pending
 */

const VERSION = 1;
const TYPING_EVERY = 3_000;

const words = data("words");
const choices = data("choices");
const console_ = byId("console", HTMLElement);
const chatPlace = byId("pane-chat", HTMLElement);
const contextPlace = byId("pane-context", HTMLElement);
const nobody = byId("nobody", HTMLElement);
const beep = soundBehind(byId("sound", HTMLButtonElement), words);
const { tell, mention, retract } = voice();
const sign = lineSign(words);
const mayAsk = onlyProgress();

let state = empty();
/** @type {string | null} */
let open = null;
let connected = false;
let drawing = false;
let typedAt = 0;

const panels = panelSet(words, choices, { state: () => state, dropped, send, typing, again: deliver, takeBack, insert, older, reached: markRead, tell, toList });
const taking = takings(words, {
  state: () => state,
  open: () => open,
  ask: (id) => line.command({ type: "take", conversation: id }),
  show,
  tell,
  retract,
  draw,
});
const list = listPane(words, { open: show, take: taking.take, slotOf: (id) => panels.panel(id)?.slot ?? 0, isFresh: taking.isFresh });
const around = surroundings(words, {
  accept: taking.take,
  decline: (id) => command({ type: "decline", conversation: id }),
  available: (readiness) => command({ type: "availability", state: readiness }),
});

const marks = marksBehind((frame) => line.send(frame));
const line = openLine({
  url: lineUrl(),
  hello: () => ({ type: "hello", version: VERSION, follow: holding(state) }),
  onFrame: heard,
  onState: (name, about) => {
    connected = name === "open";
    if (!connected) marks.forget();
    sign.show(name, about?.code);
    draw();
  },
});

/** @param {StaffEvent} frame */
function heard(frame) {
  const before = state;
  state = reduce(state, frame, Date.now());
  if (frame.type === "overview") compare(before);
  if (frame.type === "message" && frame.author === "visitor" && state !== before && before.logs[frame.conversation]?.caughtUp) wrote(frame.conversation);
  follow();
  markRead();
  draw();
}

/** Ask for every log that this page should have and has not. */
function follow() {
  for (const wanted of toFollow(state)) {
    if (!mayAsk(wanted.conversation, wanted.after)) continue;
    state = asked(state, wanted.conversation);
    // also when it is refused, or it would stay asked for once it is theirs again
    const forget = () => (state = forgotten(state, wanted.conversation));
    void askFor(line, wanted, { ahead: forget, refused: forget });
  }
}

/** Tell what changed between two overviews. @param {State} before */
function compare(before) {
  const known = new Set(before.overview?.conversations.map((one) => one.id));
  const offers = offeredOnlyIn(state, before);
  const queue = real(waiting(state));
  const fresh = queue.filter((one) => !known.has(one.id));
  // what is told waits for a while, and must still be so then
  for (const one of offeredOnlyIn(before, state)) retract(say(words, "tell_offer", { name: one.handle }));
  const waits = queue.length > 0 ? say(words, "tell_waiting", { n: queue.length }) : "";
  retract("waiting", waits);
  for (const one of offers) mention(say(words, "tell_offer", { name: one.handle }));
  if (before.overview !== null && fresh.length > 0) mention(waits, "waiting");
  for (const one of offeredNoMore(before, state)) mention(say(words, backWord(before, state, one), { name: one.handle }));
  for (const one of overtaken(before, state)) mention(say(words, "tell_overtaken", { name: one.handle }));
  for (const one of turnedImminent(before, state)) mention(say(words, "tell_level", { name: one.handle, level: say(words, `level_${one.level}`) }), one.id, true);
  if (offers.length > 0) beep();
  for (const one of mine(before)) {
    const next = summary(state, one.id);
    const name = one.handle;
    const returned = newReturn(one, next);
    if (one.ended_by === null && next?.ended_by === "left_quickly") mention(say(words, "tell_left", { name }));
    else if (returned !== null) mention(say(words, returned.times > 1 ? "tell_returned_again" : "tell_returned", { name, n: returned.times })), beep();
    else if (one.ended_by === null && next?.ended_by === "visitor") mention(say(words, drillOver(next) ? "tell_drill_over" : "tell_ended", { name }));
    if (!state.order.includes(one.id)) gone(one.id, name, one.state === "wrap_up");
  }
}

/** @param {string} id @param {string} name @param {boolean} ended */
function gone(id, name, ended) {
  if (panels.known(id)?.context.recording()) return;
  if (panels.unsent(id)) mention(say(words, "tell_kept", { name }));
  else if (!ended) mention(say(words, "tell_gone", { name }));
}

/** @param {string} id */
function wrote(id) {
  const one = summary(state, id);
  if (one === undefined) return;
  if (!inSight(id)) mention(say(words, "tell_wrote", { name: one.handle }));
  if (document.visibilityState !== "visible" || !document.hasFocus()) beep();
}

/** Tell whether the newest line of a conversation is before somebody's eyes. @param {string} id */
function inSight(id) {
  return open === id && document.visibilityState === "visible" && chatPlace.checkVisibility() && panels.known(id)?.chat.follows() === true;
}

/** Move the read mark when the end of the open conversation is really in sight. */
function markRead() {
  const before = state;
  if (open !== null && inSight(open) && state.logs[open]?.caughtUp === true) state = readToEnd(state, open);
  marks.tell(state);
  if (state !== before) draw();
}

/** Open a conversation and put the focus where its answer is written. @param {string} id */
function show(id) {
  const next = panels.panel(id);
  if (next === undefined) return;
  open = id;
  taking.seen(id);
  nobody.hidden = true;
  chatPlace.replaceChildren(next.chat.element);
  contextPlace.replaceChildren(next.context.element);
  contextPlace.scrollTop = 0;
  turnTo("chat");
  // where the reader was, before what is new comes in below
  next.chat.settle();
  next.chat.render(state, connected);
  if (unread(state, id) > 0) next.chat.toNewest();
  else next.chat.settle();
  next.chat.focus();
  markRead();
  draw();
}

/** Forget what belonged to a panel that is gone. @param {string} id */
function dropped(id) {
  state = letGo(state, id);
  if (open === id) close();
  draw();
}

function close() {
  open = null;
  chatPlace.replaceChildren(nobody);
  contextPlace.replaceChildren();
  nobody.hidden = false;
  toList();
}

function toList() {
  turnTo("list");
  byId("mine-heading", HTMLElement).focus();
}

/** @param {string} pane */
function turnTo(pane) {
  console_.dataset["pane"] = pane;
  if (byId("turns", HTMLElement).checkVisibility()) console_.scrollIntoView({ block: "start" });
  for (const button of document.querySelectorAll("[data-turn]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-turn") === pane));
  }
}

/** @param {string} id @param {"post" | "note"} kind @param {string} body */
function send(id, kind, body) {
  deliver(id, { clientId: newId(), kind, body });
}

/** @param {string} id @param {{clientId: string, kind: "post" | "note", body: string}} text */
function deliver(id, { clientId, kind, body }) {
  state = queued(state, id, { clientId, kind, body });
  draw();
  void line.command({ type: kind, conversation: id, client_id: clientId, body }).then((answer) => {
    state = answered(state, id, clientId, answer);
    if (!answer.ok) tell(say(words, "way_refused", { why: say(words, `error_${answer.code}`) }));
    draw();
  });
}

/** @param {string} id @param {Pending} text */
function takeBack(id, text) {
  state = landed(state, id, text.clientId);
  const at = panels.known(id);
  (text.kind === "note" ? at?.context : at?.chat)?.putBack(text.body);
  draw();
}

/** Put a line into the reply, where it can be changed: nothing is sent by it. @param {string} id @param {string} body */
function insert(id, body) {
  turnTo("chat");
  panels.known(id)?.chat.putBack(body);
}

/** @param {string} id */
function older(id) {
  void line.command({ type: "older", conversation: id, before: (state.logs[id]?.first ?? 0) + 1 }).then(draw);
}

/** @param {string} id */
function typing(id) {
  if (!connected || Date.now() - typedAt < TYPING_EVERY) return;
  typedAt = Date.now();
  line.send({ type: "typing", conversation: id });
}

/** @param {{type: "decline", conversation: string} | {type: "availability", state: "ready" | "busy" | "away"}} frame */
async function command(frame) {
  const answer = await line.command(frame);
  if (!answer.ok) tell(say(words, `error_${answer.code}`));
  return answer.ok;
}

/** Draw once after everything that happened in this turn; not by frame, since a tab in the back gets none. */
function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    const now = Date.now() + state.offset;
    panels.sweep();
    list.render(state, open, now, panels.kept());
    around.render(state, now);
    if (open !== null) {
      panels.known(open)?.chat.render(state, connected);
      panels.known(open)?.context.render(state, now);
    }
    taking.settle();
  });
}

/** @param {BeforeUnloadEvent} event */
function keep(event) {
  if (panels.anyUnsent() || Object.keys(state.outbox).length > 0) event.preventDefault();
}

keys(words, {
  state: () => state,
  bySlot: panels.bySlot,
  show,
  tell,
});
document.addEventListener("visibilitychange", () => (markRead(), draw()));
window.addEventListener("beforeunload", keep);
for (const button of document.querySelectorAll("[data-turn]")) {
  button.addEventListener("click", () => {
    turnTo(button.getAttribute("data-turn") ?? "list");
    markRead();
    draw();
  });
}
setInterval(() => (follow(), draw()), 1_000);
draw();
