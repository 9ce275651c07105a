/** Try lines on the screening rules while they are typed; without this there is a button. Nothing of them is kept here. */

import { post } from "./api.js";
import { byId, h, setText } from "./dom.js";
import { askBeforeLeaving } from "./unsaved.js";

/**
 * @typedef {{rule: string, words: string, note: string, points: string}} Cue
 * @typedef {{level: number, shape: string, level_name: string, categories: string[], cues: Cue[], general: boolean}} Said
 * @typedef {{line: string, now: Said, draft: Said, differs: boolean}} Row
 */

/** Milliseconds without a key after which lines are tried: who still types is not disturbed. */
const PAUSE = 700;
/** The same for the draft itself, which is built anew each time. */
const LONG_PAUSE = 1_500;
const FIELDS = ["text", "danger", "now", "threat"];
/** Begins the names of the fields of a rule that is written without text. */
const PLAIN = "plain_";

const form = byId("rule-form", HTMLFormElement);
const box = byId("lines", HTMLTextAreaElement);
const section = byId("tried-lines", HTMLElement);
const rows = byId("tried-rows", HTMLElement);
const news = byId("live-news", HTMLElement);
const { now = "", draft = "", differs = "", andGeneral = "", general = "" } = rows.closest("table")?.dataset ?? {};

let timer = 0;
let busy = false;
let again = false;

/** @param {Said} one */
function said(one) {
  const level = h("span", { class: "level", "data-level": one.level }, h("span", { "aria-hidden": "true" }, one.shape), ` ${one.level} · ${one.level_name}`);
  const categories = one.categories.length ? [h("br"), one.categories.join(", ")] : [];
  const cues = one.cues.map((cue) => {
    const words = cue.words ? [h("q", {}, cue.words), " "] : [];
    return h("li", {}, ...words, `${cue.note} `, h("span", { class: "hint" }, `${cue.points} · `, h("code", {}, cue.rule)));
  });
  const rest = one.general ? [h("span", { class: "hint" }, cues.length ? andGeneral : general)] : [];
  return [level, ...categories, ...(cues.length ? [h("ul", { class: "spoke" }, ...cues)] : []), ...rest];
}

/** @param {Row} row */
function shown(row) {
  const changed = row.differs ? [h("strong", {}, differs), h("br")] : [];
  return h(
    "tr",
    { role: "row" },
    h("th", { scope: "row", role: "rowheader" }, row.line),
    h("td", { role: "cell", "data-label": now }, ...said(row.now)),
    draft ? h("td", { role: "cell", "data-label": draft }, ...changed, ...said(row.draft)) : null,
  );
}

function asked() {
  const typed = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  const given = Object.fromEntries(typed.filter(([name]) => FIELDS.includes(name ?? "")));
  const plain = Object.fromEntries(typed.filter(([name]) => name?.startsWith(PLAIN)));
  return draft ? { ...given, plain, of: form.dataset["rule"] ?? "", lines: box.value } : { lines: box.value };
}

async function tryThem() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  const answer = await post(form.dataset["live"] ?? "", asked());
  busy = false;
  const problem = answer.ok ? answer.body.problem : news.dataset["unreachable"];
  if (answer.ok && !problem) rows.replaceChildren(...answer.body.rows.map(shown));
  // while somebody types on, what has just come is of what stood there before
  tell(problem ?? "", Boolean(problem) || again || waits());
  section.hidden = !problem && rows.childElementCount === 0;
  if (again) {
    again = false;
    await tryThem();
  }
}

/** Say what is wrong, and whether the table is of what stood there before. @param {string} problem @param {boolean} old */
function tell(problem, old) {
  const stale = old && rows.childElementCount > 0;
  section.classList.toggle("old", stale);
  setText(news, [problem, stale ? (news.dataset["old"] ?? "") : ""].filter(Boolean).join(" "));
}

function waits() {
  return timer !== 0;
}

/** @param {Event} event */
function changed(event) {
  const field = event.target instanceof HTMLElement ? (event.target.getAttribute("name") ?? "") : "";
  const mine = field === "lines" || (draft !== "" && (FIELDS.includes(field) || field.startsWith(PLAIN)));
  // a draft is built for lines only
  if (!mine || (field !== "lines" && box.value.trim() === "")) return;
  clearTimeout(timer);
  if (!section.hidden) tell("", true);
  timer = setTimeout(
    () => {
      timer = 0;
      void tryThem();
    },
    field === "lines" ? PAUSE : LONG_PAUSE,
  );
}

form.addEventListener("input", changed);
askBeforeLeaving(form);
