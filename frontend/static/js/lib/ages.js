/**
 * Ages in words: "5 minutes", "less than a minute". No DOM, no clock of its own.
 */

import { say } from "./say.js";

/** @typedef {import("./say.js").Words} Words */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Return how long something has lasted. `fine` counts the first minute in tens of seconds, for clocks that are short.
 *
 * @param {Words} words
 * @param {number} ms
 * @param {{fine?: boolean}} [how]
 * @returns {string}
 */
export function age(words, ms, { fine = false } = {}) {
  const past = Math.max(0, ms);
  if (past < MINUTE) {
    const tens = Math.floor(past / 10_000) * 10;
    return fine && tens > 0 ? say(words, "age_seconds", { n: tens }) : say(words, fine ? "age_now" : "age_moment");
  }
  if (past < HOUR) return say(words, "age_minutes", { n: Math.floor(past / MINUTE) });
  if (past < DAY) return say(words, "age_hours", { n: Math.floor(past / HOUR) });
  return say(words, "age_days", { n: Math.floor(past / DAY) });
}

/**
 * Return how long ago a moment was, or an empty text when there is none.
 *
 * @param {Words} words
 * @param {string | null} moment ISO 8601
 * @param {number} now milliseconds on the server's clock
 * @param {{fine?: boolean}} [how]
 * @returns {string}
 */
export function since(words, moment, now, how) {
  const then = moment === null ? NaN : Date.parse(moment);
  return Number.isNaN(then) ? "" : age(words, now - then, how);
}

/**
 * Return whole seconds until a moment, never below zero.
 *
 * @param {string | null} moment ISO 8601
 * @param {number} now milliseconds on the server's clock
 * @returns {number}
 */
export function secondsLeft(moment, now) {
  const then = moment === null ? NaN : Date.parse(moment);
  return Number.isNaN(then) ? 0 : Math.max(0, Math.ceil((then - now) / 1000));
}

/**
 * Return in words when something climbs: in seconds, and from a minute on in minutes and seconds.
 *
 * @param {Words} words
 * @param {number} seconds
 * @returns {string}
 */
export function dueIn(words, seconds) {
  if (seconds < 60) return say(words, "due_in", { n: seconds });
  return say(words, "due_in_minutes", { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
}
