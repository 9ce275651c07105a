import assert from "node:assert/strict";
import { test } from "node:test";

import { dialler } from "../../frontend/static/js/lib/poll.js";
import { openLine } from "../../frontend/static/js/lib/socket.js";
import { fakeClock, fakeSockets } from "./fakes.js";

/** Let promises that are settled tell so. */
const settled = async () => {
  for (let times = 0; times < 8; times++) await new Promise((resolve) => setImmediate(resolve));
};

/** @returns what stands in for `fetch`, and what was asked of it */
function fakeServer() {
  const asked = [];
  const request = (path, { body, signal }) =>
    new Promise((resolve, reject) => {
      const one = {
        path,
        body: JSON.parse(body),
        open: true,
        answers: (frames, more = {}) => ((one.open = false), resolve({ ok: true, status: 200, json: async () => ({ frames, mark: "m1", close: null, ...more }) })),
        refuses: (status) => ((one.open = false), resolve({ ok: false, status })),
        breaks: () => ((one.open = false), reject(new TypeError("network"))),
      };
      signal.addEventListener("abort", () => ((one.open = false), reject(new DOMException("aborted", "AbortError"))));
      asked.push(one);
    });
  return { request, asked, newest: (path) => asked.filter((one) => one.path === path).at(-1) };
}

/** @param {boolean} [late] whether what stands in is there only when `arrives` is called, as on a page */
function line(late = false) {
  const clock = fakeClock();
  const sockets = fakeSockets();
  const server = fakeServer();
  const frames = [];
  const states = [];
  let [tried, newest] = [0, null];
  const given = { WebSocketClass: sockets.FakeSocket, request: server.request, timers: clock };
  let dialled = late ? sockets.FakeSocket : dialler(given);
  const made = openLine({
    url: "ws://test/ws/v",
    hello: () => ({ type: "hello", token: "t", after: frames.reduce((most, frame) => Math.max(most, frame.seq ?? 0), 0), start: true }),
    onFrame: (frame) => frames.push(frame),
    onState: (name) => states.push(name),
    WebSocketClass: function (url) {
      tried += 1;
      return (newest = new dialled(url));
    },
    clock,
    random: () => 0.5,
    wakes: () => () => undefined,
  });
  const arrives = () => (dialled = dialler({ ...given, tried, newest }));
  return { ...made, clock, sockets, server, frames, states, arrives };
}

/** Let three sockets fail, and return the line that polls. */
async function polling() {
  const one = line();
  for (let times = 1; times <= 3; times++) {
    assert.equal(one.sockets.all.length, times);
    one.sockets.newest().breaks();
    one.clock.pass(4_500);
  }
  await settled();
  return one;
}

const welcome = { type: "welcome", head: 0 };
const theirs = (seq) => ({ type: "message", seq, body: `line ${seq}` });

test("three sockets in a row without a welcome, and the line polls with the same cursor and frames", async () => {
  const one = await polling();
  assert.equal(one.sockets.all.length, 3);
  assert.deepEqual(one.server.asked.map(({ path, body }) => [path, body.hello.after, body.mark]), [["/poll", 0, ""]]);
  one.server.newest("/poll").answers([welcome, theirs(1), theirs(2)]);
  await settled();
  assert.equal(one.states.at(-1), "open");
  assert.deepEqual(one.frames, [welcome, theirs(1), theirs(2)]);
  const { hello, mark } = one.server.newest("/poll").body;
  assert.deepEqual([hello.after, mark, hello.start, hello.token], [2, "m1", false, "t"]);
});

test("one socket that opens and stays silent is enough", async () => {
  const one = line();
  one.sockets.newest().opens();
  one.clock.pass(15_000);
  one.clock.pass(2_000);
  await settled();
  assert.deepEqual([one.sockets.all.length, one.server.asked.length], [1, 1]);
});

/** Let sockets fail until the line polls, and return how many there have been. */
async function failing(one) {
  for (let times = 0; times < 9 && one.server.asked.length === 0; times++) {
    if (one.sockets.newest().readyState !== 3) one.sockets.newest().breaks();
    one.clock.pass(4_500);
    await settled();
  }
  return one.sockets.all.length;
}

