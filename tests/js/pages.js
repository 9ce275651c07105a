/**
 * The browser's half of tests/property: real lines and real stores, on a clock and a network that the test holds.
 *
 * One question a line on stdin, one answer a line on stdout. What the pages do to their sockets comes back with every
 * answer, in order: `["open", n, side]`, `["send", n, text]`, `["close", n]`.
 */
import { createInterface } from "node:readline";

import * as consoleStore from "../../frontend/static/js/lib/console_store.js";
import { openLine } from "../../frontend/static/js/lib/socket.js";
import * as visitorStore from "../../frontend/static/js/lib/visitor_store.js";
import { fakeClock } from "./fakes.js";

const VERSION = 1;
const CATCH_UP_WITHIN = 3_000;
const TRY_AGAIN_AFTER = 5_000;

let clock = fakeClock();
let sockets = [];
let done = [];
let pages = {};

/** Return the options with which a page opens its line here. @param {string} side */
function network(side) {
  class Socket {
    constructor() {
      this.n = sockets.push(this) - 1;
      done.push(["open", this.n, side]);
    }
    send(text) {
      done.push(["send", this.n, text]);
    }
    close() {
      done.push(["close", this.n]);
    }
  }
  return { url: "ws://test/", WebSocketClass: Socket, clock, random: () => 0.5, wakes: () => () => undefined };
}

/** What `visitor/main.js` does between line and store. @param {string} token @param {boolean} begun */
function visitorPage(token, begun = false) {
  let state = { ...visitorStore.empty(), begun };
  let behind;
  const answers = {};
  const line = openLine({
    ...network("visitor"),
    hello: () => ({ type: "hello", version: VERSION, token, after: state.last, start: !state.begun, language: "en" }),
    ping: () => ({ type: "ping", delivered: state.last, read: state.last }),
    onFrame: heard,
    onState: () => undefined,
  });

  function askAgain(refused) {
    clock.clearTimeout(behind);
    state = visitorStore.asking(state, refused);
    line.reconnect();
  }

  function heard(frame) {
    state = visitorStore.reduce(state, frame, clock.now());
    clock.clearTimeout(behind);
    if (frame.type === "error" && frame.code === "ahead_of_log") askAgain(true);
    // as somebody does who is shown the button for it
    else if (frame.code === "return_accepted") void line.command({ type: "older", before: state.first + 1 });
    else if ((frame.type === "message" || frame.type === "fact") && frame.seq > state.last) askAgain(false);
    else if (visitorStore.misses(state)) behind = clock.setTimeout(() => visitorStore.misses(state) && askAgain(false), CATCH_UP_WITHIN);
  }

  function say({ id, body }) {
    state = visitorStore.queued(state, { clientId: id, body }, clock.now());
    void line.command({ type: "post", client_id: id, body }).then((answer) => {
      state = visitorStore.answered(state, id, answer);
      answers[id] = answer.ok ? answer.seq : answer.code;
      if (answer.code === "ours") clock.setTimeout(() => say({ id, body }), TRY_AGAIN_AFTER);
    });
  }
  return { say, close: line.close, view: () => ({ ...state, answers }) };
}

/** What `console/main.js` does between line and store. */
function staffPage() {
  let state = consoleStore.empty();
  const answers = {};
  const line = openLine({
    ...network("staff"),
    hello: () => ({ type: "hello", version: VERSION, follow: consoleStore.holding(state) }),
    onFrame: heard,
    onState: () => undefined,
  });

  function heard(frame) {
    state = consoleStore.reduce(state, frame, clock.now());
    for (const wanted of consoleStore.toFollow(state)) {
      state = consoleStore.asked(state, wanted.conversation);
      void line.command({ type: "follow", ...wanted }).then((answer) => {
        if (!answer.ok) state = consoleStore.forgotten(state, wanted.conversation);
      });
    }
  }

  function say({ conversation, id, body, kind }) {
    state = consoleStore.queued(state, conversation, { clientId: id, kind, body });
    void line.command({ type: kind, conversation, client_id: id, body }).then((answer) => {
      state = consoleStore.answered(state, conversation, id, answer);
      answers[id] = answer.ok ? answer.seq : answer.code;
    });
  }
  return { say, close: line.close, view: () => ({ ...state, answers }) };
}

const does = {
  begin({ token }) {
    [clock, sockets, done] = [fakeClock(), [], []];
    pages = { visitor: visitorPage(token), staff: staffPage() };
  },
  /** Open another page that begins with nothing but its token or session. */
  fresh({ who, token }) {
    pages[`fresh ${who}`] = who === "visitor" ? visitorPage(token, true) : staffPage();
  },
  /** Go on from another page; the one before is left open. @param {{token: string}} about */
  come_back({ token }) {
    pages["old visitor"] = pages.visitor;
    pages.visitor = visitorPage(token, true);
  },
  close_fresh() {
    for (const who of ["visitor", "staff"]) pages[`fresh ${who}`]?.close();
  },
  opens: ({ n }) => sockets[n].onopen?.({}),
  frame: ({ n, text }) => sockets[n].onmessage?.({ data: text }),
  breaks: ({ n, code }) => sockets[n].onclose?.({ code }),
  pass: ({ ms }) => clock.pass(ms),
  says: ({ who, ...text }) => pages[who].say(text),
  view: ({ who }) => pages[who].view(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...about } = JSON.parse(line);
  const result = does[op](about) ?? null;
  // promises that this settled tell so before the answer
  await new Promise((resolve) => setImmediate(resolve));
  process.stdout.write(`${JSON.stringify({ result: typeof result === "object" ? result : null, done })}\n`);
  done = [];
}
