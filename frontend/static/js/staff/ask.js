/** Ask before something that cannot be taken back, and for a reason where one is owed. */

import { say } from "../lib/say.js";
import { byId, setText } from "./dom.js";

/** @typedef {import("../lib/say.js").Words} Words */

/**
 * Show the page's one dialog; resolve with the reason (empty when none was asked), or null when the person went back.
 *
 * @param {Words} words
 * @param {{title: string, text: string, yes: string, reason?: string}} question `reason` labels the field and asks for it
 * @returns {Promise<string | null>}
 */
export function ask(words, question) {
  const dialog = byId("ask", HTMLDialogElement);
  const form = byId("ask-form", HTMLFormElement);
  const field = byId("ask-reason", HTMLTextAreaElement);
  const label = byId("ask-reason-label", HTMLLabelElement);
  const problem = byId("ask-problem", HTMLParagraphElement);
  const wantsReason = question.reason !== undefined;
  setText(byId("ask-title", HTMLHeadingElement), question.title);
  setText(byId("ask-text", HTMLParagraphElement), question.text);
  setText(byId("ask-yes", HTMLButtonElement), question.yes);
  setText(label, question.reason ?? "");
  setText(problem, "");
  label.hidden = field.hidden = !wantsReason;
  field.value = "";
  dialog.showModal();
  (wantsReason ? field : byId("ask-no", HTMLButtonElement)).focus();

  return new Promise((resolve) => {
    const over = new AbortController();
    /** @type {string | null} */
    let answer = null;
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        const reason = field.value.trim();
        if (wantsReason && reason === "") {
          setText(problem, say(words, "error_reason_missing"));
          field.focus();
          return;
        }
        answer = reason;
        dialog.close();
      },
      { signal: over.signal },
    );
    byId("ask-no", HTMLButtonElement).addEventListener("click", () => dialog.close(), { signal: over.signal });
    dialog.addEventListener(
      "close",
      () => {
        over.abort();
        field.value = "";
        resolve(answer);
      },
      { signal: over.signal },
    );
  });
}
