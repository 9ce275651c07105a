/**
 * Leaving at once. Loaded before everything else and needs nothing else; the link itself works without it.
 *
 * The order matters: first the page is empty, then the line is cut and the server told, then the browser goes.
 */

const PRESSES = 3;
const WITHIN = 5_000;
const AGAIN_AFTER = 5_000;

/** @type {{token: string | null, cut: () => void}} */
export const chat = { token: null, cut: () => undefined };
let left = false;
let wiped = false;

/**
 * Say what leaving has to end.
 *
 * @param {string} token
 * @param {() => void} cut closes the line
 */
export function arm(token, cut) {
  chat.token = token;
  chat.cut = cut;
}

/** Tell whether the page is empty for good: nothing may be shown any more. */
export function hasLeft() {
  return wiped;
}

/** Empty the page in this very frame. */
function wipe() {
  wiped = true;
  document.documentElement.hidden = true;
  // not there yet while the page is read
  document.body?.replaceChildren();
}

/** @returns {string} the neutral page */
function destination() {
  return document.documentElement.dataset["leave"] ?? "about:blank";
}

/** Go, and go again if something stopped it: each time later, since a new try cuts off a slow answer to the last one. */
function go(wait = AGAIN_AFTER) {
  location.replace(destination());
  setTimeout(go, wait, wait * 2);
}

export function leave() {
  if (left) return;
  left = true;
  try {
    wipe();
    chat.cut();
    const body = JSON.stringify({ token: chat.token });
    // also without a chat: the answer makes the browser drop what it cached of this page
    fetch("/bye", { method: "POST", keepalive: true, headers: { "content-type": "application/json" }, body }).catch(() => undefined);
  } finally {
    chat.token = null;
    go();
  }
}

/** @type {Record<string, number[]>} */
const presses = { Shift: [], Escape: [] };
/** The key that is down and has not been combined with another. @type {string | null} */
let alone = null;

function forget() {
  alone = null;
  for (const times of Object.values(presses)) times.length = 0;
}

/** On phones, on-screen keyboards send Shift by themselves at the start of each sentence. @param {Event} event */
function typedByThumb(event) {
  return event.target instanceof HTMLTextAreaElement && matchMedia("(pointer: coarse)").matches;
}

/** @param {KeyboardEvent} event */
function down(event) {
  // the last press, or one too many, would otherwise stop the neutral page from loading
  if (event.key === "Escape") event.preventDefault();
  if (event.repeat) return;
  const counts = Object.hasOwn(presses, event.key) && !event.isComposing && !typedByThumb(event);
  if (!counts || (alone !== null && alone !== event.key)) forget();
  alone = counts ? event.key : null;
}

/** @param {KeyboardEvent} event */
function up(event) {
  if (left && event.key === "Escape") location.replace(destination());
  const times = presses[event.key];
  if (times === undefined || alone !== event.key) return;
  const before = times.at(-1);
  if (before !== undefined && event.timeStamp - before > WITHIN) times.length = 0;
  if (times.push(event.timeStamp) >= PRESSES) leave();
}

document.addEventListener("keydown", down, true);
document.addEventListener("keyup", up, true);
document.addEventListener("pointerdown", forget, true);
document.addEventListener(
  "click",
  (event) => {
    if (!(event.target instanceof Element) || event.target.closest("a[data-leave]") === null) return;
    event.preventDefault();
    leave();
  },
  true,
);
// Whatever way the page goes, the browser may keep it for Back; it then keeps an empty one.
window.addEventListener("pagehide", wipe);
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  wipe();
  if (left) go();
  else location.replace("/");
});
