// What the staff pages know after each frame. Run by `node --test`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { age, dueIn, secondsLeft, since } from "../../frontend/static/js/lib/ages.js";
import * as seats from "../../frontend/static/js/lib/console_seats.js";
import * as store from "../../frontend/static/js/lib/console_store.js";
import { OPENS_WITHIN, expired, mayOpen, pressed } from "../../frontend/static/js/lib/console_taking.js";
import * as views from "../../frontend/static/js/lib/console_views.js";
import { gravest } from "../../frontend/static/js/lib/escalation_order.js";
import { say } from "../../frontend/static/js/lib/say.js";

const golden = JSON.parse(readFileSync(new URL("../golden/frames.json", import.meta.url), "utf8")).staff_events;
const NOW = Date.parse("2026-11-24T12:00:00.000Z");
const ID = "11111111-1111-4111-8111-111111111111";
const OTHER = "22222222-2222-4222-8222-222222222222";
const ME = 7;

const you = { ...golden.welcome.you, id: ME, capacity: 2 };
const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();
const conversation = (id, fields = {}) => ({
  id,
  handle: "Heron 417",
  state: "active",
  door: "help",
  language: "en",
  level: 0,
  opened_at: ago(600),
  waiting_since: null,
  advocate_id: ME,
  advocate: "Sam",
  offer_until: null,
  head: 0,
  read: 0,
  last_visitor_at: null,
  answered: true,
  visitor_here: true,
  ended_by: null,
  ...fields,
});
const escalation = (id, fields = {}) => ({ ...golden.overview.escalations[0], id, state: "raised", raised_at: ago(60), ...fields });
const overview = (conversations, fields = {}) => ({
  type: "overview",
  at: new Date(NOW).toISOString(),
  availability: "ready",
  ready: 1,
  conversations,
  escalations: [],
  ...fields,
});
const message = (seq, fields = {}) => ({
  type: "message",
  conversation: ID,
  seq,
  author: "visitor",
  author_id: null,
  name: null,
  client_id: null,
  body: `line ${seq}`,
  at: ago(100 - seq),
  ...fields,
});
const own = (seq, clientId) => message(seq, { author: "staff", author_id: ME, name: "Sam", client_id: clientId });
const welcome = { type: "welcome", version: 1, you };
const followed = (head, id = ID) => ({ type: "followed", conversation: id, head });
const after = (...frames) => frames.reduce((state, frame) => store.reduce(state, frame, NOW), store.empty());
const holding = (...frames) => after(welcome, overview([conversation(ID)]), followed(0), ...frames);

test("every golden event is taken without a throw", () => {
  let state = store.empty();
  for (const frame of Object.values(golden)) state = store.reduce(state, frame, NOW);
  assert.equal(state.you.id, golden.welcome.you.id);
});

test("an overview asks for what this person holds, and for nothing else", () => {
  const state = after(
    welcome,
    overview([conversation(ID), conversation(OTHER, { advocate_id: 9 }), conversation("x", { state: "offered" })]),
  );
  assert.deepEqual(store.toFollow(state), [{ conversation: ID, after: 0 }]);
  assert.deepEqual(store.toFollow(store.asked(state, ID)), []);
});

test("lines are appended in order, repeats are ignored, and a gap is asked for again", () => {
  const state = holding(message(1), message(1), message(2));
  assert.deepEqual(state.logs[ID].lines.map((line) => line.seq), [1, 2]);
  const gap = store.reduce(state, message(4), NOW);
  assert.equal(gap.logs[ID].last, 2);
  assert.deepEqual(store.toFollow(gap), [{ conversation: ID, after: 2 }]);
  const healed = [message(3), message(4), followed(4)].reduce((now, frame) => store.reduce(now, frame, NOW), gap);
  assert.equal(healed.logs[ID].last, 4);
  assert.deepEqual(store.toFollow(healed), []);
});

