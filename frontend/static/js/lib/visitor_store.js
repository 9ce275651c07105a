/**
 * What the visitor's page knows, and how each frame changes it. Pure: no DOM, no clock, no socket, no words.
 *
 * @typedef {import("../protocol").VisitorEvent} VisitorEvent
 * @typedef {import("./socket.js").Answer} Answer
 * @typedef {{kind: "message", key: string, seq: number, own: boolean, name: string | null, body: string}} Message
 * @typedef {{kind: "fact", key: string, seq: number, code: string, name: string | null}} Fact
 * @typedef {Message | Fact} Line
 * @typedef {{clientId: string, body: string, at: number, sent: boolean, refused: string | null}} Own
 *   a message on its way; `at` is when it last went out, `refused` the code with which it came back
 * @typedef {"visitor" | "advocate" | "gone"} End
 * @typedef {{
 *   begun: boolean,
 *   waitingFrom: number | null,
 *   advocate: string | null,
 *   staffed: boolean,
 *   last: number,
 *   head: number,
 *   lines: readonly Line[],
 *   outbox: readonly Own[],
 *   typing: boolean,
 *   ended: End | null,
 *   endedBy: string | null,
 * }} State
 */

export const MOST_CHARACTERS = 4_000;
export const UNSENT_AFTER = 5_000;
export const STUCK_AFTER = 15_000;

/** Whether the states of the wire count as waiting. */
const WAITS = new Set(["waiting", "offered"]);

/** @returns {State} */
export function empty() {
  return {
    begun: false,
    waitingFrom: null,
    advocate: null,
    staffed: true,
    last: 0,
    head: 0,
    lines: [],
    outbox: [],
    typing: false,
    ended: null,
    endedBy: null,
  };
}

/**
 * Return the state after a frame. Events are numbered from 1 without gaps: older ones were seen before and are passed
 * over, one beyond the next only says how far the log goes (`misses`).
 *
 * @param {State} state
 * @param {VisitorEvent} frame
 * @param {number} now
 * @returns {State}
 */
export function reduce(state, frame, now) {
  switch (frame.type) {
    case "welcome":
      return stands({ ...state, begun: true, head: Math.max(state.head, frame.head) }, frame, now);
    case "standing":
      return stands(state, frame, now);
    case "pong":
      return frame.head > state.head ? { ...state, head: frame.head } : state;
    case "typing":
      return state.advocate === null ? state : { ...state, typing: true };
    case "message":
    case "fact":
      if (frame.seq <= state.last) return state;
      if (frame.seq > state.last + 1) return { ...state, head: Math.max(state.head, frame.seq) };
      return event({ ...state, last: frame.seq, head: Math.max(state.head, frame.seq) }, frame, now);
    default:
      return state;
  }
}

/**
 * @param {State} state
 * @param {{state: string, advocate: string | null, staffed: boolean}} frame
 * @param {number} now
 * @returns {State}
 */
function stands(state, frame, now) {
  const waits = WAITS.has(frame.state);
  const advocate = waits ? null : frame.advocate;
  return {
    ...state,
    advocate,
    staffed: frame.staffed,
    typing: state.typing && advocate !== null,
    waitingFrom: waits ? (state.waitingFrom ?? now) : null,
  };
}

/**
 * @param {State} state
 * @param {import("../protocol").VisitorMessage | import("../protocol").VisitorFact} frame
 * @param {number} now
 * @returns {State}
 */
function event(state, frame, now) {
  if (frame.type === "message") {
    const own = frame.author === "you";
    const key = frame.client_id ?? `seq-${frame.seq}`;
    const { seq, name, body } = frame;
    return {
      ...state,
      lines: [...state.lines, { kind: "message", key, seq, own, name, body }],
      outbox: own ? without(state.outbox, key) : state.outbox,
      typing: own && state.typing,
    };
  }
  const { seq, code, name } = frame;
  const next = { ...state, typing: false, lines: [...state.lines, /** @type {Fact} */ ({ kind: "fact", key: `seq-${seq}`, seq, code, name })] };
  switch (code) {
    case "joined":
      return { ...next, advocate: name, waitingFrom: null };
    case "returned_to_queue":
      return { ...next, advocate: null, waitingFrom: now };
    case "ended_by_visitor":
      return { ...next, ended: "visitor", waitingFrom: null };
    case "ended_by_advocate":
      return { ...next, ended: "advocate", endedBy: name, waitingFrom: null };
    default:
      return next;
  }
}

/**
 * Tell whether the server has more than this page holds.
 *
 * @param {State} state
 */
export function misses(state) {
  return state.head > state.last;
}

/**
 * Put a message on its way, or on its way again.
 *
 * @param {State} state
 * @param {{clientId: string, body: string}} message
 * @param {number} now
 * @returns {State}
 */
export function queued(state, { clientId, body }, now) {
  const fresh = { clientId, body, at: now, sent: false, refused: null };
  const known = state.outbox.some((own) => own.clientId === clientId);
  const outbox = known ? state.outbox.map((own) => (own.clientId === clientId ? fresh : own)) : [...state.outbox, fresh];
  return { ...state, outbox };
}

/**
 * Note the server's answer to a message. The event that shows it may have come before.
 *
 * @param {State} state
 * @param {string} clientId
 * @param {Answer} answer
 * @returns {State}
 */
export function answered(state, clientId, answer) {
  const outbox = state.outbox.map((own) => {
    if (own.clientId !== clientId) return own;
    return answer.ok ? { ...own, sent: true } : { ...own, refused: answer.code };
  });
  return { ...state, outbox };
}

/**
 * Take a message back off its way.
 *
 * @param {State} state
 * @param {string} clientId
 * @returns {State}
 */
export function takenBack(state, clientId) {
  return { ...state, outbox: without(state.outbox, clientId) };
}

/**
 * Tell how far a message on its way is.
 *
 * @param {Own} own
 * @param {number} now
 * @returns {"sending" | "unsent" | "stuck" | "sent" | "refused"}
 */
export function way(own, now) {
  if (own.sent) return "sent";
  if (own.refused !== null) return "refused";
  if (now - own.at >= STUCK_AFTER) return "stuck";
  return now - own.at >= UNSENT_AFTER ? "unsent" : "sending";
}

/**
 * Forget that the advocate is writing.
 *
 * @param {State} state
 * @returns {State}
 */
export function quiet(state) {
  return state.typing ? { ...state, typing: false } : state;
}

/**
 * Note that the server gave the conversation up while the line was away.
 *
 * @param {State} state
 * @returns {State}
 */
export function gone(state) {
  return state.ended === null ? { ...state, ended: "gone", waitingFrom: null } : state;
}

/**
 * Return the text as it goes out, and by how many characters it is too long: counted as the server counts.
 *
 * @param {string} text
 */
export function measured(text) {
  const body = text.replace(/\r\n?/g, "\n").trim();
  const length = [...body].length;
  return { body, left: MOST_CHARACTERS - length };
}

/**
 * @param {readonly Own[]} outbox
 * @param {string} clientId
 */
function without(outbox, clientId) {
  return outbox.filter((own) => own.clientId !== clientId);
}
