import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { MOST_CHARACTERS, answered, asking, empty, gone, got, measured, misses, queued, quiet, reduce, takenBack, way } from "../../frontend/static/js/lib/visitor_store.js";

const NOW = 1_000_000;
const ID = "0".repeat(31) + "1";
const AT = "2026-11-24T00:00:00.000Z";
const golden = JSON.parse(readFileSync(new URL("../golden/frames.json", import.meta.url), "utf8")).visitor_events;

const welcome = (more = {}) => ({ type: "welcome", version: 1, state: "waiting", language: "en", head: 0, after: 0, older: false, hidden: false, advocate: null, staffed: true, ...more });
const standing = (more = {}) => ({ type: "standing", state: "waiting", advocate: null, staffed: true, ...more });
const theirs = (seq, body = "hello") => ({ type: "message", seq, author: "advocate", name: "Sam", client_id: null, body, at: AT });
const own = (seq, body = "hi", id = ID) => ({ type: "message", seq, author: "you", name: null, client_id: id, body, at: AT });
const fact = (seq, code, name = null) => ({ type: "fact", seq, code, name, at: AT });
const after = (...frames) => frames.reduce((state, frame) => reduce(state, frame, NOW), empty());

test("every frame that the server can send is taken", () => {
  assert.deepEqual(Object.keys(golden).sort(), ["error", "fact", "message", "ok", "pong", "proof_wanted", "reached", "standing", "typing", "welcome"]);
  for (const [type, frame] of Object.entries(golden)) {
    const frozen = Object.freeze(empty());
    const next = reduce(frozen, frame, NOW);
    assert.deepEqual(Object.keys(next).sort(), Object.keys(frozen).sort(), type);
    assert.ok(Object.values(next).every((value) => value !== undefined), type);
  }
});

test("the golden frames have the fields that this page reads", () => {
  const state = after(golden.welcome);
  assert.equal(state.begun, true);
  assert.equal(state.head, golden.welcome.head);
  assert.equal(state.staffed, golden.welcome.staffed);
  assert.equal(reduce(state, golden.pong, NOW).head, Math.max(golden.pong.head, golden.welcome.head));
  const line = reduce({ ...empty(), last: golden.message.seq - 1 }, golden.message, NOW).lines[0];
  assert.deepEqual([line.seq, line.body, line.own], [golden.message.seq, golden.message.body, golden.message.author === "you"]);
  const told = reduce({ ...empty(), last: golden.fact.seq - 1 }, golden.fact, NOW).lines[0];
  assert.deepEqual([told.seq, told.code, told.name], [golden.fact.seq, golden.fact.code, golden.fact.name]);
});

test("a wait begins with the welcome and ends when somebody joins", () => {
  let state = after(welcome());
  assert.equal(state.waitingFrom, NOW);
  state = reduce(state, standing({ staffed: false }), NOW + 60_000);
  assert.deepEqual([state.waitingFrom, state.staffed], [NOW, false]);
  state = reduce(state, fact(1, "joined", "Sam"), NOW + 90_000);
  assert.deepEqual([state.waitingFrom, state.advocate], [null, "Sam"]);
});

test("who came back by words begins behind the return and is shown nothing older before an advocate says so", () => {
  const hidden = after(welcome({ state: "active", advocate: "Sam", head: 4, after: 4, older: true, hidden: true }), theirs(5, "is it you?"));
  assert.deepEqual([hidden.first, hidden.hidden, hidden.lines.map((line) => line.seq)], [4, true, [5]]);
  const known = reduce(hidden, fact(6, "return_accepted"), NOW);
  assert.deepEqual([known.first, known.hidden], [4, false]);
  const older = [4, 3, 2, 1].reduce((state, seq) => reduce(state, theirs(seq), NOW), known);
  assert.deepEqual([older.first, older.lines.map((line) => line.seq)], [0, [1, 2, 3, 4, 5, 6]]);
  assert.equal(reduce(hidden, welcome({ state: "active", head: 6, after: 5, hidden: false }), NOW).hidden, false, "a new line tells it too");
});

test("an offer still is a wait, and shows nobody", () => {
  const state = after(welcome({ state: "offered", advocate: "Sam" }));
  assert.deepEqual([state.waitingFrom, state.advocate], [NOW, null]);
});

test("coming back to a wait after a broken line does not begin it anew", () => {
  const state = reduce(after(welcome()), welcome(), NOW + 300_000);
  assert.equal(state.waitingFrom, NOW);
});

test("back in the queue is a new wait", () => {
  const state = reduce(after(welcome(), fact(1, "joined", "Sam")), fact(2, "returned_to_queue"), NOW + 5);
  assert.deepEqual([state.waitingFrom, state.advocate], [NOW + 5, null]);
});

