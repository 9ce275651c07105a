/**
 * What the staff pages show, worked out from what they know. Pure, like the store beside it.
 *
 * @typedef {import("./console_store.js").State} State
 * @typedef {import("./console_store.js").Line} Line
 * @typedef {import("./console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("./console_store.js").EscalationSummary} EscalationSummary
 * @typedef {import("./say.js").Words} Words
 */

import { inOrder } from "./escalation_order.js";
import { READABLE, isMine, isOwn, readUpTo } from "./console_store.js";
import { say } from "./say.js";

const IMMINENT = 3;

/**
 * Return a conversation's summary.
 *
 * @param {State} state
 * @param {string | null} id
 * @returns {ConversationSummary | undefined}
 */
export function summary(state, id) {
  return state.overview?.conversations.find((one) => one.id === id);
}

/**
 * Return the conversations that this person holds, in the order in which they came: it never changes by itself.
 *
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function mine(state) {
  return state.order.flatMap((id) => summary(state, id) ?? []);
}

/**
 * Return the return by words that was not there before, also when another one was; null if there is none.
 *
 * @param {ConversationSummary} before
 * @param {ConversationSummary | undefined} next
 */
export function newReturn(before, next) {
  const returned = next?.returned ?? null;
  return returned !== null && returned.number !== before.returned?.number ? returned : null;
}

/**
 * Return those of this person's conversations in which a danger now is imminent and was not before; that they raised
 * it so themselves they know.
 *
 * @param {State} before
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function turnedImminent(before, state) {
  const raised = (state.overview?.escalations ?? []).filter((one) => one.level >= IMMINENT && one.climbs === 0 && one.raised_by === state.you?.name);
  const own = new Set(raised.map((one) => one.conversation));
  const levels = new Map(mine(before).map((one) => [one.id, one.level]));
  return mine(state).filter((one) => one.level >= IMMINENT && (levels.get(one.id) ?? IMMINENT) < IMMINENT && !own.has(one.id));
}

/**
 * Return what is offered to this person right now.
 *
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function offered(state) {
  return all(state).filter((one) => one.state === "offered" && isMine(state, one));
}

/**
 * Return what is offered to this person in one list and not in another.
 *
 * @param {State} one
 * @param {State} other
 * @returns {readonly ConversationSummary[]}
 */
export function offeredOnlyIn(one, other) {
  const there = new Set(offered(other).map((row) => row.id));
  return offered(one).filter((row) => !there.has(row.id));
}

/**
 * Return what was offered to this person and waits for somebody again: the offer ran out, or they declined it.
 *
 * @param {State} before
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function offeredNoMore(before, state) {
  const waits = new Set(waiting(state).map((one) => one.id));
  return offered(before).filter((one) => waits.has(one.id));
}

/**
 * Return the ids of what colleagues took between two overviews while it was offered to this person: the lists of a
 * minute say so, and of one visitor it may happen twice in it.
 *
 * @param {State} before
 * @param {State} state
 * @returns {ReadonlySet<string>}
 */
export function overtakenSince(before, state) {
  const known = new Set((before.overview?.overtaken ?? []).map((one) => `${one.conversation} ${one.at}`));
  const news = (state.overview?.overtaken ?? []).filter((one) => !known.has(`${one.conversation} ${one.at}`));
  return new Set(news.map((one) => one.conversation));
}

/**
 * Return what was offered to this person until a colleague took it.
 *
 * @param {State} before
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function overtaken(before, state) {
  const taken = overtakenSince(before, state);
  return offered(before).filter((one) => taken.has(one.id));
}

/**
 * Return the queue: most urgent first, then the longest wait; drills come after every visitor.
 *
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function waiting(state) {
  return all(state)
    .filter((one) => one.state === "waiting" || (one.state === "offered" && !isMine(state, one)))
    .sort((a, b) => drillsLast(a, b) || b.level - a.level || Date.parse(waitedFrom(a)) - Date.parse(waitedFrom(b)));
}

/**
 * Return what runs, whoever holds it: most urgent first, then the longest silence towards a visitor; drills last.
 *
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function running(state) {
  return all(state)
    .filter((one) => READABLE.has(one.state))
    .sort((a, b) => drillsLast(a, b) || b.level - a.level || Date.parse(a.opened_at) - Date.parse(b.opened_at));
}

/**
 * Return open escalations: real ones first, of them those that nobody has acknowledged, the oldest at the top.
 *
 * @param {State} state
 * @returns {readonly EscalationSummary[]}
 */
