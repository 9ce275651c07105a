/** Divide a text that is too long for one message. Pure: no DOM. */

/** Where a text is best divided, the best first: between paragraphs, lines, sentences, words. */
const PLACES = [/\n\s*\n/g, /\n/g, /[.!?…؟۔。]["'»”’)]*\s/g, /\s/g];
/** Signs that belong to the one before them: accents on their own, joiners, the second half of a pictograph. */
const BELONGS = /^[\p{M}\p{Emoji_Modifier}\u200c\u200d\ufe0e\ufe0f]/u;
const JOINS = /\u200d$/u;

/**
 * Return the parts of a text in order, each short enough for the server, which counts characters and not half ones. All
 * of them together are the whole text, but for blank space where it was divided.
 *
 * @param {string} text
 * @param {number} most characters in one part
 * @returns {string[]}
 */
export function parts(text, most) {
  const found = [];
  let rest = text.replace(/\r\n?/g, "\n").trim();
  while ([...rest].length > most) {
    const window = [...rest].slice(0, most + 1).join("");
    const end = placeIn(window, most);
    found.push(rest.slice(0, end).trim());
    rest = rest.slice(end).trim();
  }
  return [...found, rest].filter((part) => part !== "");
}

/** Return where to divide: not in the first half, or one long paragraph would leave a crumb before it. @param {string} window @param {number} most */
function placeIn(window, most) {
  for (const place of PLACES) {
    const ends = [...window.matchAll(place)].map((match) => match.index + match[0].length);
    const last = ends.filter((end) => end >= window.length / 2 && [...window.slice(0, end).trimEnd()].length <= most).at(-1);
    if (last !== undefined) return last;
  }
  return between([...window], most);
}

/** @param {string[]} signs @param {number} most */
function between(signs, most) {
  let end = most;
  while (end > most / 2 && (BELONGS.test(signs[end] ?? "") || JOINS.test(signs[end - 1] ?? ""))) end -= 1;
  return signs.slice(0, end).join("").length;
}
