/** The right pane of one conversation: how it stands, notes, escalation, its end and the record of the contact. */

import { since } from "../lib/ages.js";
import { drillOver, escalations, summary } from "../lib/console_views.js";
import { language, say } from "../lib/say.js";
import { newId, post } from "../staff/api.js";
import { h, reconcile, setAttribute, setText } from "../staff/dom.js";
import { levelMark, setLevel } from "../staff/level.js";
import { textForm } from "./chat.js";
import { ending } from "./ending.js";
import { limitsPanel, voiceButton } from "./limits.js";
import { codeWordForm } from "./returned.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").EscalationSummary} EscalationSummary
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {readonly (readonly [value: string, label: string])[]} Choices
 */

/**
 * Return the right pane of a conversation.
 *
 * @param {Words} words
 * @param {{types: Choices, dispositions: Choices, pauses: readonly number[]}} choices
 * @param {string} id
 * @param {string} name how staff speak of it
 * @param {{send: (id: string, kind: "post" | "note", body: string) => void, tell: (text: string) => void, insert: (id: string, body: string) => void, toList: () => void, card: ReturnType<typeof import("./duty.js").dutyCard>}} does
 */
export function contextPanel(words, choices, id, name, does) {
  const facts = h("dl", { class: "facts" });
  const values = ["level", "door", "language", "visitor", "opened"].map((key) => {
    const value = h("dd", { class: `fact-${key}` });
    facts.append(h("div", {}, h("dt", {}, say(words, `about_${key}`)), value));
    return value;
  });
  const [level, door, speaks, visitor, opened] = values;
  const mark = levelMark(words, 0);
  level?.append(mark);
  const hint = h("p", { class: "hint", hidden: true });
  const raised = h("ul", { class: "raised" });
  const note = textForm(words, {
    label: say(words, "note_about", { name }),
    button: say(words, "save_note"),
    kind: "note",
    send: (body) => does.send(id, "note", body),
  });
  const flag = flagForm(words, id, name, does.tell);
  const voice = h("p", { class: "mark-voice" }, voiceButton(words, id, name, does.tell), " ", h("span", { class: "hint" }, say(words, "voice_hint")));
  const limits = limitsPanel(words, choices.pauses, id, name, does);
  const codeWord = codeWordForm(words, id, does.tell);
  const contact = contactForm(words, choices, id, name, does);
  /** Whether the end was this person's doing, whose next step is then the record. */
  let records = false;
  const end = ending(words, id, name, does, () => {
    records = true;
    toRecord();
  });
  const element = h(
    "div",
    { class: "context" },
    h("h2", {}, say(words, "about", { name })),
    facts,
    hint,
    raised,
    contact.element,
    flag.element,
    voice,
    does.card.element,
    codeWord.element,
    limits.element,
    note.element,
    end.element,
  );

  /** Put the focus where the record begins, as soon as its form is there. */
  function toRecord() {
    if (!records || contact.element.hidden) return;
    records = false;
    contact.focus();
  }

  /**
   * @param {State} state
   * @param {number} now the server's clock
   */
  function render(state, now) {
    const one = summary(state, id);
    const mine = one !== undefined && state.order.includes(id);
    element.classList.toggle("over", !mine);
    does.card.element.hidden = !mine;
    if (!mine) {
      end.render(state, false);
      // what was written and not sent stays to be read and copied
      for (const form of [contact, flag]) form.element.hidden = form.draft() === "";
      voice.hidden = true;
      limits.render(one, false);
      codeWord.render(false);
      note.allow(false, say(words, "not_yours"));
      return;
    }
    does.card.render(state, one);
    setLevel(words, mark, one.level);
    for (const [value, text] of /** @type {const} */ ([
      [door, say(words, `door_${one.door}`)],
      [speaks, say(words, `language_${one.language}`)],
      [visitor, say(words, drillOver(one) ? "standing_drill_over" : one.ended_by !== null ? `ended_${one.ended_by}` : one.visitor_here ? "here" : "line_lost")],
      [opened, say(words, "ago", { age: since(words, one.opened_at, now) })],
    ])) {
      if (value !== undefined) setText(value, text);
    }
    hint.hidden = one.state !== "active" || one.language === language(words);
    setText(hint, hint.hidden ? "" : say(words, `hint_${one.language}`));
    const here = escalations(state).filter((escalation) => escalation.conversation === id);
    reconcile(raised, here, (escalation) => escalation.id, () => raisedRow(words), (row, escalation) => patchRaised(words, row, escalation, now));
    contact.element.hidden = one.state !== "wrap_up";
    contact.practice(one.drill === true);
    end.render(state, one.state === "active");
    flag.element.hidden = false;
    codeWord.render(one.state === "active");
    voice.hidden = one.state !== "active";
    limits.render(one, true);
    note.allow(true, "");
    toRecord();
  }

  /** Return what is written here and not sent. */
  function draft() {
    return [note, flag, codeWord, ...(contact.recorded() ? [] : [contact, end])].map((form) => form.draft().trim()).join("");
  }

  return { element, render, draft, putBack: note.putBack, recorded: contact.recorded, recording: contact.recording };
}

