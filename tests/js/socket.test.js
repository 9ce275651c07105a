import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_FRAME_BYTES, openLine } from "../../frontend/static/js/lib/socket.js";
import { fakeClock, fakeSockets } from "./fakes.js";

function line({ random = () => 0.5 } = {}) {
  const clock = fakeClock();
  const sockets = fakeSockets();
  const frames = [];
  const states = [];
  let wake = () => undefined;
  let listening = true;
  let hellos = 0;
  const made = openLine({
    ping: () => ({ type: "ping", read: 7 }),
    url: "ws://test/ws/v",
    hello: () => ({ type: "hello", count: ++hellos }),
    onFrame: (frame) => frames.push(frame),
    onState: (name, detail) => states.push(detail?.code === undefined ? name : `${name} ${detail.code}`),
    WebSocketClass: sockets.FakeSocket,
    clock,
    random,
    wakes(work) {
      wake = work;
      return () => (listening = false);
    },
  });
  return { ...made, clock, sockets, frames, states, wake: () => wake(), listening: () => listening, socket: () => sockets.newest() };
}

/** Let promises that are settled tell so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("says hello first and is open after the welcome", () => {
  const one = line();
  assert.deepEqual(one.states, ["connecting"]);
  one.socket().opens();
  assert.deepEqual(one.socket().sent, [{ type: "hello", count: 1 }]);
  assert.deepEqual(one.states, ["connecting"]);
  one.socket().says({ type: "welcome", head: 0 });
  assert.deepEqual(one.states, ["connecting", "open"]);
  assert.deepEqual(one.frames, [{ type: "welcome", head: 0 }]);
});

test("a command before the welcome waits for it", async () => {
  const one = line();
  const answer = one.command({ type: "post", body: "a" });
  one.socket().opens();
  assert.equal(one.socket().commands().length, 0);
  one.socket().says({ type: "welcome" });
  assert.deepEqual(one.socket().commands(), [{ type: "post", body: "a", ref: 1 }]);
  one.socket().says({ type: "ok", ref: 1, seq: 7 });
  assert.deepEqual(await answer, { ok: true, seq: 7 });
});

test("unanswered commands go out again, in order, with their first refs; answered ones do not", async () => {
  const one = line();
  one.socket().greets();
  const answers = ["a", "b", "c"].map((body) => one.command({ type: "post", body }));
  one.socket().says({ type: "ok", ref: 2, seq: 1 });
  one.socket().breaks();
  one.clock.pass(500);
  one.socket().opens();
  assert.equal(one.socket().commands().length, 0, "not before the welcome");
  one.socket().says({ type: "welcome" });
  assert.deepEqual(one.socket().commands().map((frame) => [frame.ref, frame.body]), [[1, "a"], [3, "c"]]);
  one.socket().says({ type: "ok", ref: 1, seq: 2 });
  one.socket().says({ type: "error", ref: 3, code: "text_empty" });
  assert.deepEqual(await Promise.all(answers), [
    { ok: true, seq: 2 },
    { ok: true, seq: 1 },
    { ok: false, code: "text_empty", wait_ms: null },
  ]);
});

test("an answer that comes twice, or to nobody, is passed over", async () => {
  const one = line();
  one.socket().greets();
  const answer = one.command({ type: "end" });
  one.socket().says({ type: "ok", ref: 1 });
  one.socket().says({ type: "ok", ref: 1, seq: 9 });
  one.socket().says({ type: "error", ref: 77, code: "ours" });
  assert.deepEqual(await answer, { ok: true, seq: null });
  assert.deepEqual(one.frames, [{ type: "welcome" }]);
});

test("an error without a ref is an event", () => {
  const one = line();
  one.socket().greets();
  one.socket().says({ type: "error", ref: null, code: "bad_frame" });
  assert.deepEqual(one.frames.at(-1), { type: "error", ref: null, code: "bad_frame" });
});

test("slow_down holds everything back for as long as the server asks, and loses nothing", async () => {
  const one = line();
  one.socket().greets();
  const first = one.command({ type: "post", body: "a" });
  one.socket().says({ type: "error", ref: 1, code: "slow_down", wait_ms: 3_000 });
  const second = one.command({ type: "post", body: "b" });
  one.clock.pass(2_900);
  assert.equal(one.socket().commands().length, 1);
  one.clock.pass(200);
  assert.deepEqual(one.socket().commands().map((frame) => frame.body), ["a", "a", "b"]);
  one.socket().says({ type: "ok", ref: 1, seq: 1 });
  one.socket().says({ type: "ok", ref: 2, seq: 2 });
  assert.deepEqual([await first, await second], [{ ok: true, seq: 1 }, { ok: true, seq: 2 }]);
});

test("pings after 20 to 25 seconds, and gives a silent line up 10 seconds later", () => {
  const one = line();
  one.socket().greets();
  const first = one.socket();
  one.clock.pass(22_400);
  assert.equal(first.sent.length, 1);
  one.clock.pass(100);
  assert.deepEqual(first.sent.at(-1), { type: "ping", read: 7 });
  one.clock.pass(9_900);
  assert.equal(one.states.at(-1), "open");
  one.clock.pass(200);
  assert.equal(one.states.at(-1), "lost");
  assert.equal(first.closedWith, 1000);
  one.clock.pass(500);
  assert.notEqual(one.socket(), first);
});

test("any frame shows that the line is alive, and the server still hears a ping within the minute", () => {
  const one = line();
  one.socket().greets();
  for (let second = 0; second < 300; second += 5) {
    one.clock.pass(5_000);
    one.socket().says({ type: "typing" });
  }
  assert.equal(one.sockets.all.length, 1);
  const pings = one.socket().sent.filter((frame) => frame.type === "ping").length;
  assert.ok(pings >= 10 && pings <= 15, `${pings} pings in 300 seconds`);
});

test("a command into a dead line finds out within 10 seconds", () => {
  const one = line();
  one.socket().greets();
  void one.command({ type: "post", body: "a" });
  one.clock.pass(10_100);
  assert.equal(one.states.at(-1), "lost");
  one.clock.pass(500);
  one.socket().greets();
  assert.equal(one.socket().commands().length, 1);
});

test("a server that accepts and says nothing is given up", () => {
  const one = line();
  one.socket().opens();
  one.clock.pass(15_100);
  assert.equal(one.states.at(-1), "lost");
});

test("waits longer each time, up to 30 seconds, and anew after a stable minute", () => {
  const one = line({ random: () => 0.999 });
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const broken = one.socket();
    broken.breaks();
    let waited = 0;
    while (one.socket() === broken) {
      one.clock.pass(100);
      waited += 100;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  one.socket().greets();
  one.clock.pass(15_000);
  one.socket().breaks();
  one.clock.pass(29_000);
  assert.equal(one.sockets.all.length, 9, "15 seconds are not stable");
  one.clock.pass(1_000);
  one.socket().greets();
  for (let times = 0; times < 6; times++) {
    one.clock.pass(12_000);
    one.socket().says({ type: "typing" });
  }
  one.socket().breaks();
  one.clock.pass(500);
  assert.equal(one.sockets.all.length, 11);
});

test("the waits are spread from nothing to the full wait", () => {
  const one = line({ random: () => 0 });
  one.socket().breaks();
  one.clock.pass(0);
  assert.equal(one.sockets.all.length, 2);
});

for (const code of [1012, 4503]) {
  test(`close code ${code} spreads the return over seconds`, () => {
    const one = line({ random: () => 0.9 });
    one.socket().greets();
    one.socket().breaks(code);
    assert.equal(one.states.at(-1), `lost ${code}`);
    one.clock.pass(4_400);
    assert.equal(one.sockets.all.length, 1);
    one.clock.pass(200);
    assert.equal(one.sockets.all.length, 2);
  });
}

test("close code 4429 waits at least as long as the server asked", () => {
  const one = line({ random: () => 0 });
  one.socket().greets();
  one.socket().says({ type: "error", ref: null, code: "slow_down", wait_ms: 20_000 });
  one.socket().breaks(4429);
  one.clock.pass(19_900);
  assert.equal(one.sockets.all.length, 1);
  one.clock.pass(200);
  assert.equal(one.sockets.all.length, 2);
});

for (const [code, reason] of [[4400, "version_unknown"], [4401, "sign_in_again"], [4403, "forbidden"], [4410, "wrong_state"]]) {
  test(`close code ${code} ends the line and refuses what is open`, async () => {
    const one = line();
    one.socket().greets();
    const answer = one.command({ type: "end" });
    one.socket().breaks(code);
    assert.equal(one.states.at(-1), `stopped ${code}`);
    assert.deepEqual(await answer, { ok: false, code: reason, wait_ms: null });
    assert.equal(one.listening(), false);
    one.wake();
    one.reconnect();
    one.clock.pass(120_000);
    assert.equal(one.sockets.all.length, 1);
    assert.equal(one.clock.pending(), 0);
    assert.deepEqual(await one.command({ type: "end" }), { ok: false, code: "ours", wait_ms: null });
  });
}

test("the reason that the server gave before it closed is the refusal", async () => {
  const one = line();
  const answer = one.command({ type: "post", body: "a" });
  one.socket().opens();
  one.socket().says({ type: "error", ref: null, code: "token_spent" });
  one.socket().breaks(4410);
  assert.equal((await answer).code, "token_spent");
});

test("a page that wakes asks at once whether the line is alive", () => {
  const one = line();
  one.socket().greets();
  one.wake();
  assert.deepEqual(one.socket().sent.at(-1), { type: "ping", read: 7 });
  one.socket().breaks();
  one.clock.pass(1_000);
  one.socket().breaks();
  one.clock.pass(1_000);
  one.socket().breaks();
  const before = one.sockets.all.length;
  one.clock.pass(1_000);
  one.wake();
  assert.equal(one.sockets.all.length, before + 1, "and does not wait for its turn");
});

test("waking again and again makes no storm", () => {
  const one = line();
  one.socket().breaks();
  for (let times = 0; times < 50; times++) one.wake();
  assert.equal(one.sockets.all.length, 1);
});

test("reconnect fetches anew at once, but keeps to the waits when it is called in a loop", () => {
  const one = line();
  one.socket().greets();
  one.clock.pass(5_000);
  one.reconnect();
  assert.equal(one.sockets.all.length, 2);
  assert.equal(one.sockets.all[0].closedWith, 1000);
  for (let times = 0; times < 20; times++) one.reconnect();
  assert.equal(one.sockets.all.length, 2);
  one.clock.pass(2_000);
  assert.equal(one.sockets.all.length, 3);
});

test("the old socket of a reconnect is heard no more", () => {
  const one = line();
  one.socket().greets();
  const old = one.socket();
  one.clock.pass(5_000);
  one.reconnect();
  old.says({ type: "message", seq: 1 });
  old.breaks();
  assert.equal(one.frames.length, 1);
  assert.equal(one.sockets.all.length, 2);
});

test("send is dropped when the line is not open", () => {
  const one = line();
  one.send({ type: "typing" });
  one.socket().greets();
  one.send({ type: "typing" });
  assert.equal(one.socket().sent.filter((frame) => frame.type === "typing").length, 1);
});

test("a frame that the server would close the line over is refused here", async () => {
  const one = line();
  one.socket().greets();
  const body = "\u{1F54A}".repeat(MOST_FRAME_BYTES / 4);
  assert.deepEqual(await one.command({ type: "post", body }), { ok: false, code: "too_large", wait_ms: null });
  assert.equal(one.socket().commands().length, 0);
});

test("what is not JSON breaks the line, not the page", () => {
  const one = line();
  one.socket().greets();
  one.socket().says("{");
  assert.equal(one.states.at(-1), "lost");
});

test("a browser that refuses to open a socket is asked again later", () => {
  const one = line();
  one.socket().breaks();
  one.sockets.FakeSocket.refuses = true;
  one.clock.pass(60_000);
  one.sockets.FakeSocket.refuses = false;
  one.clock.pass(30_000);
  assert.equal(one.sockets.all.length, 2);
});

test("close ends the line with its code and leaves no timer behind", async () => {
  const one = line();
  one.socket().greets();
  const answer = one.command({ type: "post", body: "a" });
  one.close(4001);
  await settled();
  assert.equal(one.socket().closedWith, 4001);
  assert.equal(one.states.at(-1), "stopped");
  assert.equal((await answer).ok, false);
  assert.equal(one.clock.pending(), 0);
});