test("two answers in a row that leave a gap make this page hold nothing and take what there is", () => {
  const gap = store.reduce(holding(message(1)), message(4), NOW);
  const once = store.reduce(store.asked(gap, ID), followed(4), NOW);
  assert.deepEqual(store.toFollow(once), [{ conversation: ID, after: 1 }], "asked for once more");
  const twice = store.reduce(store.asked(once, ID), followed(4), NOW);
  assert.deepEqual(store.toFollow(twice), [{ conversation: ID, after: 0 }]);
  const progress = store.reduce(store.reduce(store.asked(once, ID), message(2), NOW), followed(4), NOW);
  assert.deepEqual(store.toFollow(progress), [{ conversation: ID, after: 2 }], "an answer that helped counts anew");
});

test("who missed too much holds only the newest lines, and older ones go before them, once", () => {
  const snapshot = { type: "snapshot", conversation: ID, after: 300 };
  const text = { clientId: "e".repeat(32), kind: "post", body: "long ago" };
  let state = store.queued(holding(message(1), message(2)), ID, text);
  state = store.answered(state, ID, text.clientId, { ok: true, seq: 290 });
  state = [snapshot, message(301), message(302), followed(302)].reduce((now, frame) => store.reduce(now, frame, NOW), state);
  assert.deepEqual(state.logs[ID].lines.map((line) => line.seq), [301, 302]);
  assert.deepEqual([state.logs[ID].first, store.toFollow(state), state.outbox], [300, [], {}]);
  for (const seq of [300, 299, 300, 299, 298, 302]) state = store.reduce(state, message(seq), NOW);
  assert.deepEqual(state.logs[ID].lines.map((line) => line.seq), [298, 299, 300, 301, 302]);
  assert.equal(state.logs[ID].last, 302);
});

test("how far the visitor has got never goes back", () => {
  const reached = (delivered, read) => ({ type: "reached", conversation: ID, delivered, read });
  const state = holding(message(1), message(2), reached(2, 1), reached(1, 2));
  assert.deepEqual(state.reached[ID], { delivered: 2, read: 2 });
  assert.deepEqual(store.reduce(state, { type: "unfollowed", conversation: ID }, NOW).reached, {});
});

test("a pong finds a lost last line", () => {
  const state = holding(message(1), { type: "pong", heads: { [ID]: 2 } });
  assert.deepEqual(store.toFollow(state), [{ conversation: ID, after: 1 }]);
});

test("a new socket says what is held and asks anew for what was never answered", () => {
  const state = store.reduce(store.asked(after(welcome, overview([conversation(ID)])), ID), welcome, NOW);
  assert.deepEqual(store.toFollow(state), [{ conversation: ID, after: 0 }]);
  assert.deepEqual(store.holding(holding(message(1), message(2))), { [ID]: 2 });
});

test("lines of a conversation that is not followed are not kept", () => {
  assert.deepEqual(after(welcome, message(1)).logs, {});
});

test("what leaves the list leaves the memory", () => {
  assert.deepEqual(store.reduce(holding(message(1)), overview([]), NOW).logs, {});
  assert.deepEqual(store.reduce(holding(message(1)), { type: "unfollowed", conversation: ID }, NOW).logs, {});
});

test("one's own list keeps its order while overviews change theirs", () => {
  const both = [conversation(ID), conversation(OTHER)];
  const state = after(welcome, overview(both), overview([...both].reverse()));
  assert.deepEqual(views.mine(state).map((one) => one.id), [ID, OTHER]);
});

test("one's own text goes from sending to its line, whichever of answer and line comes first", () => {
  const text = { clientId: "c".repeat(32), kind: "post", body: "hello" };
  const sending = store.queued(holding(), ID, text);
  assert.equal(sending.outbox[ID][0].state, "sending");
  const sent = store.answered(sending, ID, text.clientId, { ok: true });
  assert.equal(sent.outbox[ID][0].state, "sent");
  assert.deepEqual(store.reduce(sent, own(1, text.clientId), NOW).outbox, {});
  const lineFirst = store.reduce(sending, own(1, text.clientId), NOW);
  assert.deepEqual(store.answered(lineFirst, ID, text.clientId, { ok: true }).outbox, {});
});

