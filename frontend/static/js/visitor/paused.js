/**
 * A chat that is paused: says until when, with the numbers to call, and keeps what is written in its box. Loaded when a
 * pause comes; its texts come with it. What was sent in the moment before stays on the page, and goes out when it is over.
 */

import { chat } from "./exit.js";
import { box } from "./view.js";

const HALF_A_DAY = 43_200_000;

/** @type {HTMLElement | null} */
let shown = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let ending;
let times = 0;

/**
 * Show the pause, or take it away.
 *
 * @param {boolean} there whether there may be one
 * @param {(text: string) => void} say
 * @returns {Promise<void>} fails when the server does not answer
 */
export async function show(there, say) {
  times += 1;
  const time = times;
  const { left = 0, words: texts = {} } = there ? await asked() : {};
  // another one was asked for meanwhile
  if (time !== times) return;
  const first = shown === null;
  over();
  if (left <= 0) return;
  const until = new Date(Date.now() + left).toLocaleString(`${document.documentElement.lang}-CA`, { ...(left > HALF_A_DAY ? { weekday: "long" } : {}), hour: "numeric", minute: "2-digit" });
  const when = texts.until.replace("{time}", until);
  shown = paused(texts, when);
  box("composer").before(shown);
  hold(true);
  ending = setTimeout(over, left);
  if (first) say(`${texts.title} ${when}`);
}

/** @returns {Promise<{left?: number, words?: any}>} */
async function asked() {
  const body = JSON.stringify({ token: chat.token });
  const answer = await fetch(`/pause?l=${document.documentElement.lang}`, { method: "POST", headers: { "content-type": "application/json" }, body });
  if (!answer.ok) throw new Error("our side does not say");
  return answer.json();
}

/** @param {Record<string, string>} texts @param {string} when */
function paused(texts, when) {
  const made = document.createElement("div");
  made.id = "paused";
  made.className = "box";
  const title = document.createElement("h2");
  title.textContent = texts["title"] ?? "";
  const call = document.createElement("p");
  call.append(...[...box("call").childNodes].map((node) => node.cloneNode(true)));
  made.append(title, line(when), call, line(texts["may"] ?? ""), line(texts["kept"] ?? ""));
  return made;
}

/** @param {string} text */
function line(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function over() {
  clearTimeout(ending);
  shown?.remove();
  shown = null;
  hold(false);
}

/** Let nothing be sent, and everything be written. @param {boolean} on */
function hold(on) {
  for (const id of ["send", "keys"]) box(id).hidden = on;
  // shown and hidden by what is typed
  box("parts").toggleAttribute("disabled", on);
}

box("composer").addEventListener(
  "keydown",
  (event) => {
    // Enter makes a new line then, as it does on a phone
    if (shown !== null && event.key === "Enter") event.stopPropagation();
  },
  true,
);
