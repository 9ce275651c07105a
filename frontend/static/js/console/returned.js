/** Who came back by words: whether it is the same person, and the code word by which they are known. */

import { say } from "../lib/say.js";
import { post } from "../staff/api.js";
import { ask } from "../staff/ask.js";
import { h, setText } from "../staff/dom.js";
import { voiceButton } from "./limits.js";

/**
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../protocol.js").Returned} Returned
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {(text: string) => void} Tell
 */

/** Milliseconds for which a press still meant what stood there before. */
const A_LOOK = 2_000;
const CUES = ["cue_ask", "cue_voice", "cue_unsure"];

/**
 * Return what stands above a conversation while it is not known whether who came back is the same person.
 *
 * What is decided is about the one return that stands here: when somebody comes back once more, everything that was
 * looked at is taken away, and a press that was on its way decides nothing.
 *
 * @param {Words} words
 * @param {string} id
 * @param {string} name how staff speak of it
 * @param {Tell} tell
 */
export function returnPanel(words, id, name, tell) {
  const accept = h("button", { type: "button", class: "main" }, say(words, "return_accept"));
  const refuse = h("button", { type: "button" }, say(words, "return_not_them"));
  const reader = codeWordReader(words, id);
  const again = h("p", { hidden: true });
  const cues = h("details", {}, h("summary", {}, say(words, "return_cues")), h("ul", {}, ...CUES.map((cue) => h("li", {}, say(words, cue)))));
  const element = h(
    "section",
    { class: "returned", "aria-label": say(words, "returned"), hidden: true },
    h("p", {}, h("strong", {}, say(words, "returned")), " ", say(words, "returned_more"), " ", say(words, "cue_nothing")),
    again,
    h("div", { class: "choices" }, accept, refuse, reader.button, voiceButton(words, id, name, tell)),
    reader.shown,
    cues,
  );
  /** @type {Returned | null} */
  let shown = null;
  let shownFrom = 0;

  /** Return the number of the return that somebody has had before their eyes; null, and say so, if it is another. */
  function looked() {
    if (shown !== null && Date.now() >= shownFrom) return shown.number;
    tell(say(words, "return_changed"));
    return null;
  }
  /** @param {string} command @param {string} done @param {number} returned */
  async function decide(command, done, returned) {
    accept.disabled = refuse.disabled = true;
    const answer = await post(`conversations/${id}/${command}`, { returned });
    accept.disabled = refuse.disabled = false;
    if (answer.ok) tell(say(words, done, { name }));
    else tell(say(words, answer.code === "wrong_state" ? "return_changed" : `error_${answer.code}`));
  }
  accept.addEventListener("click", () => {
    const returned = looked();
    if (returned !== null) void decide("accept", "return_accept_done", returned);
  });
  refuse.addEventListener("click", async () => {
    const returned = looked();
    if (returned === null) return;
    const sure = await ask(words, { title: say(words, "return_not_them_title"), text: say(words, "return_not_them_text"), yes: say(words, "return_not_them_yes") });
    refuse.focus();
    if (sure !== null) await decide("not-them", "return_not_them_done", returned);
  });

  /** @param {ConversationSummary | undefined} one @param {boolean} mine */
  function render(one, mine) {
    const due = mine && one?.state === "active" ? one.returned : null;
    element.hidden = due === null;
    if (due?.number === shown?.number) return;
    reader.forget();
    cues.open = false;
    again.hidden = due === null || due.times < 2;
    again.replaceChildren(h("strong", {}, say(words, "returned_again", { n: due?.times ?? 0 })), " ", say(words, "returned_again_more"));
    shownFrom = shown === null ? 0 : Date.now() + A_LOOK;
    shown = due;
  }
  return { element, render };
}

/**
 * Return the form that notes a code word, and shows it again.
 *
 * @param {Words} words
 * @param {string} id
 * @param {Tell} tell
 */
export function codeWordForm(words, id, tell) {
  const field = h("input", { id: `code-${id}`, maxlength: 80, autocomplete: "off", "aria-describedby": `code-hint-${id} code-problem-${id}`, dir: "auto" });
  const problem = h("p", { class: "problem", id: `code-problem-${id}`, role: "alert" });
  const save = h("button", { type: "submit" }, say(words, "code_save"));
  const reader = codeWordReader(words, id);
  const form = h(
    "form",
    { autocomplete: "off" },
    h("label", { for: field.id }, say(words, "code_label")),
    field,
    h("p", { class: "hint", id: `code-hint-${id}` }, say(words, "code_hint")),
    problem,
    h("p", { class: "choices" }, save, reader.button),
    reader.shown,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = field.readOnly = true;
    const answer = await post(`conversations/${id}/code-word`, { text: field.value });
    save.disabled = field.readOnly = false;
    setText(problem, answer.ok ? "" : say(words, `error_${answer.code}`));
    if (!answer.ok) return field.focus();
    field.value = "";
    reader.forget();
    return tell(say(words, "code_saved"));
  });
  const element = h("details", { class: "agree" }, h("summary", {}, say(words, "code_open")), form);

  /** @param {boolean} may whether a word can be agreed now; one that was not saved stays to be read */
  function render(may) {
    element.hidden = !may && field.value.trim() === "";
    if (!may) reader.forget();
  }
  return { element, draft: () => field.value, render };
}

/** Return a button that shows the code word, and where it stands then. @param {Words} words @param {string} id */
function codeWordReader(words, id) {
  const button = h("button", { type: "button" }, say(words, "code_show"));
  const shown = h("p", { class: "code-word", role: "status", dir: "auto" });
  button.addEventListener("click", async () => {
    if (shown.textContent !== "") return forget();
    const answer = await post(`conversations/${id}/code-word/read`);
    if (!answer.ok) return setText(shown, say(words, `error_${answer.code}`));
    setText(button, say(words, "code_hide"));
    return setText(shown, answer.body.text === "" ? say(words, "code_none") : say(words, "code_is", { text: answer.body.text }));
  });
  function forget() {
    setText(shown, "");
    setText(button, say(words, "code_show"));
  }
  return { button, shown, forget };
}