test("a refused text stays with its reason until it is sent again or taken back", () => {
  const text = { clientId: "d".repeat(32), kind: "note", body: "hm" };
  const refused = store.answered(store.queued(holding(), ID, text), ID, text.clientId, { ok: false, code: "wrong_state" });
  assert.deepEqual(refused.outbox[ID][0], { ...text, state: "refused", code: "wrong_state", seq: null });
  assert.equal(store.queued(refused, ID, text).outbox[ID].length, 1);
  assert.deepEqual(store.landed(refused, ID, text.clientId).outbox, {});
});

test("a text counts as not sent until the server has taken it, and goes when its conversation is let go", () => {
  const text = { clientId: "a".repeat(32), kind: "post", body: "hold on" };
  const sending = store.queued(holding(), ID, text);
  assert.deepEqual(store.notSent(sending, ID).map((one) => one.body), ["hold on"]);
  assert.deepEqual(store.notSent(sending, ID, "note"), []);
  const refused = store.answered(sending, ID, text.clientId, { ok: false, code: "not_found" });
  const gone = store.reduce(refused, overview([]), NOW);
  assert.deepEqual(store.notSent(gone, ID).map((one) => one.body), ["hold on"], "also when it is gone from the list");
  assert.deepEqual(store.letGo(gone, ID).outbox, {});
  assert.deepEqual(store.notSent(store.answered(sending, ID, text.clientId, { ok: true, seq: 1 }), ID), []);
});

test("what was taken opens by itself only over nothing, or for hands that were still", () => {
  const soon = NOW + OPENS_WITHIN - 1;
  const late = NOW + OPENS_WITHIN + 1;
  const asked = pressed(OTHER, NOW);
  assert.equal(mayOpen(asked, null, NOW), false, "not before the server has said yes");
  const taken = { ...asked, takenAt: NOW };
  assert.equal(mayOpen(taken, ID, soon), true);
  assert.equal(mayOpen(taken, ID, late), false);
  assert.equal(mayOpen({ ...taken, hands: true }, ID, soon), false);
  assert.equal(mayOpen({ ...taken, hands: true }, null, soon), true);
  const slow = { ...asked, takenAt: NOW + 60_000 };
  assert.equal(mayOpen(slow, ID, NOW + 60_001), false, "a press is forgotten long before a dropped line is back");
  assert.equal(mayOpen(slow, null, NOW + 60_001), true);
  assert.deepEqual([expired(asked, late), expired(taken, soon), expired(taken, late)], [false, false, true]);
});

test("unread counts what others wrote beyond the read mark, not facts and not one's own", () => {
  const fact = { type: "fact", conversation: ID, seq: 4, code: "joined", name: "Sam", level: null, at: ago(1) };
  const state = holding(message(1), message(2), own(3, null), fact, message(5));
  assert.equal(views.unread(state, ID), 3);
  const read = store.readToEnd(state, ID);
  assert.equal(views.unread(read, ID), 0);
  assert.equal(store.readUpTo(read, ID), 5);
  assert.equal(store.readToEnd(read, ID), read);
});

test("a read mark of another tab counts here too", () => {
  const state = store.reduce(holding(message(1), message(2)), overview([conversation(ID, { read: 2 })]), NOW);
  assert.equal(views.unread(state, ID), 0);
});

test("the oldest unanswered is the visitor who has waited longest for an answer", () => {
  const frames = [welcome, overview([conversation(ID), conversation(OTHER)]), followed(0), followed(0, OTHER)];
  const state = after(...frames, message(1, { at: ago(30) }), message(1, { conversation: OTHER, at: ago(90) }));
  assert.equal(views.oldestUnanswered(state).id, OTHER);
  const answered = store.reduce(state, { ...own(2, null), conversation: OTHER }, NOW);
  assert.equal(views.oldestUnanswered(answered).id, ID);
});