test("those that were dialled before what stands in was there count as well", async () => {
  for (const [earlier, before] of [[0, 3], [1, 3], [2, 3], [4, 5]]) {
    const one = line(true);
    for (let times = 0; times < earlier; times++) {
      one.sockets.newest().breaks();
      one.clock.pass(8_500);
    }
    one.arrives();
    assert.equal(await failing(one), before, `${earlier} had failed, and one was under way`);
  }
});

test("one that failed, with none dialled since, counts once", async () => {
  const one = line(true);
  one.sockets.newest().breaks();
  one.arrives();
  assert.equal(await failing(one), 3);
});

test("one dialled before that opens and stays silent is enough", async () => {
  const one = line(true);
  one.arrives();
  one.sockets.newest().opens();
  one.clock.pass(15_000);
  one.sockets.newest().breaks(1000); // the answer to our giving it up
  one.clock.pass(2_000);
  await settled();
  assert.deepEqual([one.sockets.all.length, one.server.asked.length], [1, 1]);
});

test("one dialled before that is greeted is no failure, whether that is seen or not", async () => {
  for (const seen of [true, false]) {
    const one = line(true);
    if (seen) one.arrives();
    one.sockets.newest().greets();
    if (!seen) one.arrives();
    assert.equal(await failing(one), 4);
  }
});

test("one dialled before that the server closes, or that says why it does not greet, is not silent", async () => {
  for (const frame of [null, { type: "error", ref: null, code: "ahead_of_log" }]) {
    const one = line(true);
    one.arrives();
    one.sockets.newest().opens();
    if (frame) one.sockets.newest().says(frame);
    assert.equal(await failing(one), 3);
  }
});

test("a socket that the server closes, or that says why it does not greet, is not silent", async () => {
  const one = line();
  one.sockets.newest().opens();
  one.sockets.newest().breaks(4503);
  one.clock.pass(5_000);
  one.sockets.newest().opens();
  one.sockets.newest().says({ type: "error", ref: null, code: "ahead_of_log" });
  one.reconnect();
  one.clock.pass(5_000);
  await settled();
  assert.deepEqual([one.sockets.all.length, one.server.asked.length], [3, 0]);
});

test("a welcomed socket that breaks is no failure", async () => {
  const one = line();
  for (let times = 0; times < 6; times++) {
    one.sockets.newest().greets();
    one.sockets.newest().breaks();
    one.clock.pass(4_500);
  }
  await settled();
  assert.equal(one.server.asked.length, 0);
});

test("commands go out one after the other, beside the waiting poll, and are answered", async () => {
  const one = await polling();
  one.server.newest("/poll").answers([welcome]);
  await settled();
  const [first, second] = [one.command({ type: "post", body: "a" }), one.command({ type: "post", body: "b" })];
  await settled();
  assert.equal(one.server.asked.filter((asked) => asked.path === "/send").length, 1);
  const sent = one.server.newest("/send");
  assert.deepEqual([sent.body.token, sent.body.frame.body], ["t", "a"]);
  sent.answers([{ type: "ok", ref: sent.body.frame.ref, seq: 5 }]);
  await settled();
  const then = one.server.newest("/send");
  assert.equal(then.body.frame.body, "b");
  then.answers([{ type: "error", ref: then.body.frame.ref, code: "text_empty" }]);
  assert.deepEqual([await first, await second], [{ ok: true, seq: 5 }, { ok: false, code: "text_empty", wait_ms: null }]);
  assert.equal(one.server.newest("/poll").open, true);
});

test("a break between two polls is a lost line, and an unanswered command goes out again", async () => {
  const one = await polling();
  one.server.newest("/poll").answers([welcome, theirs(1)]);
  await settled();
  const answer = one.command({ type: "post", body: "a" });
  await settled();
  one.server.newest("/send").breaks();
  await settled();
  assert.equal(one.states.at(-1), "lost");
  assert.equal(one.server.asked.some((asked) => asked.open), false);
  for (let times = 0; times < 2 && one.states.at(-1) === "lost"; times++) {
    one.clock.pass(4_500);
    await settled();
    if (one.server.newest("/poll").open) one.server.newest("/poll").answers([welcome]);
    await settled();
  }
  assert.equal(one.server.newest("/send").body.frame.body, "a");
  one.server.newest("/send").answers([{ type: "ok", ref: 1, seq: 2 }]);
  assert.deepEqual(await answer, { ok: true, seq: 2 });
});

