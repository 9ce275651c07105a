/** Ask before something that cannot be taken back, and for a reason where one is owed. */

import { say } from "../lib/say.js";
import { byId, setAttribute, setText } from "./dom.js";

/** @typedef {import("../lib/say.js").Words} Words */

/** Reasons that were written and not sent, by their question. @type {Map<string, string>} */
const kept = new Map();

/** Tell whether a reason is written and not sent. */
export function unsentReason() {
  const field = document.getElementById("ask-reason");
  return kept.size > 0 || (field instanceof HTMLTextAreaElement && field.value.trim() !== "");
}

/** Forget the reasons of questions that are answered, or can no longer be asked. @param {(key: string) => boolean} which */
export function forgetReasons(which) {
  for (const key of kept.keys()) if (which(key)) kept.delete(key);
}

/**
 * Show the page's one dialog; resolve with the reason (empty when none was asked), or null when the person went back.
 * A reason stays with its question until `forgetReasons`: Escape is pressed by mistake, and a server may refuse.
 *
 * @param {Words} words
 * @param {{title: string, text: string, yes: string, reason?: string, key?: string}} question `reason` labels the field and
 *   asks for it, `key` names the question
 * @returns {Promise<string | null>}
 */
export function ask(words, question) {
  const dialog = byId("ask", HTMLDialogElement);
  const form = byId("ask-form", HTMLFormElement);
  const field = byId("ask-reason", HTMLTextAreaElement);
  const label = byId("ask-reason-label", HTMLLabelElement);
  const problem = byId("ask-problem", HTMLParagraphElement);
  const wantsReason = question.reason !== undefined;
  const key = question.key ?? question.title;
  setText(byId("ask-title", HTMLHeadingElement), question.title);
  setText(byId("ask-text", HTMLParagraphElement), question.text);
  setText(byId("ask-yes", HTMLButtonElement), question.yes);
  setText(label, question.reason ?? "");
  setText(problem, "");
  label.hidden = field.hidden = !wantsReason;
  field.value = kept.get(key) ?? "";
  setAttribute(field, "aria-invalid", null);
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
          setAttribute(field, "aria-invalid", "true");
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
        if (field.value.trim() !== "") kept.set(key, field.value);
        else kept.delete(key);
        field.value = "";
        resolve(answer);
      },
      { signal: over.signal },
    );
  });
}
