/**
 * Who else this person can take, and why not. Pure, like the store beside it.
 *
 * @typedef {import("./console_store.js").State} State
 * @typedef {import("./console_store.js").ConversationSummary} ConversationSummary
 */

import { HELD, MOST_HELD, isMine } from "./console_store.js";
import { real } from "./console_views.js";

/** From this level on a visitor is in danger, and needs their advocate alone. */
const URGENT = 2;

/**
 * Say why no further conversation of a level can be taken, or null when one can. Like `free_seats` of the server: a
 * record that is still to be written takes no place from a visitor in danger, and neither does a calm offer.
 *
 * @param {State} state
 * @param {number} [level]
 * @returns {"away" | "full" | "urgent" | "offer" | "record" | null}
 */
export function whyNotTake(state, level = 0) {
  if (state.overview?.availability === "away") return "away";
  const held = heldBy(state);
  const give = new Set(givesWay(state, level).map((one) => one.id));
  const stays = held.filter((one) => !give.has(one.id));
  const counts = level >= URGENT ? stays.filter((one) => one.state !== "wrap_up") : stays;
  if (hasSeat(state, counts) && stays.length < MOST_HELD) return null;
  if (hasSeat(state, stays.filter((one) => one.state !== "offered"))) return "offer";
  const active = stays.filter((one) => one.state === "active");
  if (hasSeat(state, active)) return "record";
  return active.length < capacity(state) ? "urgent" : "full";
}

/**
 * Return the level that counts for who takes a conversation: a drill comes before nothing.
 *
 * @param {ConversationSummary} one
 */
export function pressing(one) {
  return one.drill === true ? 0 : one.level;
}

/**
 * Return the calm offers to this person that have to be declined as they take somebody in danger instead.
 *
 * @param {State} state
 * @param {number} level of whom they take
 * @returns {readonly ConversationSummary[]}
 */
export function givesWay(state, level) {
  const held = heldBy(state).filter((one) => one.state !== "wrap_up");
  const calm = held.filter((one) => one.state === "offered" && one.level < URGENT);
  return level >= URGENT ? calm.slice(0, Math.max(0, held.length + 1 - capacity(state))) : [];
}

/**
 * Return what of this person's is over and waits for its record.
 *
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function toRecord(state) {
  return heldBy(state).filter((one) => one.state === "wrap_up");
}

/** @param {State} state @param {readonly ConversationSummary[]} held */
function hasSeat(state, held) {
  return held.length < (held.some((one) => one.level >= URGENT) ? 1 : capacity(state));
}

/**
 * Return what counts against this person's capacity: no drill does.
 *
 * @param {State} state
 * @returns {readonly ConversationSummary[]}
 */
export function heldBy(state) {
  return real(state.overview?.conversations ?? []).filter((one) => HELD.has(one.state) && isMine(state, one));
}

/**
 * @param {State} state
 * @returns {number}
 */
export function capacity(state) {
  return Math.min(state.you?.capacity ?? 0, MOST_HELD);
}