/** @param {Words} words */
function raisedRow(words) {
  return h("li", {}, levelMark(words, 0), h("span", { class: "what" }));
}

/**
 * @param {Words} words
 * @param {HTMLElement} row
 * @param {EscalationSummary} one
 * @param {number} now
 */
function patchRaised(words, row, one, now) {
  const [mark, what] = row.children;
  if (mark !== undefined) setLevel(words, mark, one.level);
  const by = one.acknowledged_by ?? say(words, "somebody");
  const age = since(words, one.raised_at, now);
  const source = one.source === "person" ? "" : `${say(words, `source_${one.source}`)} `;
  if (what !== undefined) setText(what, source + say(words, `raised_${one.state}`, { age, name: by }));
}

/**
 * Return the form that raises an escalation. The same id goes with it until it is through, so a repeat raises nothing twice.
 *
 * @param {Words} words
 * @param {string} id
 * @param {string} name
 * @param {(text: string) => void} tell
 */
function flagForm(words, id, name, tell) {
  const key = `flag-${id}`;
  const reason = h("textarea", { id: `${key}-reason`, rows: 2, autocomplete: "off", "aria-describedby": `${key}-problem`, dir: "auto" });
  const problem = h("p", { class: "problem", id: `${key}-problem`, role: "alert" });
  const button = h("button", { type: "submit", class: "raise" }, say(words, "raise"));
  const levels = [1, 2, 3].map((level) => {
    const input = h("input", { type: "radio", name: `${key}-level`, value: level, id: `${key}-${level}` });
    return { input, row: h("div", { class: "choice" }, input, h("label", { for: `${key}-${level}` }, levelMark(words, level), h("span", { class: "meaning" }, say(words, `level_${level}_means`)))) };
  });
  const form = h(
    "form",
    { autocomplete: "off" },
    h("fieldset", { "aria-describedby": `${key}-problem` }, h("legend", {}, say(words, "raise_level")), ...levels.map(({ row }) => row)),
    h("label", { for: `${key}-reason` }, say(words, "raise_reason")),
    reason,
    problem,
    button,
  );
  let repeat = newId();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const level = Number(levels.find(({ input }) => input.checked)?.input.value ?? 0);
    const text = reason.value.trim();
    setText(problem, level === 0 ? say(words, "error_level_unknown") : text === "" ? say(words, "error_reason_missing") : "");
    setAttribute(reason, "aria-invalid", level !== 0 && text === "" ? "true" : null);
    if (level === 0) return levels[0]?.input.focus();
    if (text === "") return reason.focus();
    // what is typed after the press would go with the form
    button.disabled = reason.readOnly = true;
    const answer = await post(`conversations/${id}/flag`, { level, reason: text, client_id: repeat });
    button.disabled = reason.readOnly = false;
    if (!answer.ok) return setText(problem, say(words, `error_${answer.code}`));
    repeat = newId();
    form.reset();
    box.open = false;
    opener.focus();
    return tell(say(words, "raise_done", { name, level: say(words, `level_${level}`) }));
  });
  const opener = h("summary", {}, say(words, "raise_open", { name }));
  const box = h("details", { class: "flag" }, opener, form);
  box.addEventListener("toggle", () => box.open && box.scrollIntoView({ block: "nearest" }));
  return { element: box, draft: () => reason.value };
}

