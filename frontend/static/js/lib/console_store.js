/**
 * What the staff pages know, and how each frame changes it. Pure: no DOM, no socket, no clock.
 *
 * Frames come in through `reduce`; what the person does in their own tab (a read mark, a message on its way) through
 * the small functions below it. Nothing here is ever written to the browser's storage.
 *
 * @typedef {import("../protocol.js").StaffEvent} StaffEvent
 * @typedef {import("../protocol.js").StaffMessage} StaffMessage
 * @typedef {import("../protocol.js").StaffNoteEvent} StaffNoteEvent
 * @typedef {import("../protocol.js").StaffFact} StaffFact
 * @typedef {import("../protocol.js").StaffOverview} StaffOverview
 * @typedef {import("../protocol.js").ConversationSummary} ConversationSummary
 * @typedef {import("../protocol.js").EscalationSummary} EscalationSummary
 * @typedef {import("../protocol.js").Person} Person
 *
 * @typedef {StaffMessage | StaffNoteEvent | StaffFact} Line
 * @typedef {{last: number, lines: readonly Line[], caughtUp: boolean, gap: boolean, asked: boolean}} Log
 * @typedef {{clientId: string, kind: "post" | "note", body: string, state: "sending" | "sent" | "refused",
 *   code: string | null}} Pending
 * @typedef {{
 *   you: Person | null,
 *   overview: StaffOverview | null,
 *   heardAt: number,
 *   offset: number,
 *   logs: Readonly<Record<string, Log>>,
 *   outbox: Readonly<Record<string, readonly Pending[]>>,
 *   read: Readonly<Record<string, number>>,
 *   order: readonly string[],
 * }} State
 */

/** @type {ReadonlySet<string>} */
const HELD = new Set(["offered", "active", "wrap_up"]);
/** @type {ReadonlySet<string>} */
const READABLE = new Set(["active", "wrap_up"]);
const MOST_HELD = 4;

/** @type {Log} */
const UNREAD_LOG = { last: 0, lines: [], caughtUp: false, gap: false, asked: false };

/**
 * Return what a page knows before the first frame.
 *
 * @returns {State}
 */
export function empty() {
  return { you: null, overview: null, heardAt: 0, offset: 0, logs: {}, outbox: {}, read: {}, order: [] };
}

/**
 * Return the state after a frame.
 *
 * @param {State} state
 * @param {StaffEvent} frame
 * @param {number} now this browser's clock in milliseconds
 * @returns {State}
 */
export function reduce(state, frame, now) {
  switch (frame.type) {
    case "welcome":
      // A new socket: what was asked on the old one is asked again.
      return { ...state, you: frame.you, logs: mapValues(state.logs, (log) => ({ ...log, asked: false })) };
    case "overview":
      return shift(state, frame, now);
    case "message":
    case "note":
    case "fact":
      return append(state, frame);
    case "followed":
      return followed(state, frame.conversation, frame.head);
    case "unfollowed":
      return { ...state, logs: without(state.logs, frame.conversation) };
    case "pong":
      return {
        ...state,
        heardAt: now,
        logs: mapValues(state.logs, (log, id) => ((frame.heads[id] ?? 0) > log.last ? { ...log, gap: true } : log)),
      };
    default:
      return state; // answers belong to the socket
  }
}

/**
 * Take in an overview. What is no longer on it leaves this page's memory, texts first of all.
 *
 * @param {State} state
 * @param {StaffOverview} overview
 * @param {number} now
 * @returns {State}
 */
function shift(state, overview, now) {
  const here = new Set(overview.conversations.map((one) => one.id));
  const held = overview.conversations.filter((one) => isMine(state, one) && READABLE.has(one.state));
  const kept = state.order.filter((id) => held.some((one) => one.id === id));
  return {
    ...state,
    overview,
    heardAt: now,
    offset: Date.parse(overview.at) - now,
    logs: Object.fromEntries(Object.entries(state.logs).filter(([id]) => here.has(id))),
    order: [...kept, ...held.map((one) => one.id).filter((id) => !kept.includes(id))],
  };
}

/**
 * @param {State} state
 * @param {Line} line
 * @returns {State}
 */
function append(state, line) {
  const log = state.logs[line.conversation];
  if (log === undefined || line.seq <= log.last) return state;
  if (line.seq > log.last + 1) return withLog(state, line.conversation, { ...log, gap: true });
  const next = withLog(state, line.conversation, { ...log, last: line.seq, lines: [...log.lines, line] });
  return isOwn(state, line) && line.type !== "fact" ? landed(next, line.conversation, line.client_id) : next;
}

/**
 * @param {State} state
 * @param {string} id
 * @param {number} head
 * @returns {State}
 */
