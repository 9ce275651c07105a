/** Keys of the console, and the page that names them. No key ends anything. */

import { oldestUnanswered } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { byId } from "../staff/dom.js";

/**
 * @param {import("../lib/say.js").Words} words
 * @param {{state: () => import("../lib/console_store.js").State, bySlot: (digit: string) => string | undefined,
 *   show: (id: string) => void, tell: (text: string) => void}} does
 */
export function keys(words, does) {
  /** @param {KeyboardEvent} event */
  function shortcut(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
    if (digit === undefined && event.code !== "KeyN") return;
    event.preventDefault();
    const target = digit !== undefined ? does.bySlot(digit) : oldestUnanswered(does.state())?.id;
    if (target !== undefined) does.show(target);
    else does.tell(say(words, digit === undefined ? "nobody_unanswered" : "no_such_chat", { n: digit ?? "" }));
  }

  document.addEventListener("keydown", shortcut);
  byId("help-open", HTMLButtonElement).addEventListener("click", () => byId("help", HTMLDialogElement).showModal());
  byId("help-close", HTMLButtonElement).addEventListener("click", () => byId("help", HTMLDialogElement).close());
}
