/**
 * A line that comes back by itself and loses no command.
 *
 * What it speaks stands in docs/protocol.md.
 *
 * @typedef {import("../line").Answer} Answer
 * @typedef {import("../line").LineState} LineState
 * @typedef {import("../line").Clock} Clock
 * @typedef {import("../line").Line} Line
 */

export const MOST_FRAME_BYTES = 65_536;

const PING_AFTER = 20_000;
const PING_SPREAD = 5_000;
const DEAD_AFTER = 10_000;
const WELCOME_WITHIN = 15_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const STABLE_AFTER = 60_000;
const RESTART_SPREAD = 5_000;
const OVERLOAD_WAIT = 5_000;
const SOONEST_AGAIN = 1_000;

/** Close codes after which coming back is useless, and how unanswered commands are then refused. */
const STOPS = new Map([
  [4400, "version_unknown"],
  [4401, "sign_in_again"],
  [4403, "forbidden"],
  [4410, "wrong_state"],
]);

/** @type {Clock} */
const realClock = {
  now: () => Date.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (handle) => clearTimeout(/** @type {ReturnType<typeof setTimeout>} */ (handle)),
};

/**
 * Call `wake` whenever the page may have slept or changed networks; return what stops that.
 *
 * @param {() => void} wake
 */
function pageWakes(wake) {
  const shown = () => document.visibilityState === "visible" && wake();
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", wake);
  document.addEventListener("visibilitychange", shown);
  return () => {
    window.removeEventListener("online", wake);
    window.removeEventListener("pageshow", wake);
    document.removeEventListener("visibilitychange", shown);
  };
}

/**
 * Open a line.
 *
 * `onFrame` gets every frame except the `ok` and `error` of a command; `detail.code` is a close code. A command is sent
 * again, in order, after each welcome until it is answered; `slow_down` is waited out here. At the end of the line
 * unanswered commands are refused.
 *
 * @template {{type: string}} Event
 * @param {import("../line").Options<Event>} options
 * @returns {Line}
 */