test("the queue shows the most urgent first and then the longest wait; an offer to oneself is not in it", () => {
  const wait = (id, level, seconds, fields = {}) =>
    conversation(id, { state: "waiting", advocate_id: null, level, waiting_since: ago(seconds), ...fields });
  const offer = wait("d", 0, 900, { state: "offered", advocate_id: ME });
  const state = after(welcome, overview([wait("a", 0, 100), wait("b", 3, 5), wait("c", 0, 500), offer]));
  assert.deepEqual(views.waiting(state).map((one) => one.id), ["b", "c", "a"]);
  assert.deepEqual(views.offered(state).map((one) => one.id), ["d"]);
});

test("an offer that ran out is news only while the conversation waits, for whomever", () => {
  const shown = (fields) => after(welcome, overview([conversation(ID, fields)]));
  const mine = { state: "offered", advocate_id: ME };
  const again = { waiting: { state: "waiting", advocate_id: null }, offered: { state: "offered", advocate_id: 9 } };
  for (const fields of Object.values(again)) assert.deepEqual(views.offeredNoMore(shown(mine), shown(fields)).map((one) => one.id), [ID]);
  for (const fields of [mine, { state: "active", advocate_id: ME }, { state: "active", advocate_id: 9 }, { state: "wrap_up", advocate_id: null }]) {
    assert.deepEqual(views.offeredNoMore(shown(mine), shown(fields)), []);
  }
  assert.deepEqual(views.offeredNoMore(shown(again.waiting), shown(again.waiting)), []);
  assert.deepEqual(views.offeredNoMore(shown(mine), after(welcome, overview([]))), []);
});

test("taking is refused with the true reason", () => {
  assert.equal(seats.whyNotTake(after(welcome, overview([]))), null);
  assert.equal(seats.whyNotTake(after(welcome, overview([], { availability: "away" }))), "away");
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID), conversation(OTHER, { state: "wrap_up" })]))), "record");
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID), conversation(OTHER)]))), "full");
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID, { level: 2 })]))), "urgent");
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID), conversation(OTHER, { state: "offered" })]))), "offer");
});

test("a visitor in danger waits neither for a record nor behind a calm offer", () => {
  const calm = after(welcome, overview([conversation(ID), conversation(OTHER, { state: "offered" })]));
  assert.equal(seats.whyNotTake(calm, 3), null);
  assert.equal(seats.whyNotTake(calm, 1), "offer");
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID), conversation(OTHER, { state: "wrap_up", level: 3 })])), 2), null);
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID), conversation(OTHER)])), 3), "full");
  assert.equal(seats.whyNotTake(after(welcome, overview([conversation(ID, { state: "offered", level: 2 })])), 3), "offer");
});

test("a visitor in danger can be taken while a colleague is asked, and a drill or a calm one cannot", () => {
  const theirs = (fields) => conversation(OTHER, { state: "offered", advocate_id: 9, advocate: "Ben", ...fields });
  for (const level of [2, 3, 4]) assert.equal(seats.canBeTaken(theirs({ level })), true);
  for (const level of [0, 1]) assert.equal(seats.canBeTaken(theirs({ level })), false);
  assert.equal(seats.canBeTaken(theirs({ level: 3, drill: true })), false);
  assert.equal(seats.canBeTaken(theirs({ level: 3, state: "active" })), false);
  assert.equal(seats.canBeTaken(conversation(OTHER, { state: "waiting", advocate_id: null })), true);
  assert.equal(seats.inDanger(conversation(OTHER, { state: "waiting", advocate_id: null })), false);
});

test("an offer that a colleague took is told once, to whom it was offered, and so is the next one", () => {
  const list = (shown, ...times) => store.reduce(after(welcome), overview(shown, { overtaken: times.map((at) => ({ conversation: OTHER, at })) }), NOW);
  const offer = conversation(OTHER, { state: "offered", level: 3 });
  const ids = (before, next) => views.overtaken(before, next).map((one) => one.id);
  assert.deepEqual(ids(list([offer]), list([], "noon")), [OTHER]);
  assert.deepEqual(views.offeredNoMore(list([offer]), list([], "noon")), [], "it does not wait");
  assert.deepEqual(ids(list([], "noon"), list([], "noon")), []);
  assert.deepEqual(ids(list([offer]), list([])), [], "the visitor went");
  assert.deepEqual(ids(list([offer], "noon"), list([], "noon", "later")), [OTHER], "within the same minute");
  assert.deepEqual(ids(list([offer], "noon"), list([conversation(OTHER, { level: 3 })], "noon")), [], "accepted by then");
});