function followed(state, id, head) {
  const log = state.logs[id] ?? UNREAD_LOG;
  return withLog(state, id, { ...log, asked: false, caughtUp: head <= log.last, gap: head > log.last });
}

/**
 * Return what must be asked for: one's own conversations, those that are watched, and every log with a gap.
 *
 * @param {State} state
 * @param {readonly string[]} [watched]
 * @returns {readonly {conversation: string, after: number}[]}
 */
export function toFollow(state, watched = []) {
  const seen = new Set((state.overview?.conversations ?? []).map((one) => one.id));
  const wanted = [...state.order, ...watched.filter((id) => seen.has(id) && !state.order.includes(id))];
  return wanted
    .map((id) => ({ id, log: state.logs[id] ?? UNREAD_LOG }))
    .filter(({ log }) => !log.asked && (!log.caughtUp || log.gap))
    .map(({ id, log }) => ({ conversation: id, after: log.last }));
}

/**
 * Note that a log was asked for.
 *
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
export function asked(state, id) {
  return withLog(state, id, { ...(state.logs[id] ?? UNREAD_LOG), asked: true });
}

/**
 * Return for the hello what this page holds, conversation to newest number.
 *
 * @param {State} state
 * @returns {Record<string, number>}
 */
export function holding(state) {
  return Object.fromEntries(Object.entries(state.logs).map(([id, log]) => [id, log.last]));
}

/**
 * Forget a log that this page no longer shows.
 *
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
export function forgotten(state, id) {
  return { ...state, logs: without(state.logs, id) };
}

/**
 * Put one's own text on its way.
 *
 * @param {State} state
 * @param {string} id
 * @param {{clientId: string, kind: "post" | "note", body: string}} text
 * @returns {State}
 */
export function queued(state, id, text) {
  const others = (state.outbox[id] ?? []).filter((one) => one.clientId !== text.clientId);
  return withOutbox(state, id, [...others, { ...text, state: "sending", code: null }]);
}

/**
 * Take in the answer to one's own text. A sent one stays until its line comes, so that it never blinks away.
 *
 * @param {State} state
 * @param {string} id
 * @param {string} clientId
 * @param {{ok: true} | {ok: false, code: string}} answer
 * @returns {State}
 */
export function answered(state, id, clientId, answer) {
  const rest = (state.outbox[id] ?? []).map((one) => {
    if (one.clientId !== clientId) return one;
    /** @type {Pending} */
    const next = answer.ok ? { ...one, state: "sent", code: null } : { ...one, state: "refused", code: answer.code };
    return next;
  });
  const here = state.logs[id]?.lines.some((line) => line.type !== "fact" && line.client_id === clientId) ?? false;
  const next = withOutbox(state, id, rest);
  return here ? landed(next, id, clientId) : next;
}

/**
 * Take one's own text off: it has landed, or its author has taken it back.
 *
 * @param {State} state
 * @param {string} id
 * @param {string | null} clientId
 * @returns {State}
 */
export function landed(state, id, clientId) {
  return withOutbox(state, id, (state.outbox[id] ?? []).filter((one) => one.clientId !== clientId));
}

/**
 * Move one's own read mark to the newest line.
 *
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
export function readToEnd(state, id) {
  const last = state.logs[id]?.last ?? 0;
  return last > readUpTo(state, id) ? { ...state, read: { ...state.read, [id]: last } } : state;
}

/**
 * @param {State} state
 * @param {string} id
 * @returns {number}
 */
export function readUpTo(state, id) {
  return Math.max(state.read[id] ?? 0, state.overview?.conversations.find((one) => one.id === id)?.read ?? 0);
}

/**
 * @param {State} state
 * @param {{advocate_id: number | null}} one
 */
export function isMine(state, one) {
  return state.you !== null && one.advocate_id === state.you.id;
}

/**
 * Tell whether a line is one's own.
 *
 * @param {State} state
 * @param {Line} line
 */
export function isOwn(state, line) {
  return line.type !== "fact" && state.you !== null && line.author_id === state.you.id;
}

/**
 * @template Value, Result
 * @param {Readonly<Record<string, Value>>} record
 * @param {(value: Value, key: string) => Result} change
 * @returns {Record<string, Result>}
 */
function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/**
 * @template Value
 * @param {Readonly<Record<string, Value>>} record
 * @param {string} key
 * @returns {Record<string, Value>}
 */
function without(record, key) {
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}

/** @param {State} state @param {string} id @param {Log} log @returns {State} */
function withLog(state, id, log) {
  return { ...state, logs: { ...state.logs, [id]: log } };
}

/** @param {State} state @param {string} id @param {readonly Pending[]} texts @returns {State} */
function withOutbox(state, id, texts) {
  return { ...state, outbox: texts.length > 0 ? { ...state.outbox, [id]: texts } : without(state.outbox, id) };
}

export { HELD, MOST_HELD, READABLE };