/**
 * Return the form that records the contact and so closes the conversation.
 *
 * @param {Words} words
 * @param {{types: Choices, dispositions: Choices}} choices
 * @param {string} id
 * @param {string} name
 * @param {{tell: (text: string) => void, toList: () => void}} does
 */
function contactForm(words, choices, id, name, does) {
  const key = `contact-${id}`;
  const kind = select(`${key}-type`, words, choices.types);
  const disposition = select(`${key}-disposition`, words, choices.dispositions);
  const identified = h("input", { type: "checkbox", id: `${key}-case` });
  const text = h("textarea", { id: `${key}-summary`, rows: 3, autocomplete: "off", "aria-describedby": `${key}-hint ${key}-problem`, dir: "auto" });
  const problem = h("p", { class: "problem", id: `${key}-problem`, role: "alert" });
  const button = h("button", { type: "submit", class: "main" }, say(words, "contact_save"));
  const practice = h("p", { class: "drill-sign", hidden: true }, h("span", { "aria-hidden": "true" }, "◎ "), say(words, "contact_practice"));
  const later = h("button", { type: "button" }, say(words, "contact_later"));
  later.addEventListener("click", does.toList);
  const form = h(
    "form",
    { class: "contact", autocomplete: "off", hidden: true },
    h("h3", {}, say(words, "contact_title", { name })),
    practice,
    h("label", { for: kind.id }, say(words, "contact_type")),
    kind,
    h("label", { for: disposition.id }, say(words, "contact_disposition")),
    disposition,
    h("div", { class: "choice" }, identified, h("label", { for: identified.id }, say(words, "contact_case"))),
    h("label", { for: text.id }, say(words, "contact_summary")),
    text,
    h("p", { class: "hint", id: `${key}-hint` }, say(words, "contact_hint")),
    problem,
    h("p", { class: "choices" }, button, later),
  );
  let done = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const missing = [kind, disposition].find((field) => field.value === "");
    setText(problem, missing === undefined ? "" : say(words, "contact_missing"));
    for (const field of [kind, disposition]) setAttribute(field, "aria-invalid", field.value === "" ? "true" : null);
    if (missing !== undefined) return missing.focus();
    button.disabled = text.readOnly = true;
    const answer = await post(`conversations/${id}/contact`, {
      contact_type: kind.value,
      disposition: disposition.value,
      case_identified: identified.checked,
      summary: text.value.trim(),
    });
    button.disabled = text.readOnly = false;
    if (!answer.ok) return setText(problem, say(words, `error_${answer.code}`));
    text.value = "";
    done = true;
    return does.tell(say(words, "contact_done", { name }));
  });
  /** Say whether this is a drill's. @param {boolean} drill */
  function practised(drill) {
    practice.hidden = !drill;
    setText(button, say(words, drill ? "contact_save_drill" : "contact_save"));
  }
  return { element: form, draft: () => text.value, focus: () => kind.focus(), recorded: () => done, recording: () => button.disabled, practice: practised };
}

/**
 * @param {string} id
 * @param {Words} words
 * @param {Choices} choices
 */
function select(id, words, choices) {
  const options = choices.map(([value, label]) => h("option", { value }, label));
  return h("select", { id }, h("option", { value: "" }, say(words, "choose")), ...options);
}