export function openLine({ url, hello, ping = () => ({ type: "ping" }), onFrame, onState, WebSocketClass = WebSocket, clock = realClock, random = Math.random, wakes = pageWakes }) {
  /** @type {WebSocket | null} */
  let socket = null;
  let welcomed = false;
  let stopped = false;
  let attempts = 0;
  let openedAt = Infinity;
  let triedAt = -Infinity;
  let nextRef = 1;
  /** Until when the server wants nothing sent. */
  let heldUntil = 0;
  /** The last error without a command: the reason of a close that follows. @type {string | null} */
  let refusal = null;
  /** What is not answered yet; `sent` is about the present connection. @type {Map<number, {text: string, sent: boolean, resolve: (answer: Answer) => void}>} */
  const waiting = new Map();
  /** @type {Record<"again" | "ping" | "dead" | "hold", unknown>} */
  const timers = { again: null, ping: null, dead: null, hold: null };

  /** @param {keyof typeof timers} name @param {number} ms @param {() => void} work */
  function later(name, ms, work) {
    clear(name);
    timers[name] = clock.setTimeout(() => {
      timers[name] = null;
      work();
    }, ms);
  }

  /** @param {keyof typeof timers} name */
  function clear(name) {
    if (timers[name] !== null) clock.clearTimeout(timers[name]);
    timers[name] = null;
  }

  function connect() {
    clear("again");
    refusal = null;
    triedAt = clock.now();
    later("dead", WELCOME_WITHIN, lost);
    try {
      const fresh = new WebSocketClass(url);
      fresh.onopen = () => fresh.send(JSON.stringify(hello()));
      fresh.onmessage = (event) => received(event.data);
      fresh.onclose = (event) => lost(event.code); // an error is always followed by a close
      socket = fresh;
    } catch {
      lost();
    }
  }

  /** @param {unknown} data */
  function received(data) {
    let frame;
    try {
      frame = JSON.parse(String(data));
    } catch {
      return lost();
    }
    if (frame.type === "welcome" && !welcomed) greeted();
    else if (welcomed) heard();
    if ((frame.type === "ok" || frame.type === "error") && typeof frame.ref === "number") return answered(frame);
    if (frame.type === "error") refusal = frame.code;
    if (frame.type === "error" && frame.code === "slow_down") hold(frame.wait_ms);
    return onFrame(frame);
  }

  function greeted() {
    welcomed = true;
    openedAt = clock.now();
    clear("dead");
    nextPing();
    onState("open");
    flush();
  }

  /** @param {{type: string, ref: number, seq?: number | null, code: string, wait_ms?: number | null}} frame */
  function answered(frame) {
    const command = waiting.get(frame.ref);
    if (command === undefined) return;
    if (frame.type === "error" && frame.code === "slow_down") {
      hold(frame.wait_ms);
      command.sent = false;
      flush();
      return;
    }
    waiting.delete(frame.ref);
    if (frame.type === "ok") command.resolve({ ok: true, seq: frame.seq ?? null });
    else command.resolve({ ok: false, code: frame.code, wait_ms: frame.wait_ms ?? null });
  }

  /** @param {number | null | undefined} wait */
  function hold(wait) {
    heldUntil = Math.max(heldUntil, clock.now() + (wait ?? OVERLOAD_WAIT));
  }

  /** Send every command that this connection has not carried yet, oldest first. */
  function flush() {
    const wait = heldUntil - clock.now();
    if (!welcomed || waiting.size === 0) return;
    if (wait > 0) return later("hold", wait, flush);
    for (const command of waiting.values()) {
      if (!command.sent) socket?.send(command.text);
      command.sent = true;
    }
    if (timers.dead === null) later("dead", DEAD_AFTER, lost);
  }

  /** Note that the other side is alive. */
  function heard() {
    clear("dead");
    // not from the timer that pings: hidden tabs hold back chains of timers to one a minute, and the server gives up then
    if (timers.ping === null) nextPing();
  }

  function nextPing() {
    later("ping", PING_AFTER + random() * PING_SPREAD, probe);
  }

  /** Find out at once whether the line is alive; connect when there is none. */
  function probe() {
    if (stopped) return;
    if (socket === null) {
      if (clock.now() - triedAt >= SOONEST_AGAIN) connect();
      return;
    }
    if (!welcomed) return;
    clear("ping");
    socket.send(JSON.stringify(ping()));
    if (timers.dead === null) later("dead", DEAD_AFTER, lost);
  }

  /** @param {number} [code] */
  function lost(code) {
    drop(1000);
    if (stopped) return;
    if (code !== undefined && STOPS.has(code)) {
      const error = refusal ?? STOPS.get(code) ?? "ours";
      stop(error);
      return onState("stopped", { code, error });
    }
    if (clock.now() - openedAt >= STABLE_AFTER) attempts = 0;
    openedAt = Infinity;
    later("again", waitAfter(code), connect);
    attempts += 1;
    return onState("lost", code === undefined ? {} : { code });
  }

  /** @param {number | undefined} code */
  function waitAfter(code) {
    const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts);
    if (code === 4429) return Math.max(heldUntil - clock.now(), OVERLOAD_WAIT) + random() * most;
    return random() * (code === 1012 || code === 4503 ? Math.max(RESTART_SPREAD, most) : most);
  }

  /** Let go of the socket without waiting for its close, which a dead line delays by minutes. @param {number} code */
  function drop(code) {
    for (const name of /** @type {const} */ (["again", "ping", "dead", "hold"])) clear(name);
    for (const command of waiting.values()) command.sent = false;
    welcomed = false;
    const old = socket;
    socket = null;
    if (old === null) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close(code);
  }

  /** @param {string} code the refusal of everything that is unanswered */
  function stop(code) {
    stopped = true;
    sleep();
    const left = [...waiting.values()];
    waiting.clear();
    for (const { resolve } of left) resolve({ ok: false, code, wait_ms: null });
  }

  const sleep = wakes(probe);
  onState("connecting");
  connect();

  return {
    command(frame) {
      const ref = nextRef++;
      const text = JSON.stringify({ ...frame, ref });
      return new Promise((resolve) => {
        if (stopped) return resolve({ ok: false, code: "ours", wait_ms: null });
        // the server would close the line over it, and the repeat would close it again
        if (new TextEncoder().encode(text).length > MOST_FRAME_BYTES) return resolve({ ok: false, code: "too_large", wait_ms: null });
        waiting.set(ref, { text, sent: false, resolve });
        return flush();
      });
    },
    send(frame) {
      if (welcomed) socket?.send(JSON.stringify(frame));
    },
    reconnect() {
      if (stopped) return;
      // twice in a second is a loop: the second one keeps to the waiting times
      const soon = clock.now() - triedAt < SOONEST_AGAIN;
      if (socket !== null || !soon) lost();
      if (!soon) connect();
    },
    close(code = 1000) {
      if (stopped) return;
      drop(code);
      stop("ours");
      onState("stopped", {});
    },
  };
}
