/**
 * Coming back by six words: getting them while a chat runs, and using them on the first page. Loaded only when somebody
 * presses for it; its texts come with it. The words stand nowhere but in what is shown, and that is taken away again.
 */

import { chat } from "./exit.js";
import { begin, newToken, state } from "./main.js";
import { box, put } from "./view.js";

/** @typedef {import("./words.js").Words} Words */

const SHOWN_FOR = 120_000;
const LOOK_EVERY = 500;
const OFF = { autocomplete: "off", autocorrect: "off", autocapitalize: "none", spellcheck: "false", writingsuggestions: "false", dir: "auto" };

/** @type {HTMLElement | null} what is open now */
let open = null;
/** Whether words were shown before: others come next, and take their place. */
let given = false;

/** Open what the page just now has a use for, or close it. @returns {Promise<void>} fails when its texts do not come */
export async function show() {
  if (open !== null) return close();
  document.body.className = "";
  const starts = !box("landing").hidden;
  const texts = await (await fetch(`/return/texts?l=${document.documentElement.lang}`)).json();
  // pressed twice on a slow line
  if (open !== null || starts === box("landing").hidden) return;
  const made = (open = starts ? ask(texts) : offer(texts));
  // with its part of the page it goes, and it turns with the page to another language
  const language = document.documentElement.lang;
  const look = setInterval(() => {
    const stays = open === made && starts !== box("landing").hidden && (starts || (!box("chat").hidden && state.ended === null));
    if (stays && language === document.documentElement.lang) return;
    clearInterval(look);
    const typed = made.querySelector("textarea")?.value ?? "";
    if (open === made) close();
    if (stays) void show().then(() => open?.querySelector("textarea")?.append(typed));
  }, LOOK_EVERY);
}

function close() {
  open?.remove();
  open = null;
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {string} label @param {() => void} press @param {string} [kind] */
function button(label, press, kind = "") {
  const made = h("button", kind === "" ? { type: "button" } : { type: "button", class: kind }, label);
  made.addEventListener("click", press);
  return made;
}

/** @param {string} path @param {object} body @returns {Promise<any>} the answer, or an error that the texts know */
async function post(path, body) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return answer.ok ? await answer.json() : { error: "line" };
  } catch {
    return { error: "line" };
  }
}

/** @param {Words} texts @param {string} error */
const trouble = (texts, error) => texts[`error_${error}`] ?? texts["error_ours"] ?? "";

/** Ask for the words on the first page. @param {Words} texts @returns {HTMLElement} */
function ask(texts) {
  const field = h("textarea", { id: "six-typed", rows: "2", "aria-describedby": "six-news", ...OFF });
  const news = h("p", { id: "six-news", role: "status" });
  // the same one at each try: an answer that was lost on a bad line comes again
  const token = newToken();
  const go = button(texts["come_back"] ?? "", () => void tried(), "main");
  const made = h("div", { class: "box", id: "return-words" }, h("label", { for: "six-typed" }, texts["type_them"] ?? ""), field, go, news);
  box("have-words").parentElement?.after(made);
  field.focus();

  async function tried() {
    if (field.value.trim() === "" || go.disabled) return;
    go.disabled = true;
    startable(false);
    put(news, texts["looking"] ?? "");
    const answer = await post("/return", { token, words: field.value });
    go.disabled = false;
    startable(true);
    if (answer.found !== true) return put(news, answer.found === false ? (texts["not_found"] ?? "") : trouble(texts, answer.error));
    field.value = "";
    close();
    begin(token);
    return hide(texts);
  }
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    void tried();
  });
  return made;
}

/** Let nothing else begin while the words are looked up: two lines would feed one chat. @param {boolean} may */
function startable(may) {
  for (const id of ["start", "start-below", "have-words"]) document.getElementById(id)?.toggleAttribute("disabled", !may);
}

/** Say that what stands before is hidden, for as long as it is. @param {Words} texts */
function hide(texts) {
  const note = h("p", { class: "box quiet", id: "hidden-note" }, texts["hidden"] ?? "");
  box("log").before(note);
  const look = setInterval(() => {
    if (!state.begun || (state.hidden && state.ended === null)) return;
    clearInterval(look);
    note.remove();
  }, LOOK_EVERY);
}

/** Offer the words beside a chat. @param {Words} texts @returns {HTMLElement} */
function offer(texts) {
  const heading = h("h2", { tabindex: "-1" }, texts["six_words"] ?? "");
  const news = h("p", { role: "status" });
  const six = h("ol", { class: "six", hidden: "" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hiding;
  const get = button(texts[given ? "show_new" : "show_them"] ?? "", () => void got(), "main");
  const made = h("div", { class: "box", id: "return-words" }, heading, h("p", {}, texts["why"] ?? ""), h("p", {}, texts["careful"] ?? ""), get, six, news, ...codeWord(texts), button(texts["close"] ?? "", closed));
  box("ending").after(made);
  heading.focus();
  made.scrollIntoView({ block: "nearest" });

  async function got() {
    if (!six.hidden) return gone();
    get.disabled = true;
    const answer = await post("/words", { token: chat.token });
    get.disabled = false;
    if (open !== made) return undefined;
    if (answer.words === undefined) return put(news, trouble(texts, answer.error));
    six.replaceChildren(...answer.words.map((/** @type {string} */ word) => h("li", {}, word)));
    six.hidden = false;
    given = true;
    put(get, texts["hide_them"] ?? "");
    clearTimeout(hiding);
    hiding = setTimeout(gone, SHOWN_FOR);
    put(news, texts["learn"] ?? "");
    // all six in sight at once, below what stays at the top; Firefox goes back to what `scrollIntoView` was asked for
    const tops = ["header", "#languages"].map((what) => document.querySelector(what)?.getBoundingClientRect().bottom ?? 0);
    return scrollBy(0, made.getBoundingClientRect().top - Math.max(...tops) - 8);
  }
  function gone() {
    clearTimeout(hiding);
    six.replaceChildren();
    six.hidden = true;
    put(get, texts["show_new"] ?? "");
    put(news, "");
  }
  function closed() {
    close();
    box("get-words").focus();
  }
  return made;
}

/** @param {Words} texts @returns {HTMLElement[]} what asks for a code word */
function codeWord(texts) {
  const field = h("textarea", { id: "code-word", rows: "1", maxlength: "80", "aria-describedby": "code-why code-news", ...OFF });
  const news = h("p", { id: "code-news", role: "status" });
  const keep = button(texts["code_keep"] ?? "", () => void kept());

  async function kept() {
    if (field.value.trim() === "") return;
    keep.disabled = true;
    const answer = await post("/code-word", { token: chat.token, text: field.value });
    keep.disabled = false;
    if (answer.error === undefined) field.value = "";
    put(news, answer.error === undefined ? (texts["code_kept"] ?? "") : trouble(texts, answer.error));
  }
  return [h("p", {}, h("label", { for: "code-word" }, texts["code_word"] ?? "")), h("p", { id: "code-why", class: "quiet" }, texts["code_why"] ?? ""), field, keep, news];
}
