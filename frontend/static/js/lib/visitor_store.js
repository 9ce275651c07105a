/**
 * What the visitor's page knows, and how each frame changes it. Pure: no DOM, no clock, no socket, no words.
 *
 * @typedef {import("../protocol").VisitorEvent} VisitorEvent
 * @typedef {import("./socket.js").Answer} Answer
 * @typedef {import("../visitor").Line} Line
 * @typedef {import("../visitor").Own} Own
 * @typedef {import("../visitor").State} State
 */

export const MOST_CHARACTERS = 4_000;
const UNSENT_AFTER = 5_000;
const STUCK_AFTER = 15_000;
const MOST_FAILURES = 2;

/** Whether the states of the wire count as waiting. */
const WAITS = new Set(["waiting", "offered"]);

/** @returns {State} */
export function empty() {
  return {
    begun: false,
    waitingFrom: null,
    advocate: null,
    staffed: true,
    language: "",
    wait: null,
    languageRead: true,
    hidden: false,
    first: 0,
    last: 0,
    head: 0,
    asked: false,
    failures: 0,
    reached: { delivered: 0, read: 0 },
    lines: [],
    outbox: [],
    typing: false,
    ended: null,
    endedBy: null,
  };
}

/**
 * Return the state after a frame. Events are numbered without gaps: the next one goes to the end, the one before the
 * first to the top, and one beyond the next only says how far the log goes (`misses`).
 *
 * @param {State} state
 * @param {VisitorEvent} frame
 * @param {number} now
 * @returns {State}
 */
export function reduce(state, frame, now) {
  switch (frame.type) {
    case "welcome":
      return stands(greeted(state, frame), frame, now);
    case "standing":
      return stands(state, frame, now);
    case "pong":
      return frame.head > state.head ? { ...state, head: frame.head } : state;
    case "typing":
      return state.advocate === null ? state : { ...state, typing: true };
    case "message":
    case "fact":
      if (frame.seq === state.first) return { ...state, first: frame.seq - 1, lines: [lineOf(frame), ...state.lines] };
      if (frame.seq <= state.last) return state;
      if (frame.seq > state.last + 1) return { ...state, head: Math.max(state.head, frame.seq) };
      return event({ ...state, last: frame.seq, head: Math.max(state.head, frame.seq), asked: false, failures: 0 }, frame, now);
    case "reached":
      return reached(state, frame);
    default:
      return state;
  }
}

/** @param {State} state @param {import("../protocol").VisitorWelcome} frame @returns {State} */
function greeted(state, { head, after, older, hidden, language }) {
  const next = { ...state, begun: true, language, hidden, head: Math.max(state.head, head) };
  if (!older) return head <= state.last ? { ...next, asked: false, failures: 0 } : next;
  // too much was missed: only the newest lines follow, and what stands before them can be asked for
  return { ...next, first: after, last: after, lines: [], outbox: beyond(after, state.outbox) };
}

/**
 * @param {State} state
 * @param {{delivered: number, read: number}} frame
 * @returns {State}
 */
function reached(state, { delivered, read }) {
  const before = state.reached;
  if (delivered <= before.delivered && read <= before.read) return state;
  return { ...state, reached: { delivered: Math.max(before.delivered, delivered), read: Math.max(before.read, read) } };
}

/**
 * @param {import("../protocol").VisitorMessage | import("../protocol").VisitorFact} frame
 * @returns {Line}
 */
function lineOf(frame) {
  const { seq, name } = frame;
  if (frame.type === "fact") return { kind: "fact", key: `seq-${seq}`, seq, code: frame.code, name };
  return { kind: "message", key: frame.client_id ?? `seq-${seq}`, seq, own: frame.author === "you", name, body: frame.body };
}