test("of an offer that waits again it is said why and what follows", () => {
  const waits = (level) => conversation(OTHER, { state: "waiting", advocate_id: null, level });
  const alone = (fields) => after(welcome, overview([conversation(ID, fields), waits(0)]));
  const word = (state, one) => seats.backWord(store.empty(), state, one);
  assert.equal(word(alone({}), waits(0)), "tell_back");
  assert.equal(word(alone({ level: 2 }), waits(0)), "tell_gave_way");
  assert.equal(word(alone({ level: 2, state: "offered" }), waits(1)), "tell_gave_way");
  assert.equal(word(alone({ level: 2, state: "wrap_up" }), waits(0)), "tell_back");
  assert.equal(word(alone({}), waits(3)), "tell_back_soon");
  assert.equal(word(alone({ level: 2 }), waits(3)), "tell_gave_way", "who has a danger cannot take it");
});

test("a calm offer gave way also to what a colleague took before the next list came", () => {
  const calm = conversation(ID, { state: "offered" }), danger = conversation(OTHER, { state: "offered", level: 3 });
  const back = { ...calm, state: "waiting", advocate_id: null };
  const overtaken = [{ conversation: OTHER, at: "noon" }];
  const next = after(welcome, overview([back], { overtaken }));
  assert.equal(seats.backWord(after(welcome, overview([calm])), next, back), "tell_gave_way");
  assert.equal(seats.backWord(after(welcome, overview([calm], { overtaken })), next, back), "tell_back", "that was another time");
  assert.equal(seats.backWord(after(welcome, overview([calm, danger])), next, back), "tell_back", "it stood beside it, and ran out");
});

test("of what nobody acknowledged the oldest escalation comes first; settled ones are gone, and the gravest is known", () => {
  const escalations = [
    escalation("new", { level: 2, raised_at: ago(5) }),
    escalation("seen", { state: "acknowledged", level: 4, raised_at: ago(500) }),
    escalation("old", { level: 2, raised_at: ago(50) }),
    escalation("life", { level: 3, raised_at: ago(1) }),
    escalation("done", { state: "resolved" }),
  ];
  const state = after(welcome, overview([], { escalations }));
  assert.deepEqual(views.escalations(state).map((one) => one.id), ["old", "new", "life", "seen"]);
  assert.equal(gravest(views.escalations(state).filter((one) => one.state === "raised"))?.id, "life");
});

const words = {
  language: "fr",
  age_now: "quelques secondes",
  age_moment: "moins d’une minute",
  age_seconds: { one: "{n} seconde", other: "{n} secondes" },
  age_minutes: { one: "{n} minute", other: "{n} minutes" },
  age_hours: { one: "{n} heure", other: "{n} heures" },
  age_days: { one: "{n} jour", other: "{n} jours" },
};

test("ages are words, and short clocks count the first minute in tens", () => {
  assert.equal(age(words, 59_000), "moins d’une minute");
  assert.equal(age(words, 59_000, { fine: true }), "50 secondes");
  assert.equal(age(words, 4_000, { fine: true }), "quelques secondes");
  assert.equal(age(words, 60_000), "1 minute");
  assert.equal(age(words, 7_200_000), "2 heures");
  assert.equal(age(words, 90_000_000), "1 jour");
  assert.equal(age(words, -5_000), "moins d’une minute");
  assert.equal(since(words, null, NOW), "");
  assert.equal(secondsLeft(ago(-12), NOW), 12);
  assert.equal(secondsLeft(ago(12), NOW), 0);
});

