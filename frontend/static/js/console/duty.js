/** The card that tells a visitor what we may have to report, sent before anybody asks who they are. */

import { say } from "../lib/say.js";
import { newId, post } from "../staff/api.js";
import { h, setAttribute, setText } from "../staff/dom.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {Readonly<Record<string, Readonly<Record<string, string>>>>} Cards by language, then by province
 */

const PROVINCES = ["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];

/**
 * Return the card of one conversation: whether it is still due, and the place from which it is sent.
 *
 * @param {Words} words
 * @param {string} id
 * @param {string} name
 * @param {(text: string) => void} tell
 */
export function dutyCard(words, id, name, tell) {
  const key = `duty-${id}`;
  const first = h("p", { class: "first" });
  const where = h(
    "select",
    { id: `${key}-where` },
    h("option", { value: "" }, say(words, "duty_unknown")),
    ...PROVINCES.map((code) => h("option", { value: code }, say(words, `province_${code}`))),
  );
  const text = h("blockquote", { class: "card", id: `${key}-text`, dir: "auto" });
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { type: "button", class: "main send-card" }, say(words, "duty_send"));
  const summary = h("summary", {}, say(words, "duty_open", { name }));
  const box = h(
    "details",
    { class: "agree duty" },
    summary,
    h(
      "form",
      {},
      h("p", { class: "hint" }, say(words, "duty_why")),
      h("label", { for: where.id }, say(words, "duty_where")),
      where,
      h("p", { id: `${key}-label` }, say(words, "duty_text")),
      text,
    ),
  );
  const outside = h(
    "a",
    { href: `/staff/outside/new/${id}`, target: "_blank", rel: "noopener", class: "outside" },
    say(words, "outside_link", { name }),
    h("span", { class: "unseen" }, ` ${say(words, "new_tab")}`),
  );
  const element = h("div", { class: "duties" }, first, box, problem, button, h("p", {}, outside));
  /** @type {Cards | null} */
  let cards = null;
  let language = "en";
  let sent = false;
  let asked = false;
  /** Made anew once a card is through, so that a second press of the same sends nothing twice. */
  let repeat = newId();

  async function load() {
    asked = true;
    const answer = await post(`conversations/${id}/card`);
    setText(problem, answer.ok ? "" : say(words, `error_${answer.code}`));
    if (answer.ok) {
      cards = answer.body.cards;
      sent ||= answer.body.sent === true;
    }
    show();
  }

  function show() {
    setText(text, cards?.[language]?.[where.value] ?? "");
    setAttribute(text, "lang", language);
    // once it was sent, nobody sends it once more without having opened what it says
    button.hidden = box.hidden || (sent && !box.open);
    setText(button, say(words, sent ? "duty_again" : "duty_send"));
    setText(first, say(words, sent ? "duty_sent" : "duty_first"));
    first.classList.toggle("done", sent);
  }

  box.addEventListener("toggle", () => {
    if (box.open) void load();
    else show();
  });
  where.addEventListener("change", show);
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await post(`conversations/${id}/card/send`, { province: where.value, language, client_id: repeat });
    setText(problem, answer.ok ? "" : say(words, `error_${answer.code}`));
    if (answer.ok) {
      sent = true;
      repeat = newId();
      tell(say(words, "duty_done", { name }));
    }
    button.disabled = false;
    show();
    // a browser drops the focus of a button that goes
    if (button.hidden) summary.focus();
  });

  /** @param {State} state @param {ConversationSummary} one */
  function render(state, one) {
    const log = state.logs[id];
    sent ||= log?.lines.some((line) => line.type === "fact" && line.code === "duty_card_sent") === true;
    // of a long talk this page holds the newest lines only: whether the card was sent before them the server knows
    if (!sent && !asked && (log?.first ?? 0) > 0) void load();
    language = one.language;
    box.hidden = one.state !== "active";
    show();
  }

  return { element, render, due: () => !sent };
}
