/** What staff must know before they write: the line is gone, the visitor is and wants to be, or may be somebody else. */

import { say } from "../lib/say.js";

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
  if (one.ended_by === null && !one.visitor_here) return say(words, "line_lost");
  return "";
}
