/** What a text needs now and then: links, and a long one in parts. Loaded while a chat runs; without it a text stays whole. */

import { pieces } from "../lib/links.js";
import { parts } from "../lib/parts.js";
import { MOST_CHARACTERS } from "../lib/visitor_store.js";

/** @param {string} text @returns {string[]} */
export const inParts = (text) => parts(text, MOST_CHARACTERS);

/**
 * Make links of the addresses in a text of staff, and say what a link does.
 *
 * @param {HTMLElement} place holds the text and nothing else
 * @param {string} note
 */
export function link(place, note) {
  const found = pieces(place.textContent ?? "");
  if (!found.some((piece) => piece.href !== null)) return;
  place.replaceChildren(...found.map(({ text, href }) => (href === null ? text : linkTo(text, href))));
  const about = document.createElement("p");
  about.className = "quiet";
  about.textContent = note;
  place.after(about);
}

/** @param {string} text @param {string} href */
function linkTo(text, href) {
  const element = document.createElement("a");
  [element.textContent, element.href, element.target, element.rel, element.dir] = [text, href, "_blank", "noreferrer noopener nofollow", "ltr"];
  return element;
}