/**
 * @param {State} state
 * @param {Omit<import("../protocol").VisitorStanding, "type">} frame
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
    // a server of before an update says neither
    wait: frame.wait ?? null,
    languageRead: frame.language_read !== false,
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
  const line = lineOf(frame);
  const lines = [...state.lines, line];
  if (frame.type === "message") {
    const own = frame.author === "you";
    return { ...state, lines, outbox: own ? without(state.outbox, line.key) : state.outbox, typing: own && state.typing };
  }
  const { code, name } = frame;
  const next = { ...state, typing: false, lines };
  switch (code) {
    case "joined":
      return { ...next, advocate: name, waitingFrom: null };
    case "returned_to_queue":
      return { ...next, advocate: null, waitingFrom: now };
    case "return_accepted":
      return { ...next, hidden: false };
    case "ended_by_visitor":
    case "ended_by_advocate":
      return { ...next, ended: code, endedBy: name, waitingFrom: null };
    default:
      return next;
  }
}

/** Tell whether the server has more than this page holds. @param {State} state */
export function misses(state) {
  return state.head > state.last;
}

/**
 * Return the state with which the log is asked for again. Where asking twice did not help it holds nothing: a page
 * could ask for ever from a number that the server does not go on from.
 *
 * @param {State} state
 * @param {boolean} refused
 * @returns {State}
 */
export function asking(state, refused) {
  const failures = state.failures + Number(refused || state.asked);
  if (failures >= MOST_FAILURES) return { ...empty(), begun: true, outbox: state.outbox };
  return { ...state, asked: true, failures };
}

/**
 * Put a message on its way.
 *
 * @param {State} state
 * @param {{clientId: string, body: string}} message
 * @param {number} now
 * @returns {State}
 */
export function queued(state, { clientId, body }, now) {
  const fresh = { clientId, body, at: now, sent: false, seq: null, refused: null };
  const known = state.outbox.some((own) => own.clientId === clientId);
  const outbox = known ? state.outbox.map((own) => (own.clientId === clientId ? fresh : own)) : [...state.outbox, fresh];
  return { ...state, outbox };
}

/**
 * Note the server's answer to a message; the next one is shown by it.
 *
 * @param {State} state
 * @param {string} clientId
 * @param {Answer} answer
 * @returns {State}
 */
export function answered(state, clientId, answer) {
  const mine = state.outbox.find((own) => own.clientId === clientId);
  if (mine === undefined) return state;
  if (answer.ok && answer.seq === state.last + 1)
    return reduce(state, { type: "message", seq: answer.seq, author: "you", name: null, client_id: clientId, body: mine.body, at: "" }, 0);
  const next = answer.ok ? { ...mine, sent: true, seq: answer.seq } : { ...mine, refused: answer.code };
  return { ...state, outbox: beyond(state.first, state.outbox.map((own) => (own === mine ? next : own))) };
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
 * Tell how far a stored message has got: to the server, to a page of staff, or under somebody's eyes.
 *
 * @param {State} state
 * @param {number} seq
 * @returns {"sent" | "delivered" | "seen"}
 */
export function got({ reached }, seq) {
  return seq <= reached.read ? "seen" : seq <= reached.delivered ? "delivered" : "sent";
}

/** Forget the writing. @param {State} state @returns {State} */
export function quiet(state) {
  return state.typing ? { ...state, typing: false } : state;
}

/**
 * Note that it ended while the line was away, or that this page may no longer see it.
 *
 * @param {State} state
 * @param {number} code of the close
 * @returns {State}
 */
export function gone(state, code) {
  return state.ended === null ? { ...state, ended: code === 4401 ? "moved" : "gone", waitingFrom: null } : state;
}

/**
 * Return the text as it goes out, and how many characters are left, as the server counts.
 *
 * @param {string} text
 */
export function measured(text) {
  const body = text.replace(/\r\n?/g, "\n").trim();
  const length = [...body].length;
  return { body, left: MOST_CHARACTERS - length };
}

/**
 * @param {number} first
 * @param {readonly Own[]} outbox
 */
function beyond(first, outbox) {
  return outbox.filter((own) => own.seq === null || own.seq > first);
}

/**
 * @param {readonly Own[]} outbox
 * @param {string} clientId
 */
function without(outbox, clientId) {
  return outbox.filter((own) => own.clientId !== clientId);
}
