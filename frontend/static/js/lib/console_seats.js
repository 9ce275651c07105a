/**
 * Who else this person can take, and why not. Pure, like the store beside it.
 *
 * @typedef {import("./console_store.js").State} State
 * @typedef {import("./console_store.js").ConversationSummary} ConversationSummary
 */

import { HELD, MOST_HELD, isMine } from "./console_store.js";
import { offered, overtakenSince, real } from "./console_views.js";

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
  // the server puts as many calm offers back as have to be, in the moment of the take
  const stays = level >= URGENT ? heldBy(state).filter((one) => one.state !== "offered" || one.level >= URGENT) : heldBy(state);
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
 * Tell whether somebody in danger waits, and can be taken although they are offered to somebody else.
 *
 * @param {ConversationSummary} one
 */
export function inDanger(one) {
  return (one.state === "waiting" || one.state === "offered") && pressing(one) >= URGENT;
}

/**
 * Tell whether one of those who wait can be taken by who has a place: offered to somebody else only in danger.
 *
 * @param {ConversationSummary} one
 */
export function canBeTaken(one) {
  return one.state === "waiting" || inDanger(one);
}

/**
 * Return what is said of an offer that waits for somebody again.
 *
 * @param {State} before
 * @param {State} state
 * @param {ConversationSummary} one
 * @returns {"tell_back" | "tell_back_soon" | "tell_gave_way"}
 */
export function backWord(before, state, one) {
  if (heldBy(state).some((held) => held.state !== "wrap_up" && held.level >= URGENT)) return "tell_gave_way";
  if (one.level >= URGENT) return "tell_back_soon";
  // a danger came and went to a colleague since the last list: this one gave way to it
  const passed = overtakenSince(before, state);
  return [...passed].some((id) => !offered(before).some((old) => old.id === id)) ? "tell_gave_way" : "tell_back";
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