test("events are shown once and in order; a gap shows nothing but is known", () => {
  let state = after(welcome(), theirs(1, "a"), theirs(2, "b"), theirs(1, "a"), theirs(2, "b"));
  assert.deepEqual(state.lines.map((line) => line.body), ["a", "b"]);
  assert.equal(misses(state), false);
  state = reduce(state, theirs(4, "d"), NOW);
  assert.deepEqual([state.last, state.lines.length, misses(state)], [2, 2, true]);
  for (const frame of [theirs(3, "c"), theirs(4, "d")]) state = reduce(state, frame, NOW);
  assert.deepEqual(state.lines.map((line) => line.body), ["a", "b", "c", "d"]);
  assert.equal(misses(state), false);
});

test("who missed too much holds only the newest lines, and older ones go before them, once", () => {
  let state = answered(queued(after(welcome(), theirs(1), theirs(2)), { clientId: ID, body: "hi" }, NOW), ID, { ok: true, seq: 290 });
  assert.equal(state.outbox.length, 1);
  for (const frame of [welcome({ head: 302, after: 300, older: true }), theirs(301), theirs(302)]) state = reduce(state, frame, NOW);
  assert.deepEqual(state.lines.map((line) => line.seq), [301, 302]);
  assert.deepEqual([state.first, state.last, misses(state), state.outbox], [300, 302, false, []]);
  for (const frame of [theirs(300), theirs(299), theirs(300), own(298), theirs(299), theirs(302)]) state = reduce(state, frame, NOW);
  assert.deepEqual(state.lines.map((line) => line.seq), [298, 299, 300, 301, 302]);
  assert.deepEqual([state.first, state.last, state.lines[0].own], [297, 302, true]);
});

test("asking twice in vain makes this page hold nothing, and keeps what is on its way", () => {
  const gap = queued(reduce(after(welcome(), theirs(1)), theirs(4), NOW), { clientId: ID, body: "hi" }, NOW);
  const once = asking(gap, false);
  const twice = asking(reduce(once, welcome({ head: 4, after: 1 }), NOW), false);
  assert.deepEqual([once.last, twice.last], [1, 1]);
  const dropped = asking(reduce(twice, welcome({ head: 4, after: 1 }), NOW), false);
  assert.deepEqual([dropped.last, dropped.lines, dropped.begun, dropped.outbox.length, dropped.failures], [0, [], true, 1, 0]);
  const helped = asking(reduce(twice, theirs(2), NOW), false);
  assert.equal(helped.last, 2, "an answer that helped counts anew");
});

test("a log that was set back is fetched from its beginning at the second refusal", () => {
  const ahead = after(welcome(), theirs(1), theirs(2));
  const once = asking(ahead, true);
  assert.equal(once.last, 2);
  assert.equal(asking(once, true).last, 0);
  assert.equal(asking(reduce(once, welcome({ head: 2, after: 2 }), NOW), true).last, 2, "one that was taken counts anew");
});

test("how far staff have got never goes back", () => {
  const reached = (delivered, read) => ({ type: "reached", delivered, read });
  const state = after(welcome(), own(1), own(2), reached(2, 1));
  assert.deepEqual(reduce(state, reached(1, 2), NOW).reached, { delivered: 2, read: 2 });
  assert.equal(reduce(state, reached(2, 1), NOW), state);
});

test("a pong and a welcome tell of events that did not arrive", () => {
  assert.equal(misses(after(welcome({ head: 3 }))), true);
  const state = after(welcome(), theirs(1), { type: "pong", head: 1 });
  assert.equal(misses(state), false);
  assert.equal(misses(reduce(state, { type: "pong", head: 2 }, NOW)), true);
});

test("an own message is on its way until it is acknowledged or its event comes, whichever is first", () => {
  const posted = queued(after(welcome()), { clientId: ID, body: "hi" }, NOW);
  assert.deepEqual(posted.outbox.map((one) => way(one, NOW)), ["sending"]);
  const shown = answered(posted, ID, { ok: true, seq: 1 });
  assert.deepEqual(shown, reduce(posted, own(1), NOW), "the acknowledgement shows what the event would");
  assert.deepEqual([shown.outbox.length, shown.lines.length, shown.lines[0].key, shown.last], [0, 1, ID, 1]);
  assert.deepEqual(reduce(shown, own(1), NOW), shown, "its event may come all the same");
  const eventFirst = answered(reduce(posted, own(1), NOW), ID, { ok: true, seq: 1 });
  assert.deepEqual([eventFirst.outbox.length, eventFirst.lines.length], [0, 1]);
});