test("what climbs says when: in seconds, and from a minute on in minutes and seconds", () => {
  const due = { language: "en", due_in: { one: "in {n} second", other: "in {n} seconds" }, due_in_minutes: "in {minutes} min {seconds} s" };
  assert.deepEqual([1, 59, 60, 287].map((left) => dueIn(due, left)), ["in 1 second", "in 59 seconds", "in 1 min 0 s", "in 4 min 47 s"]);
});

test("a missing word shows its key, and marks without a value stay", () => {
  assert.equal(say(words, "nowhere"), "nowhere");
  assert.equal(say({ hello: "{name}!" }, "hello"), "{name}!");
});

test("what was erased leaves the page in the moment in which that is told", () => {
  let state = store.reduce(store.empty(), { ...golden.welcome, you }, NOW);
  state = store.reduce(state, overview([conversation(ID)]), NOW);
  const lines = [
    { ...golden.message, conversation: ID, seq: 1, body: "I live at 12 Secretstreet" },
    { ...golden.note, conversation: ID, seq: 2, body: "Secretstreet" },
    { ...golden.fact, conversation: ID, seq: 3, code: "erase_asked" },
    { ...golden.fact, conversation: ID, seq: 4, code: "erase_done" },
  ];
  state = store.reduce(state, { type: "followed", conversation: ID, head: 0 }, NOW);
  for (const line of lines.slice(0, 3)) state = store.reduce(state, line, NOW);
  assert.match(JSON.stringify(state), /Secretstreet/);
  state = store.reduce(state, lines[3], NOW);
  assert.doesNotMatch(JSON.stringify(state), /Secretstreet/);
  assert.deepEqual(state.logs[ID].lines.map((line) => line.code), ["erased", "erased", "erase_asked", "erase_done"]);
});

test("every return by words is news, also one that takes the place of another", () => {
  const first = conversation(ID, { returned: { number: 4, times: 1 } });
  const second = conversation(ID, { returned: { number: 9, times: 2 } });
  const known = conversation(ID, { returned: null });
  assert.deepEqual(views.newReturn(known, first), { number: 4, times: 1 });
  assert.deepEqual(views.newReturn(first, second), { number: 9, times: 2 });
  assert.equal(views.newReturn(second, second), null);
  assert.equal(views.newReturn(second, known), null);
  assert.equal(views.newReturn(second, undefined), null);
});

test("that a conversation in hand turns imminent is told, unless one raised it oneself", () => {
  const at = (level, escalations = []) => ({ ...store.empty(), you, order: [ID], overview: { conversations: [conversation(ID, { level })], escalations } });
  const by = (raised_by, climbs = 0) => [{ conversation: ID, level: 3, raised_by, climbs }];
  const told = (before, after) => views.turnedImminent(before, after).map((one) => one.id);
  assert.deepEqual(told(at(1), at(3, by(null))), [ID]);
  assert.deepEqual(told(at(1), at(3, by("Dana"))), [ID]);
  assert.deepEqual(told(at(1), at(3, by(you.name))), []);
  assert.deepEqual(told(at(2), at(3, by(you.name, 1))), [ID], "it climbed by itself");
  assert.deepEqual(told(at(3), at(3, by(null))), []);
  assert.deepEqual(told(at(1), at(2)), []);
  assert.deepEqual(told({ ...at(0), order: [] }, at(3)), [], "what was just taken shows its level");
});

test("what a visitor did not say is left out of how they came", () => {
  const words = { in_en: "in English", door_help: "needs help", door_not_said: "not said" };
  assert.equal(views.cameAs(words, conversation(ID)), "needs help · in English");
  assert.equal(views.cameAs(words, conversation(ID, { door: "not_said" })), "in English");
});

test("a drill is over whoever ended it, but not while its visitor may come back, and a visitor's talk is no drill", () => {
  const over = (fields) => views.drillOver(conversation(ID, fields));
  assert.ok(over({ drill: true, ended_by: "visitor" }));
  assert.ok(!over({ drill: true, ended_by: "left_quickly" }));
  assert.ok(!over({ drill: true }));
  assert.ok(!over({ ended_by: "visitor" }));
});
