/** Who came back by words: whether it is the same person, and the code word by which they are known. */

import { say } from "../lib/say.js";
import { post } from "../staff/api.js";
import { ask } from "../staff/ask.js";
import { h, setText } from "../staff/dom.js";

/**
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {(text: string) => void} Tell
 */

const CUES = ["cue_ask", "cue_voice", "cue_unsure"];

/**
 * Return what stands above a conversation while it is not known whether who came back is the same person.
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
  const cues = h("details", {}, h("summary", {}, say(words, "return_cues")), h("ul", {}, ...CUES.map((cue) => h("li", {}, say(words, cue)))));
  const element = h(
    "section",
    { class: "returned", "aria-label": say(words, "returned"), hidden: true },
    h("p", {}, h("strong", {}, say(words, "returned")), " ", say(words, "returned_more"), " ", say(words, "cue_nothing")),
    h("div", { class: "choices" }, accept, refuse, reader.button),
    reader.shown,
    cues,
  );

  /** @param {string} command @param {string} done */
  async function decide(command, done) {
    accept.disabled = refuse.disabled = true;
    const answer = await post(`conversations/${id}/${command}`);
    accept.disabled = refuse.disabled = false;
    tell(say(words, answer.ok ? done : `error_${answer.code}`, { name }));
  }
  accept.addEventListener("click", () => void decide("accept", "return_accept_done"));
  refuse.addEventListener("click", async () => {
    const sure = await ask(words, { title: say(words, "return_not_them_title"), text: say(words, "return_not_them_text"), yes: say(words, "return_not_them_yes") });
    refuse.focus();
    if (sure !== null) await decide("not-them", "return_not_them_done");
  });

  /** @param {ConversationSummary | undefined} one @param {boolean} mine */
  function render(one, mine) {
    const due = mine && one?.state === "active" && one.returned;
    element.hidden = !due;
    if (!due) reader.forget();
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
    save.disabled = true;
    const answer = await post(`conversations/${id}/code-word`, { text: field.value });
    save.disabled = false;
    setText(problem, answer.ok ? "" : say(words, `error_${answer.code}`));
    if (!answer.ok) return field.focus();
    field.value = "";
    reader.forget();
    return tell(say(words, "code_saved"));
  });
  const element = h("details", { class: "agree" }, h("summary", {}, say(words, "code_open")), form);
  return { element, draft: () => field.value };
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