test("an own message with lines before it that are missing waits for them", () => {
  const posted = queued(after(welcome(), theirs(1)), { clientId: ID, body: "hi" }, NOW);
  const acknowledged = answered(posted, ID, { ok: true, seq: 3 });
  assert.equal(way(acknowledged.outbox[0], NOW + 60_000), "sent");
  assert.deepEqual([acknowledged.last, acknowledged.lines.length], [1, 1]);
  const shown = reduce(reduce(acknowledged, theirs(2), NOW), own(3), NOW);
  assert.deepEqual([shown.last, shown.lines.map((line) => line.seq), shown.outbox], [3, [1, 2, 3], []]);
});

test("a repeated event of an own message does not show it twice", () => {
  const state = after(welcome(), own(1), own(1));
  assert.equal(state.lines.length, 1);
});

test("after 5 seconds a message is not sent yet, after 15 it can be tried again", () => {
  const [message] = queued(empty(), { clientId: ID, body: "hi" }, NOW).outbox;
  assert.deepEqual([0, 4_999, 5_000, 14_999, 15_000].map((ms) => way(message, NOW + ms)), ["sending", "sending", "unsent", "unsent", "stuck"]);
});

test("trying again keeps the message where it is and begins the time anew", () => {
  let state = queued(empty(), { clientId: ID, body: "first" }, NOW);
  state = queued(state, { clientId: "f".repeat(32), body: "second" }, NOW);
  state = answered(state, ID, { ok: false, code: "ours", wait_ms: null });
  assert.equal(way(state.outbox[0], NOW), "refused");
  state = queued(state, { clientId: ID, body: "first" }, NOW + 20_000);
  assert.deepEqual(state.outbox.map((one) => one.body), ["first", "second"]);
  assert.equal(way(state.outbox[0], NOW + 20_000), "sending");
  assert.deepEqual(takenBack(state, ID).outbox.map((one) => one.body), ["second"]);
});

test("typing is shown only while somebody is there, until a message or silence", () => {
  assert.equal(after(welcome(), { type: "typing" }).typing, false);
  const typing = after(welcome({ state: "active", advocate: "Sam" }), { type: "typing" });
  assert.equal(typing.typing, true);
  assert.equal(quiet(typing).typing, false);
  assert.equal(reduce(typing, theirs(1), NOW).typing, false);
  assert.equal(reduce(typing, own(1), NOW).typing, true);
  assert.equal(reduce(typing, standing(), NOW).typing, false);
});

test("either side ends it, the line was away too long, or this page may no longer see it", () => {
  assert.equal(after(welcome(), fact(1, "ended_by_visitor")).ended, "ended_by_visitor");
  const ended = after(welcome(), fact(1, "ended_by_advocate", "Sam"));
  assert.deepEqual([ended.ended, ended.endedBy, ended.waitingFrom], ["ended_by_advocate", "Sam", null]);
  assert.equal(gone(after(welcome()), 4410).ended, "gone");
  assert.equal(gone(after(welcome(), fact(1, "came_back")), 4401).ended, "moved", "nobody closed it");
  assert.equal(gone(ended, 4401).ended, "ended_by_advocate");
});

test("a frame that changes nothing returns the same state", () => {
  const state = after(welcome(), theirs(1));
  for (const frame of [theirs(1), { type: "pong", head: 1 }, { type: "ok", ref: 1, seq: 1 }, { type: "error", ref: null, code: "ours", wait_ms: null }, { type: "from_the_future" }]) {
    assert.equal(reduce(state, frame, NOW), state);
  }
});

test("length is counted as the server counts it: in characters, without the outer blanks", () => {
  assert.equal(measured("  a\r\nb  ").body, "a\nb");
  assert.equal(measured("\u{1F54A}".repeat(MOST_CHARACTERS)).left, 0);
  assert.equal(measured("x".repeat(MOST_CHARACTERS + 1)).left, -1);
  assert.equal(measured(" \n ").body, "");
});

test("sent, delivered and seen are told apart, and never taken back", () => {
  let state = after(welcome({ head: 2 }), own(1), own(2, "two", "0".repeat(31) + "2"));
  assert.deepEqual([got(state, 1), got(state, 2)], ["sent", "sent"]);
  state = reduce(state, { type: "reached", delivered: 2, read: 1 }, NOW);
  assert.deepEqual([got(state, 1), got(state, 2)], ["seen", "delivered"]);
  state = reduce(state, { type: "reached", delivered: 0, read: 0 }, NOW);
  assert.deepEqual([got(state, 1), got(state, 2)], ["seen", "delivered"]);
});

test("the page knows the language of the conversation", () => {
  assert.equal(after(welcome({ language: "fr" })).language, "fr");
});
