/** Having a conversation erased, with its end or after it. Loaded only where the site offers it; the rest needs none of it. */

import { later } from "../visitor/dial.js";
import { chat } from "../visitor/exit.js";
import { end, finish } from "../visitor/main.js";
import { put } from "../visitor/view.js";
import { wordsOfPage } from "../visitor/words.js";

const words = wordsOfPage();

/** @param {string} what @returns {HTMLElement} */
function found(what) {
  const part = document.querySelector(what);
  if (!(part instanceof HTMLElement)) throw new Error(`the page has no ${what}`);
  return part;
}

const news = found("[data-erase-news]");
const again = found("[data-erase=ended]");

/** Keep nothing that leads to the conversation. */
function forget() {
  chat.cut();
  chat.token = null;
  chat.cut = () => undefined;
}

/** @param {boolean} asked */
function over(asked) {
  forget();
  later.ending?.show(true);
  put(news, words[asked ? "erase_asked" : "erase_kept"] ?? "");
  put(found("[data-erase-urgent]"), asked ? (words["erase_urgent"] ?? "") : "");
  found("[data-erase-urgent]").hidden = found("#erasing-ended").hidden = !asked;
  found("#erasing-ended [data-erase-will]").hidden = true;
}

/** Ask; the page is empty by now. When it fails nothing is lost: the button stays. */
async function erase() {
  const token = chat.token;
  if (token === null) return;
  again.hidden = true;
  put(news, words["erasing"] ?? "");
  news.focus();
  const body = JSON.stringify({ token });
  try {
    // keepalive: somebody who leaves right after has asked all the same
    const answer = await fetch("/erase", { method: "POST", keepalive: true, headers: { "content-type": "application/json" }, body });
    if (answer.status === 204 || answer.status === 409) return over(answer.status === 204);
  } catch {
    // the line is down: said below
  }
  put(news, words["erase_failed"] ?? "");
  again.hidden = false;
  return again.focus();
}

/** The page is empty first, as at every end. @type {Record<string, () => void>} */
const before = { end, over: finish, ended: () => undefined };
for (const button of document.querySelectorAll("[data-erase]")) {
  button.addEventListener("click", () => {
    before[button.getAttribute("data-erase") ?? "ended"]?.();
    void erase();
  });
}