test("a close code in an answer means what it means on a socket", async () => {
  const one = await polling();
  one.server.newest("/poll").answers([{ type: "error", ref: null, code: "token_spent" }], { close: 4410 });
  await settled();
  assert.equal(one.states.at(-1), "stopped");
  assert.equal(one.clock.pending(), 0);
});

test("a server that is busy or gone is asked again, by a socket and by a poll in turn", async () => {
  const one = await polling();
  one.server.newest("/poll").refuses(503);
  await settled();
  one.clock.pass(4_500);
  assert.equal(one.sockets.all.length, 4);
  one.sockets.newest().breaks();
  one.clock.pass(4_500);
  await settled();
  assert.equal(one.server.asked.length, 2);
});

/** Poll until the socket is tried beside, and return that one. */
async function trialOf(one) {
  one.server.newest("/poll").answers([welcome, theirs(1)]);
  await settled();
  for (let turn = 0; turn < 45; turn++) {
    one.clock.pass(4_000);
    one.server.newest("/poll").answers([{ type: "pong", head: 1 }]);
    if (one.server.newest("/send")?.open) one.server.newest("/send").answers([{ type: "pong", head: 1 }]);
    await settled();
  }
  assert.equal(one.sockets.all.length, 4);
  one.sockets.newest().opens();
  return one.sockets.newest();
}

test("going over to the socket takes along what is under way and what waits behind it", async () => {
  const one = await polling();
  const trial = await trialOf(one);
  const answers = [one.command({ type: "post", body: "a" }), one.command({ type: "end" })];
  await settled();
  assert.equal(one.server.newest("/send").body.frame.body, "a");
  trial.says({ type: "welcome", head: 1 });
  await settled();
  assert.equal(one.server.newest("/send").open, false);
  assert.deepEqual(trial.sent.map(({ type }) => type), ["hello", "post", "end"], "each once, in order, after the hello");
  trial.commands().forEach(({ ref }) => trial.says({ type: "ok", ref, seq: null }));
  assert.deepEqual((await Promise.all(answers)).map(({ ok }) => ok), [true, true]);
});

test("what was answered over polls is not sent again on the socket", async () => {
  const one = await polling();
  const trial = await trialOf(one);
  void one.command({ type: "post", body: "a" });
  await settled();
  one.server.newest("/send").answers([{ type: "ok", ref: 1, seq: 2 }]);
  await settled();
  trial.says({ type: "welcome", head: 2 });
  await settled();
  assert.deepEqual(trial.commands(), []);
});

test("after some minutes the socket is tried beside the polls, and taken when it answers", async () => {
  const one = await polling();
  const trial = await trialOf(one);
  assert.equal(one.states.filter((name) => name === "lost").length, 3, "nobody saw it");
  assert.deepEqual([trial.sent[0].type, trial.sent[0].after, trial.sent[0].start], ["hello", 1, false]);
  trial.says({ type: "welcome", head: 1 });
  await settled();
  assert.equal(one.server.asked.some((asked) => asked.open), false, "the poll ended");
  trial.says(theirs(2));
  assert.deepEqual(one.frames.at(-1), theirs(2));
  void one.command({ type: "post", body: "on the socket" });
  assert.equal(trial.commands().at(-1).body, "on the socket");
});

test("a trial that stays silent is dropped, and the polls go on", async () => {
  const one = await polling();
  one.server.newest("/poll").answers([welcome]);
  await settled();
  for (let turn = 0; turn < 49; turn++) {
    one.clock.pass(4_000);
    one.server.newest("/poll").answers([{ type: "pong", head: 0 }]);
    if (one.server.newest("/send")?.open) one.server.newest("/send").answers([{ type: "pong", head: 0 }]);
    await settled();
  }
  assert.equal(one.sockets.all.length, 4);
  assert.notEqual(one.sockets.newest().closedWith, null);
  assert.equal(one.states.at(-1), "open");
  assert.equal(one.server.newest("/poll").open, true);
});

test("closing ends the poll and leaves no timer behind", async () => {
  const one = await polling();
  one.server.newest("/poll").answers([welcome]);
  await settled();
  one.close(4001);
  await settled();
  assert.equal(one.server.asked.some((asked) => asked.open), false);
  assert.equal(one.clock.pending(), 0);
});
