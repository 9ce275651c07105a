/**
 * Questions once a chat is over, and how somebody feels before it; loaded only where the site asks them.
 *
 * Nothing that is chosen leaves this page before "Send my answers" is pressed. What goes then goes with a ticket and not
 * with the token of the chat.
 */

import { chat, hasLeft } from "../visitor/exit.js";

/**
 * @typedef {Record<string, string>} Words
 * @typedef {{distress: boolean, ticket: string | null, words: Words}} Asked
 * @typedef {{element: HTMLElement, value: () => string | null}} Question
 */

/** Until when the server may not have heard yet that the chat is over. */
const ASK_AGAIN_AFTER = [1_000, 2_000, 4_000, 8_000, 16_000];
const LEVELS = 11;

/** How somebody said that they feel when the chat began. @type {string | null} */
let before = null;

/** The ticket of the questions that are open. @type {string | null} */
let open = null;

/** @param {string} url @param {object} body */
function post(url, body) {
  return fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** @param {string | null} token @returns {Promise<Asked | null>} null where nothing is asked, or the line is down */
async function asked(token) {
  const language = document.documentElement.lang;
  try {
    const answer = await post("/survey/questions", { token, language });
    // the page has turned to another one meanwhile
    if (language !== document.documentElement.lang) return asked(token);
    return answer.status === 200 ? answer.json() : null;
  } catch {
    return null;
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function made(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {string} text @param {() => void} press */
function button(text, press) {
  const element = made("button", { type: "button" }, text);
  element.addEventListener("click", press);
  return element;
}

/** @param {Words} words @param {string} key @param {readonly string[]} values @returns {Question} */
function choice(words, key, values) {
  const inputs = values.map((value) => made("input", { type: "radio", name: key, value, autocomplete: "off" }));
  const labels = inputs.map((input) => made("label", {}, input, ` ${words[input.value] ?? ""}`));
  return {
    element: made("fieldset", {}, made("legend", {}, words[key] ?? ""), ...labels),
    value: () => inputs.find((input) => input.checked)?.value ?? null,
  };
}

/** @param {Words} words @param {string} key @returns {Question} */
function level(words, key) {
  const options = Array.from({ length: LEVELS }, (_, n) => made("option", { value: String(n) }, words[`level_${n}`] ?? String(n)));
  const select = made("select", { id: `level-${key}`, autocomplete: "off" }, made("option", { value: "" }, words["choose"] ?? ""), ...options);
  return {
    element: made("p", {}, made("label", { for: select.id }, words[key] ?? ""), made("br", {}), select),
    value: () => select.value || null,
  };
}

/** @param {string | null} value */
const number = (value) => (value === null ? null : Number(value));

/** Ask how somebody feels, beside the wait and not before it; it stays in this page's memory. */
export async function start() {
  const answer = await asked(null);
  const place = document.getElementById("feel");
  if (answer === null || !answer.distress || place === null || hasLeft()) return;
  const { words } = answer;
  const question = level(words, "start");
  const over = () => {
    place.replaceChildren();
    place.hidden = true;
    document.getElementById("text")?.focus();
  };
  const keep = button(words["keep"] ?? "", () => ((before = question.value()), over()));
  const choices = made("div", { class: "choices" }, button(words["skip"] ?? "", over), keep);
  place.replaceChildren(question.element, made("p", { class: "quiet" }, words["start_why"] ?? ""), choices);
  place.hidden = false;
}

/** Ask how it was. The caller has emptied the page; without a ticket nothing is asked. @param {number} [times] */
export async function ask(times = 0) {
  const place = document.getElementById("survey");
  document.getElementById("feel")?.replaceChildren();
  const answer = chat.token === null ? null : await asked(chat.token);
  if (place === null || hasLeft()) return;
  if (answer?.ticket) return show(place, answer, answer.ticket);
  const wait = ASK_AGAIN_AFTER[times];
  if (wait !== undefined && chat.token !== null) setTimeout(ask, wait, times + 1);
}

/** Ask the same in the language that the page has turned to; what was chosen stays chosen. */
export async function turn() {
  if (document.getElementById("feel")?.hidden === false) void start();
  const place = document.getElementById("survey");
  const ticket = open;
  const answer = ticket === null ? null : await asked(null);
  if (place === null || answer === null || ticket === null || ticket !== open || hasLeft()) return;
  const chosen = [...place.querySelectorAll("input")].map((input) => input.checked);
  const levels = [...place.querySelectorAll("select")].map((select) => select.value);
  show(place, answer, ticket);
  place.querySelectorAll("input").forEach((input, at) => (input.checked = chosen[at] ?? false));
  place.querySelectorAll("select").forEach((select, at) => (select.value = levels[at] ?? ""));
}

/** @param {HTMLElement} place @param {Asked} answer @param {string} ticket */
function show(place, { words, distress }, ticket) {
  open = ticket;
  const helpful = choice(words, "helpful", ["yes", "a_little", "no"]);
  const again = choice(words, "again", ["yes", "maybe", "no"]);
  const after = distress ? level(words, "now") : null;
  const news = made("p", { role: "status", tabindex: "-1" });
  const choices = made("div", { class: "choices" }, button(words["no_thanks"] ?? "", () => over(place, null)), button(words["send"] ?? "", () => void send()));

  async function send() {
    const now = after?.value() ?? null;
    const answers = { helpful: helpful.value(), again: again.value(), before: number(before), after: number(now) };
    if ([answers.helpful, answers.again, now].every((one) => one === null)) return say(words["nothing"]);
    say(words["sending"]);
    for (const one of choices.children) one.toggleAttribute("disabled", true);
    try {
      const { status } = await post("/survey", { ticket, ...answers });
      if (status === 204 || status === 409) return over(place, words[status === 204 ? "thanks" : "late"] ?? "");
    } catch {
      // the line is down: said below
    }
    for (const one of choices.children) one.toggleAttribute("disabled", false);
    return say(words["failed"]);
  }

  /** @param {string | undefined} text */
  const say = (text) => (news.textContent = text ?? "");

  place.replaceChildren(
    made("h2", { id: "survey-title" }, words["title"] ?? ""),
    made("p", { class: "quiet" }, ["why", "who", "kept"].map((key) => words[key] ?? "").join(" ")),
    ...[helpful, again, after].flatMap((question) => (question === null ? [] : [question.element])),
    news,
    choices,
  );
  place.setAttribute("role", "group");
  place.setAttribute("aria-labelledby", "survey-title");
  place.hidden = false;
}

/** @param {HTMLElement} place @param {string | null} text null for who does not want to */
function over(place, text) {
  before = open = null;
  place.hidden = text === null;
  place.removeAttribute("aria-labelledby");
  const news = made("p", { role: "status", tabindex: "-1" }, text ?? "");
  place.replaceChildren(news);
  if (text === null) document.getElementById("ended-title")?.focus();
  else news.focus();
}
