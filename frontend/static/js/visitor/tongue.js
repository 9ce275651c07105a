/**
 * Turn the page to another language where it stands: its texts, addresses and direction, and nothing that was written.
 * The same page is fetched in that language, read without running any of it, and its texts are taken over. Loaded when
 * somebody asks for it.
 */

import { later } from "./dial.js";
import { hasLeft } from "./exit.js";
import { wordsOfPage } from "./words.js";

const WITHIN = 15_000;
let times = 0;
/** Attributes that hold words, or lead elsewhere in another language. */
const SPOKEN = ["aria-label", "aria-current", "data-empty", "data-leave", "href", "title"];

/**
 * Turn the page; nothing is changed when the other one does not come.
 *
 * @param {string} href
 * @returns {Promise<void>} fails when the other page did not come
 */
export async function turn(href) {
  times += 1;
  const time = times;
  const other = await fetched(href);
  // of two that were pressed the last one counts, also where it comes first
  if (hasLeft() || time !== times) return;
  const words = wordsOfPage();
  const next = JSON.parse(other.getElementById("words")?.textContent ?? "{}");
  take(document.documentElement, other.documentElement);
  document.title = other.title;
  for (const theirs of other.querySelectorAll("body, body [id]")) {
    const ours = theirs.id === "" ? document.body : document.getElementById(theirs.id);
    if (ours !== null && !(ours instanceof HTMLScriptElement)) turnPart(ours, theirs, (text) => said(words, next, text));
  }
  for (const name of /** @type {const} */ (["lang", "dir"])) document.documentElement[name] = other.documentElement[name];
  Object.assign(words, next);
  void later.survey?.turn();
}

/** @param {string} href @returns {Promise<Document>} */
function fetched(href) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", href);
    request.responseType = "document";
    request.timeout = WITHIN;
    request.onload = () => (request.status === 200 && request.response?.getElementById("words") ? resolve(request.response) : request.onerror?.(new ProgressEvent("error")));
    request.onerror = request.ontimeout = () => reject(new Error("the other page did not come"));
    request.send();
  });
}

/** Return in the new words what a script of this page has said in the old ones. @param {Record<string, string>} words @param {Record<string, string>} next @param {string} text */
function said(words, next, text) {
  const key = Object.keys(words).find((name) => words[name] === text);
  return key === undefined ? undefined : next[key];
}

/** @param {Element} ours @param {Element} theirs */
function take(ours, theirs) {
  for (const name of SPOKEN) {
    const value = theirs.getAttribute(name);
    if (value !== null) ours.setAttribute(name, value);
    else if (name === "aria-current") ours.removeAttribute(name);
  }
  // what the server shows or not by the language
  if (theirs.hasAttribute("data-by-language")) ours.toggleAttribute("hidden", theirs.hasAttribute("hidden"));
}

/**
 * Take the texts of one part over; parts in it that have an id of their own come by themselves, wherever they stand now.
 *
 * @param {Element} ours
 * @param {Element} theirs
 * @param {(text: string) => string | undefined} again
 */
function turnPart(ours, theirs, again) {
  take(ours, theirs);
  if (ours.id === "lines" || ours.getAttribute("dir") === "auto") return;
  if (theirs.hasAttribute("data-whole")) return ours.replaceChildren(...[...theirs.childNodes].map((node) => document.importNode(node, true)));
  const [mine, other] = [textsOf(ours), textsOf(theirs)];
  mine.forEach((node, at) => {
    const text = again(node.data) ?? (mine.length === other.length ? other[at]?.data : undefined);
    if (text !== undefined && text !== node.data) node.data = text;
  });
  const [kept, fresh] = [partsOf(ours), partsOf(theirs)];
  if (kept.length !== fresh.length) return;
  kept.forEach((part, at) => turnPart(part, /** @type {Element} */ (fresh[at]), again));
}

/** @param {Element} element @returns {Text[]} */
function textsOf(element) {
  return /** @type {Text[]} */ ([...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim() !== ""));
}

/** @param {Element} element */
function partsOf(element) {
  return [...element.children].filter((part) => part.id === "");
}
