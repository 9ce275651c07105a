/** Try lines on the screening rules while they are typed; without this there is a button. Nothing of them is kept here. */

import { post } from "./api.js";
import { byId, h, setText } from "./dom.js";

/**
 * @typedef {{rule: string, words: string}} Cue
 * @typedef {{level: number, shape: string, level_name: string, categories: string[], cues: Cue[]}} Said
 * @typedef {{line: string, now: Said, draft: Said, differs: boolean}} Row
 */

/** Milliseconds without a key after which lines are tried: who still types is not disturbed. */
const PAUSE = 700;
const FIELDS = ["text", "danger", "now", "threat"];

const form = byId("rule-form", HTMLFormElement);
const box = byId("lines", HTMLTextAreaElement);
const section = byId("tried-lines", HTMLElement);
const rows = byId("tried-rows", HTMLElement);
const news = byId("live-news", HTMLElement);
const { now = "", draft = "", differs = "" } = rows.closest("table")?.dataset ?? {};

let timer = 0;
let busy = false;
let again = false;

/** @param {Said} one */
function said(one) {
  const level = h("span", { class: "level", "data-level": one.level }, h("span", { "aria-hidden": "true" }, one.shape), ` ${one.level} · ${one.level_name}`);
  const categories = one.categories.length ? [h("br"), one.categories.join(", ")] : [];
  const cues = one.cues.map((cue) => h("li", {}, h("code", {}, cue.rule), ...(cue.words ? [" ", h("q", {}, cue.words)] : [])));
  return [level, ...categories, ...(cues.length ? [h("ul", { class: "spoke" }, ...cues)] : [])];
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
  const given = Object.fromEntries(FIELDS.map((name) => [name, String(new FormData(form).get(name) ?? "")]));
  return draft ? { ...given, of: form.dataset["rule"] ?? "", lines: box.value } : { lines: box.value };
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
  setText(news, problem ?? "");
  if (answer.ok && !problem) rows.replaceChildren(...answer.body.rows.map(shown));
  section.hidden = !problem && rows.childElementCount === 0;
  if (again) {
    again = false;
    await tryThem();
  }
}

box.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(tryThem, PAUSE);
});
