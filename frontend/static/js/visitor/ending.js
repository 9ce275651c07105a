/**
 * Having our side told that the visitor ended the chat. The page is empty by then, and does not say that the chat is
 * closed before it is: on a line that is down the end waits in this page alone. Loaded while a chat runs.
 */

import { chat, hasLeft } from "./exit.js";
import { box } from "./view.js";

const AGAIN_AFTER = 5_000;
/** Refusals that say that it is over, or nothing of this page any more. */
const OVER = new Set(["token_spent", "token_unknown", "wrong_state"]);

/**
 * Say that the chat is being closed until our side knows. A request tells it beside the line: it gets through where only
 * the line is down, and outlives the page.
 *
 * @param {Promise<import("../lib/socket.js").Answer> | undefined} answer of the line
 */
export function tell(answer) {
  show(false);
  const byLine = Promise.resolve(answer).then((one) => check(one !== undefined && (one.ok || OVER.has(one.code))));
  Promise.any([byLine, request()]).then(
    () => show(true),
    // nobody's chat any more once it is erased, or somebody has left
    () => chat.token !== null && setTimeout(tell, AGAIN_AFTER, undefined),
  );
}

async function request() {
  const body = JSON.stringify({ token: chat.token, frame: { type: "end", ref: 1 } });
  const answer = await fetch("/send", { method: "POST", keepalive: true, headers: { "content-type": "application/json" }, body });
  const { frames } = await answer.json();
  check(frames.some((/** @type {{type: string, code: string}} */ frame) => frame.type === "ok" || OVER.has(frame.code)));
}

/** @param {boolean} told */
function check(told) {
  if (!told) throw new Error("our side does not know yet");
}

/** @param {boolean} told */
export function show(told) {
  if (!hasLeft()) box("closing").hidden = box("untold").hidden = told;
}
