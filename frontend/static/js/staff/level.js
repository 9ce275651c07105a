/** A level of danger: always a word and a shape, and a colour only besides. */

import { say } from "../lib/say.js";
import { h, setAttribute, setText } from "./dom.js";

/** @typedef {import("../lib/say.js").Words} Words */

const SHAPES = ["○", "◆", "▲", "■", "✚"];

/**
 * @param {Words} words
 * @param {number} level
 * @returns {HTMLSpanElement}
 */
export function levelMark(words, level) {
  const mark = h("span", { class: "level" }, h("span", { class: "shape", "aria-hidden": "true" }), h("span", { class: "word" }));
  setLevel(words, mark, level);
  return mark;
}

/**
 * @param {Words} words
 * @param {Element} mark made by `levelMark`
 * @param {number} level
 */
export function setLevel(words, mark, level) {
  const [shape, word] = mark.children;
  setAttribute(mark, "data-level", String(level));
  if (shape !== undefined) setText(shape, SHAPES[level] ?? "○");
  if (word !== undefined) setText(word, say(words, `level_${level}`));
}
