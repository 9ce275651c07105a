/** The archive's pages: passkeys, a look at what one types, and the minutes until it locks itself. All else is forms. */

import { say } from "../lib/say.js";
import { post } from "../staff/api.js";
import { byId, data, setText } from "../staff/dom.js";
import { knowsPasskeys, makePasskey, NoSecrets, usePasskey } from "./passkey.js";

const MINUTE = 60_000;
const SOON = 2 * MINUTE;
const LOOK_EVERY = 5_000;

const words = data("words");

/** @param {string} id @returns {HTMLElement | null} a part that not every page of the archive has */
function part(id) {
  return document.getElementById(id);
}

/** @param {unknown} error what the browser or the authenticator raised @returns {string} */
function reason(error) {
  if (error instanceof NoSecrets) return error.left ? "passkey_left" : "passkey_none";
  if (error instanceof DOMException && error.name === "InvalidStateError") return "passkey_known";
  if (error instanceof DOMException && error.name === "NotSupportedError") return "passkey_none";
  return "passkey_stopped";
}

/**
 * Let a button ask the device for a passkey's secret and post it. The secret is in this function and in the request only.
 *
 * @param {string} id
 * @param {string} path under /staff/api/
 * @param {(button: HTMLButtonElement) => Promise<import("./passkey.js").Made>} ask
 * @param {(button: HTMLButtonElement) => string} next where to go after
 */
function passkeyButton(id, path, ask, next) {
  const button = part(id);
  if (!(button instanceof HTMLButtonElement) || !knowsPasskeys()) return;
  const news = byId("passkey-news", HTMLElement);
  byId("by-passkey", HTMLElement).hidden = false;
  button.addEventListener("click", async () => {
    const password = part("passkey-password");
    if (password instanceof HTMLInputElement && !password.reportValidity()) return;
    button.disabled = true;
    setText(news, say(words, "passkey_asks"));
    try {
      const made = await ask(button);
      const proof = password instanceof HTMLInputElement ? { password: password.value } : {};
      const answer = await post(path, { ...made, ...proof });
      if (answer.ok) return location.replace(next(button));
      setText(news, say(words, `error_${answer.code}`));
    } catch (error) {
      setText(news, say(words, reason(error)));
    }
    button.disabled = false;
    return button.focus();
  });
}

/** Let somebody see what they type, since nobody types six words blindly for long. */
function showButtons() {
  for (const button of document.querySelectorAll("button[data-show]")) {
    const field = part(button.getAttribute("data-show") ?? "");
    if (!(button instanceof HTMLButtonElement) || !(field instanceof HTMLInputElement)) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      setText(button, say(words, shown ? "hide" : "show"));
      field.focus();
    });
    // a shown one would be kept by browsers that keep what stands in fields
    field.form?.addEventListener("submit", () => (field.type = "password"));
  }
}

/** Count down until the archive locks itself, offer to stay, and in the end take what was read off the page. */
function countDown() {
  const box = part("unlocked");
  if (box === null) return;
  let ends = performance.now() + Number(box.dataset["left"]) * 1_000;
  const stay = byId("stay", HTMLButtonElement);
  const soon = byId("locks-soon", HTMLElement);

  function over() {
    clearInterval(clock);
    for (const read of document.querySelectorAll("[data-secret]")) read.remove();
    box?.classList.add("over", "soon");
    stay.hidden = true;
    setText(byId("locks-in", HTMLElement), "");
    setText(soon, say(words, "locked_now"));
    for (const part of box?.querySelectorAll("strong, form") ?? []) part.remove();
    byId("again", HTMLAnchorElement).hidden = false;
  }

  function look() {
    const left = ends - performance.now();
    if (left <= 0) return over();
    setText(byId("locks-in", HTMLElement), left > SOON ? say(words, "locks_in", { n: Math.ceil(left / MINUTE) }) : "");
    stay.hidden = left > SOON;
    box?.classList.toggle("soon", left <= SOON);
    return setText(soon, left > SOON ? "" : say(words, "locks_soon"));
  }

  stay.addEventListener("click", async () => {
    const answer = await post("archive/stay");
    if (answer.ok) ends = performance.now() + Number(answer.body.left) * 1_000;
    else if (answer.code === "locked" || answer.code === "sign_in_again") ends = 0;
    look();
    if (stay.hidden) byId("main", HTMLElement).focus();
  });
  const clock = setInterval(look, LOOK_EVERY);
  // a computer that slept
  document.addEventListener("visibilitychange", look);
  look();
}

passkeyButton(
  "use-passkey",
  "archive/unlock",
  () => usePasskey(data("passkeys")),
  (button) => button.dataset["to"] ?? "/staff/archive",
);
passkeyButton(
  "add-passkey",
  "archive/passkey",
  (button) => makePasskey(button.dataset["name"] ?? "", data("passkeys")),
  () => "/staff/archive",
);
showButtons();
countDown();
