/** A screen on a wall: asks every few seconds how the shift stands, and says so when it does not know. */

import { age, since } from "../lib/ages.js";
import { wallKeeps, wallTells } from "../lib/alarm_line.js";
import { inOrder, newOnes } from "../lib/escalation_order.js";
import { say } from "../lib/say.js";
import { byId, data, h, part, reconcile, setAttribute, setText } from "../staff/dom.js";
import { levelMark, setLevel } from "../staff/level.js";

/**
 * @typedef {import("../protocol.js").Wall} Wall
 * @typedef {import("../protocol.js").WallEscalation} WallEscalation
 */

const ASK_EVERY = 3_000;
const STALE_AFTER = 10_000;
const MOST_WAIT = 8_000;
/** As many as can be read from across a room, and how few there are on a screen that is too low for them. */
const MOST_ROWS = 6;
const FEWEST_ROWS = 2;

const words = data("words");
const page = byId("wall", HTMLElement);

/** @type {Wall | null} */
let shown = null;
/** What the alarm line is about. @type {readonly WallEscalation[]} */
let told = [];
let heardAt = 0;
let offset = 0;

async function look() {
  try {
    const answer = await fetch("/wall/now", { method: "POST", credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(MOST_WAIT) });
    if (answer.status === 401) return over();
    if (answer.ok) heard(await answer.json());
  } catch {
    // what is known grows old, and the page says so
  }
  draw();
  return void setTimeout(look, ASK_EVERY);
}

/** @param {Wall} wall */
function heard(wall) {
  const raised = inOrder(wall.escalations).filter((one) => one.state === "raised");
  // a screen that is just switched on has missed nothing: what is open stands in its rows
  const news = shown === null ? [] : newOnes(raised, shown.escalations, (one) => `${one.handle} ${one.raised_at}`).filter((one) => one.aloud !== false);
  announce(wallTells(news, raised));
  if (!wallKeeps(told, raised)) setText(byId("alarm", HTMLElement), "");
  shown = wall;
  heardAt = Date.now();
  offset = Date.parse(wall.at) - heardAt;
}

/** Say once what is new; the line stays until somebody has acknowledged everything of its kind. @param {readonly WallEscalation[]} news */
function announce(news) {
  const [first] = news;
  if (first === undefined) return;
  told = news;
  const about = { name: first.handle, level: say(words, `level_${first.level}`) };
  setText(byId("alarm", HTMLElement), news.length > 1 ? say(words, "wall_new_many", { n: news.length }) : say(words, first.climbs > 0 ? "wall_climbed" : "wall_new", about));
}

/** Show nothing any more, and leave nothing of what was shown in the page. */
function over() {
  page.replaceChildren();
  page.hidden = true;
  byId("over", HTMLElement).hidden = false;
  clearInterval(clock);
}

function draw() {
  if (page.hidden) return;
  const stale = heardAt > 0 && Date.now() - heardAt > STALE_AFTER;
  const at = heardAt === 0 ? "" : new Date(heardAt).toLocaleTimeString(say(words, "locale"));
  setText(byId("as-at", HTMLElement), at === "" ? say(words, "no_news_yet") : say(words, "as_at", { at }));
  const banner = byId("stale", HTMLElement);
  banner.hidden = !stale;
  setText(banner, stale ? say(words, "wall_stale", { at }) : "");
  page.classList.toggle("is-stale", stale);
  if (shown !== null) show(shown, Date.now() + offset);
}

/** @param {Wall} wall @param {number} now the server's clock */
function show(wall, now) {
  const open = inOrder(wall.escalations);
  const fresh = open.filter((one) => one.state === "raised" && !one.drill).length;
  setText(byId("tile-raised", HTMLElement), String(fresh));
  byId("tile-raised-box", HTMLElement).classList.toggle("pressing", fresh > 0);
  setText(byId("tile-waiting", HTMLElement), String(wall.waiting));
  const longest = wall.waiting_since === null ? "" : say(words, "longest", { age: age(words, now - Date.parse(wall.waiting_since)) });
  setText(byId("tile-longest", HTMLElement), longest);
  setText(byId("tile-running", HTMLElement), String(wall.running));
  const drills = wall.drills ?? 0;
  byId("drills", HTMLElement).hidden = drills === 0;
  setText(byId("drills-words", HTMLElement), drills === 0 ? "" : say(words, "drills_run", { n: drills }));
  setText(byId("tile-ready", HTMLElement), String(wall.ready));
  setText(byId("tile-free", HTMLElement), say(words, "free", { n: wall.free }));
  setText(byId("escalations-next", HTMLElement), fresh > 0 ? say(words, "wall_next") : "");
  byId("escalations-empty", HTMLElement).hidden = open.length > 0;
  // nobody can scroll a screen on a wall: what does not fit is counted
  let most = MOST_ROWS;
  list(open, most, now);
  while (most > FEWEST_ROWS && document.documentElement.scrollHeight > window.innerHeight) list(open, (most -= 1), now);
}

/** @param {readonly WallEscalation[]} open @param {number} most @param {number} now */
function list(open, most, now) {
  const rows = open.slice(0, most);
  reconcile(byId("escalations", HTMLOListElement), rows, (one) => `${one.handle} ${one.raised_at}`, makeRow, (row, one) => patchRow(row, one, now));
  setText(byId("escalations-more", HTMLElement), open.length > rows.length ? say(words, "wall_more", { n: open.length - rows.length }) : "");
}

function makeRow() {
  return h("li", {}, levelMark(words, 0), h("strong", { class: "handle" }), h("span", { class: "age" }), h("span", { class: "state" }));
}

/** @param {HTMLElement} row @param {WallEscalation} one @param {number} now */
function patchRow(row, one, now) {
  setAttribute(row, "data-state", one.state);
  row.classList.toggle("drill", one.drill === true);
  setLevel(words, part(row, ".level"), one.level);
  setText(part(row, ".handle"), one.handle);
  setText(part(row, ".age"), say(words, "ago", { age: since(words, one.raised_at, now, { fine: true }) }));
  const stands = say(words, one.state === "raised" && one.unreached ? "wall_unreached" : `wall_${one.state}`);
  setText(part(row, ".state"), one.ended_by ? `${stands} · ${say(words, `wall_over_${one.ended_by}`)}` : stands);
}

const clock = setInterval(draw, 1_000);
draw();
void look();
window.addEventListener("resize", draw);
// a new link, opened in the browser of a screen that hangs already
window.addEventListener("hashchange", () => location.reload());
if (location.hash.length > 1) void import("./open.js");
