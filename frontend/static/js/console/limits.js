/** Difficult contacts: five steps with lines to put into the reply, never sent by themselves, and then the pause. */

import { say } from "../lib/say.js";
import { post } from "../staff/api.js";
import { h, setAttribute, setText } from "../staff/dom.js";
import { pauseForm, trackChoice } from "../staff/pausing.js";

/**
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/say.js").Words} Words
 */

const STEPS = ["name", "fine", "follows", "chance", "through"];

/**
 * Return what sets limits in one conversation, in the visitor's language.
 *
 * @param {Words} words
 * @param {readonly number[]} lengths of a pause
 * @param {string} id
 * @param {string} name how staff speak of it
 * @param {{tell: (text: string) => void, insert: (id: string, body: string) => void}} does
 */
export function limitsPanel(words, lengths, id, name, does) {
  const track = trackChoice(words, `limits-${id}`);
  const pause = pauseForm(words, lengths, id, name, does.tell, track);
  const steps = STEPS.map((step) => {
    const title = say(words, `limits_step_${step}`);
    const line = h("p", { class: "sample", dir: "auto" });
    const put = h("button", { type: "button", "aria-label": say(words, "limits_put_about", { step: title }) }, say(words, "limits_put"));
    put.addEventListener("click", () => {
      does.insert(id, line.textContent ?? "");
      does.tell(say(words, "limits_done"));
    });
    return { step, line, row: h("li", {}, h("strong", {}, title), line, put) };
  });
  const list = h("ol", { class: "limit-steps", hidden: true }, ...steps.map(({ row }) => row));
  const element = h(
    "details",
    { class: "agree limits" },
    h("summary", {}, say(words, "limits_open", { name })),
    h("div", { class: "inside" }, h("p", { class: "hint" }, say(words, "limits_why")), track.element, list, pause.element),
  );
  let language = "en";
  track.element.addEventListener("change", draw);

  function draw() {
    list.hidden = track.value() === "";
    if (list.hidden) return;
    for (const { step, line } of steps) {
      setText(line, say(words, `limit_${track.value()}_${step}_${language}`));
      setAttribute(line, "lang", language);
    }
  }

  /** @param {ConversationSummary | undefined} one @param {boolean} mine */
  function render(one, mine) {
    element.hidden = !mine || one?.state !== "active";
    if (element.hidden) return;
    language = one?.language ?? language;
    draw();
    pause.render(one, true);
  }
  return { element, render };
}

/**
 * Return the button by which an advocate says that the voice has changed: one tap, and a supervisor is asked.
 *
 * @param {Words} words
 * @param {string} id
 * @param {string} name
 * @param {(text: string) => void} tell
 */
export function voiceButton(words, id, name, tell) {
  const button = h("button", { type: "button", class: "voice" }, say(words, "voice_mark"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await post(`conversations/${id}/voice`);
    button.disabled = false;
    button.focus();
    tell(say(words, answer.ok ? "voice_done" : `error_${answer.code}`, { name }));
  });
  return button;
}
