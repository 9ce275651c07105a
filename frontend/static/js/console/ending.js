/** The end of a conversation, in two steps: ask whether there is anything else, and only then end it. */

import { summary } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { post } from "../staff/api.js";
import { ask } from "../staff/ask.js";
import { h, setAttribute, setText } from "../staff/dom.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/say.js").Words} Words
 */

/**
 * Return what ends a conversation. The line that asks is prepared in the visitor's language and can be changed; who
 * has asked in their own words goes straight on.
 *
 * @param {Words} words
 * @param {string} id
 * @param {string} name how staff speak of it
 * @param {{send: (id: string, kind: "post" | "note", body: string) => void, tell: (text: string) => void}} does
 * @param {() => void} done
 */
export function ending(words, id, name, does, done) {
  const key = `closing-${id}`;
  const button = h("button", { type: "button", "aria-expanded": "false", "aria-controls": key }, say(words, "end_with", { name }));
  const line = h("textarea", { id: `${key}-line`, rows: 4, autocomplete: "off", dir: "auto", "aria-describedby": `${key}-why` });
  const why = h("p", { class: "hint", id: `${key}-why` }, say(words, "closing_why"));
  const send = h("button", { type: "button", class: "closing-send" }, say(words, "closing_send"));
  const asked = h("button", { type: "button", class: "closing-asked" }, say(words, "closing_asked"));
  const later = h("button", { type: "button" }, say(words, "closing_later"));
  const first = h("div", {}, h("label", { for: line.id }, say(words, "closing_label", { name })), why, line, h("p", { class: "choices" }, send, asked, later));
  const news = h("p", { role: "status" });
  const now = h("button", { type: "button", class: "closing-end" }, say(words, "closing_end"));
  const goOn = h("button", { type: "button" }, say(words, "closing_go_on"));
  const second = h("div", { hidden: true }, news, h("p", { class: "choices" }, now, goOn));
  const steps = h("div", { id: key, class: "closing", hidden: true }, first, second);
  const element = h("div", { class: "end" }, h("p", {}, button), steps);
  /** The line as it was prepared. */
  let prepared = "";

  /** @param {boolean} open */
  function show(open) {
    steps.hidden = !open;
    setAttribute(button, "aria-expanded", String(open));
    first.hidden = false;
    second.hidden = true;
    if (open) line.focus();
  }

  function sent() {
    const body = line.value.trim();
    if (body === "") return line.focus();
    does.send(id, "post", body);
    line.value = prepared;
    [first.hidden, second.hidden] = [true, false];
    return goOn.focus();
  }

  async function end() {
    const sure = await ask(words, { title: say(words, "end_title", { name }), text: say(words, "end_text"), yes: say(words, "end_yes") });
    button.focus();
    if (sure === null) return;
    const answer = await post(`conversations/${id}/end`);
    if (answer.ok) done();
    does.tell(answer.ok ? say(words, "end_done", { name }) : say(words, `error_${answer.code}`));
  }

  button.addEventListener("click", () => show(steps.hasAttribute("hidden")));
  send.addEventListener("click", sent);
  for (const one of [asked, now]) one.addEventListener("click", () => void end());
  for (const one of [later, goOn]) {
    one.addEventListener("click", () => {
      show(false);
      button.focus();
    });
  }

  const draft = () => (line.value === prepared ? "" : line.value);

  /** @param {State} state @param {boolean} may whether it can be ended now */
  function render(state, may) {
    const language = summary(state, id)?.language;
    // a visitor may change the language: a line that nobody has changed follows
    if (language !== undefined && line.lang !== language && draft() === "") {
      line.value = prepared = say(words, `closing_${language}`);
      line.lang = language;
    }
    // a line in their own words stays to be read and copied
    const left = !may && draft().trim() !== "";
    element.hidden = !may && !left;
    line.readOnly = !may;
    for (const one of [button, send, asked, later]) one.hidden = !may;
    if (left) [steps.hidden, first.hidden, second.hidden] = [false, false, true];
    else if (!may && !steps.hidden) show(false);
    const last = state.logs[id]?.lines.filter((one) => one.type === "message").at(-1);
    setText(news, say(words, last?.type === "message" && last.author === "visitor" ? "closing_answered" : "closing_sent"));
  }

  return { element, render, draft };
}