export function escalations(state) {
  return inOrder(state.overview?.escalations ?? []);
}

/**
 * Return since when a visitor has been waiting.
 *
 * @param {ConversationSummary} one
 * @returns {string}
 */
export function waitedFrom(one) {
  return one.waiting_since ?? one.opened_at;
}

/**
 * Return in words how a visitor came and in which language they write; what they did not say is left out.
 *
 * @param {Words} words
 * @param {{door: string, language: string}} one
 */
export function cameAs(words, one) {
  const doors = one.door === "not_said" ? [] : [say(words, `door_${one.door}`)];
  return [...doors, say(words, `in_${one.language}`)].join(" · ");
}

/**
 * Return how many lines somebody else wrote beyond one's own read mark.
 *
 * @param {State} state
 * @param {string} id
 * @returns {number}
 */
export function unread(state, id) {
  const log = state.logs[id];
  const upTo = readUpTo(state, id);
  return (log?.lines ?? []).filter((line) => line.seq > upTo && line.type !== "fact" && !isOwn(state, line)).length;
}

/**
 * Return how many lines of one's own conversations are unread.
 *
 * @param {State} state
 * @returns {number}
 */
export function unreadInAll(state) {
  return mine(state).reduce((sum, one) => sum + unread(state, one.id), 0);
}

/**
 * Return when the visitor wrote last: from the log where it is here, since overviews come a little later.
 *
 * @param {State} state
 * @param {ConversationSummary} one
 * @returns {string | null}
 */
export function lastWritten(state, one) {
  return lastMessage(state, one.id, (line) => line.type === "message" && line.author === "visitor")?.at ?? one.last_visitor_at;
}

/**
 * Tell whether the visitor waits for an answer.
 *
 * @param {State} state
 * @param {ConversationSummary} one
 */
export function unanswered(state, one) {
  if (one.state !== "active") return false;
  const last = lastMessage(state, one.id, (line) => line.type === "message");
  return last === undefined ? !one.answered : last.type === "message" && last.author === "visitor";
}

/**
 * Return the conversation whose visitor has waited longest for an answer.
 *
 * @param {State} state
 * @returns {ConversationSummary | undefined}
 */
export function oldestUnanswered(state) {
  const waits = mine(state).filter((one) => unanswered(state, one));
  return waits.sort((a, b) => writtenAt(state, a) - writtenAt(state, b))[0];
}

/**
 * Return those of some conversations that are no drills.
 *
 * @template {{drill?: boolean}} One
 * @param {readonly One[]} some
 * @returns {readonly One[]}
 */
export function real(some) {
  return some.filter((one) => !one.drill);
}

/**
 * Tell whether a drill is over, whoever ended it; a scripted visitor who left quickly may come back.
 *
 * @param {ConversationSummary | undefined} one
 */
export function drillOver(one) {
  return one?.drill === true && one.ended_by !== null && one.ended_by !== "left_quickly";
}

/** @param {ConversationSummary} a @param {ConversationSummary} b */
function drillsLast(a, b) {
  return Number(a.drill ?? false) - Number(b.drill ?? false);
}

/** @param {State} state @returns {ConversationSummary[]} */
function all(state) {
  return [...(state.overview?.conversations ?? [])];
}

/** @param {State} state @param {ConversationSummary} one @returns {number} */
function writtenAt(state, one) {
  return Date.parse(lastWritten(state, one) ?? one.opened_at);
}

/** @param {State} state @param {string} id @param {(line: Line) => boolean} fits @returns {Line | undefined} */
function lastMessage(state, id, fits) {
  const lines = state.logs[id]?.lines ?? [];
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const line = lines[at];
    if (line !== undefined && fits(line)) return line;
  }
  return undefined;
}
