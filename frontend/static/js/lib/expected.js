/** How long it may still take, in words. Pure: no DOM, no clock. */

/**
 * While nobody is on shift that is said elsewhere, and a number would be a lie.
 *
 * @param {Record<string, string>} words
 * @param {Pick<import("../visitor").State, "staffed" | "wait">} state
 * @returns {string}
 */
export function expected(words, { staffed, wait }) {
  if (!staffed) return "";
  if (wait === null) return words["wait_unknown"] ?? "";
  const { at_least, at_most } = wait;
  const key = at_most === null ? "wait_over" : at_least === 0 ? "wait_under" : "wait_between";
  return (words[key] ?? "").replace("{from}", String(at_least)).replace("{to}", String(at_most));
}
