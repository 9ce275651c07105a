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
 * @typedef {{first: number, last: number, lines: readonly Line[], caughtUp: boolean, gap: boolean, asked: boolean,
 *   failures: number}} Log
 *   `lines` are the numbers beyond `first` up to `last`; `failures` is how often in a row asking left a gap
 * @typedef {{clientId: string, kind: "post" | "note", body: string, state: "sending" | "sent" | "refused",
 *   code: string | null, seq: number | null}} Pending
 * @typedef {{delivered: number, read: number}} Reached how far a visitor has got
 * @typedef {{
 *   you: Person | null,
 *   overview: StaffOverview | null,
 *   heardAt: number,
 *   offset: number,
 *   logs: Readonly<Record<string, Log>>,
 *   outbox: Readonly<Record<string, readonly Pending[]>>,
 *   read: Readonly<Record<string, number>>,
 *   reached: Readonly<Record<string, Reached>>,
 *   order: readonly string[],
 * }} State
 */

import { beyond, landed, withOutbox } from "./console_outbox.js";
import { mapValues, without } from "./records.js";

/** @type {ReadonlySet<string>} */
const HELD = new Set(["offered", "active", "wrap_up"]);
/** @type {ReadonlySet<string>} */
const READABLE = new Set(["active", "wrap_up"]);
const MOST_HELD = 4;
const MOST_FAILURES = 2;

/** @type {Log} */
const UNREAD_LOG = { first: 0, last: 0, lines: [], caughtUp: false, gap: false, asked: false, failures: 0 };

/**
 * Return what a page knows before the first frame.
 *
 * @returns {State}
 */
export function empty() {
  return { you: null, overview: null, heardAt: 0, offset: 0, logs: {}, outbox: {}, read: {}, reached: {}, order: [] };
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
    case "snapshot":
      return snapshot(state, frame.conversation, frame.after);
    case "reached":
      return { ...state, reached: { ...state.reached, [frame.conversation]: further(state.reached[frame.conversation], frame) } };
    case "unfollowed":
      return { ...state, logs: without(state.logs, frame.conversation), reached: without(state.reached, frame.conversation) };
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
  if (log === undefined) return state;
  if (line.seq === log.first) return withLog(state, line.conversation, { ...log, first: line.seq - 1, lines: [line, ...log.lines] });
  if (line.seq <= log.last) return state;
  if (line.seq > log.last + 1) return withLog(state, line.conversation, { ...log, gap: true });
  // what was erased leaves this page in the same moment
  const before = line.type === "fact" && line.code === "erase_done" ? log.lines.map(emptied) : log.lines;
  const next = withLog(state, line.conversation, { ...log, last: line.seq, lines: [...before, line], failures: 0 });
  return isOwn(state, line) && line.type !== "fact" ? landed(next, line.conversation, line.client_id) : next;
}

/**
 * @param {Line} line
 * @returns {Line}
 */
function emptied(line) {
  if (line.type === "fact") return line;
  const { conversation, seq, name, at } = line;
  return { type: "fact", conversation, seq, code: "erased", name, level: null, at };
}

/**
 * @param {State} state
 * @param {string} id
 * @param {number} head
 * @returns {State}
 */
function followed(state, id, head) {
  const log = state.logs[id] ?? UNREAD_LOG;
  const gap = head > log.last;
  const failures = gap ? log.failures + 1 : 0;
  // asking from the same number for ever would not help: hold nothing, and take what there is
  if (failures >= MOST_FAILURES) return withLog(state, id, UNREAD_LOG);
  return withLog(state, id, { ...log, asked: false, caughtUp: !gap, gap, failures });
}

/**
 * Hold nothing of a log of which too much was missed: only its newest lines follow.
 *
 * @param {State} state
 * @param {string} id
 * @param {number} after
 * @returns {State}
 */
function snapshot(state, id, after) {
  const log = state.logs[id] ?? UNREAD_LOG;
  const next = withLog(state, id, { ...UNREAD_LOG, asked: log.asked, failures: log.failures, first: after, last: after });
  return withOutbox(next, id, beyond(after, state.outbox[id] ?? []));
}

/** @param {Reached | undefined} before @param {Reached} now @returns {Reached} */
function further(before = { delivered: 0, read: 0 }, now) {
  return { delivered: Math.max(before.delivered, now.delivered), read: Math.max(before.read, now.read) };
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

/** @param {State} state @param {string} id @param {Log} log @returns {State} */
function withLog(state, id, log) {
  return { ...state, logs: { ...state.logs, [id]: log } };
}

export { answered, landed, letGo, notSent, queued } from "./console_outbox.js";
export { HELD, MOST_HELD, READABLE };
