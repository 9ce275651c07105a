/** What staff must know before they write: the line is gone, the visitor is and wants to be, may be somebody else, or cannot write now. */

import { say } from "../lib/say.js";
import { clock } from "./log.js";

/**
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/say.js").Words} Words
 */

/**
 * Return the warning in words, or an empty text.
 *
 * @param {Words} words
 * @param {ConversationSummary} one
 * @returns {string}
 */
export function warning(words, one) {
  if (one.ended_by === "left_quickly") return say(words, "left_quickly");
  if (one.ended_by === null && one.returned) return say(words, "returned_short");
  if (one.ended_by === null && one.paused_until) return say(words, "paused_short", { at: clock(one.paused_until, words) });
  if (one.ended_by === null && !one.visitor_here) return say(words, "line_lost");
  return "";
}
