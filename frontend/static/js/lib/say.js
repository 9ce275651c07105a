/**
 * Words for people, from the list that the server put into the page. No DOM.
 *
 * @typedef {Readonly<Record<string, string>>} Forms one text for each plural category
 * @typedef {Readonly<Record<string, string | Forms>>} Words
 */

/** @type {Map<string, Intl.PluralRules>} */
const rules = new Map();

/**
 * Return the text of `key` with its `{name}` marks filled; `n` chooses between plural forms.
 *
 * A missing word shows its key: an ugly page that works beats a blank one in the middle of a conversation.
 *
 * @param {Words} words
 * @param {string} key
 * @param {Readonly<Record<string, string | number>>} [values]
 * @returns {string}
 */
export function say(words, key, values = {}) {
  const entry = Object.hasOwn(words, key) ? words[key] : undefined;
  const text = typeof entry === "object" ? form(entry, language(words), Number(values["n"] ?? 0)) : (entry ?? key);
  return text.replace(/\{(\w+)\}/g, (mark, name) => (Object.hasOwn(values, name) ? String(values[name]) : mark));
}

/**
 * Tell whether the list has this word.
 *
 * @param {Words} words
 * @param {string} key
 */
export function knows(words, key) {
  return Object.hasOwn(words, key);
}

/**
 * Return the language of the list.
 *
 * @param {Words} words
 * @returns {string}
 */
export function language(words) {
  const code = words["language"];
  return typeof code === "string" ? code : "en";
}

/**
 * @param {Forms} forms
 * @param {string} code
 * @param {number} n
 * @returns {string}
 */
function form(forms, code, n) {
  const rule = rules.get(code) ?? new Intl.PluralRules(code);
  rules.set(code, rule);
  return forms[rule.select(n)] ?? forms["other"] ?? "";
}
