/**
 * The texts that the server put into the page, and how a name or a number gets into them.
 *
 * @typedef {Record<string, string>} Words
 */

/** @type {Words | undefined} */
let words;

/** @returns {Words} the texts of the page, one list for all who ask: another language changes it in place */
export function wordsOfPage() {
  return (words ??= JSON.parse(document.getElementById("words")?.textContent ?? "{}"));
}

/** Return a text with its name in it, or the sentence that needs none. @param {Words} words @param {string} key @param {string | null} name */
export function named(words, key, name) {
  return (name === null ? words[`${key}_someone`] : words[key]?.replace("{name}", name)) ?? words[key] ?? "";
}

/** @param {Words} words @param {string} key @param {number} n */
export function counted(words, key, n) {
  return (n === 1 ? words[`${key}_one`] : words[`${key}_many`]?.replace("{n}", String(n))) ?? "";
}
