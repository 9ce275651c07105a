/**
 * The wait and the doors: how long it may take, what can be done meanwhile, and as what somebody came. Loaded once the
 * chat begins, with what texts need now and then; until it is there the page says that somebody is sought, which is true.
 */

import { expected } from "../lib/expected.js";
import { measured } from "../lib/visitor_store.js";
import { later } from "./dial.js";
import * as ending from "./ending.js";
import * as texts from "./texts.js";
import { box, part, put } from "./view.js";
import { counted } from "./words.js";

/**
 * @typedef {import("../visitor").State} State
 * @typedef {import("./words.js").Words} Words
 */

const MINUTE = 60_000;
const TRY_AGAIN_AFTER = 5_000;

/**
 * Return what draws the wait.
 *
 * @param {Words} words
 * @param {(text: string) => void} say
 * @param {(frame: {type: string, door: string}) => unknown} tell
 */
export function waits(words, say, tell) {
  /** Up to which minute of waiting the visitor said that they stay. */
  let stays = 0;
  /** @type {number | null} */
  let from = null;

  /** @param {number} minutes @returns {string} */
  function waited(minutes) {
    if (minutes < 1) return words["waited_moment"] ?? "";
    return minutes < 60 ? counted(words, "waited", minutes) : (words["waited_hour"] ?? "");
  }

  /** After five and ten minutes say what else can be done, until the visitor says that they stay. @param {number} minutes */
  function ask(minutes) {
    const due = minutes >= 10 ? 10 : minutes >= 5 ? 5 : 0;
    const about = due > stays ? (words[`long_${due}`] ?? "") : "";
    if (about !== "" && box("long-words").textContent !== about) say(about);
    put(box("long-words"), about);
    box("long").hidden = about === "";
  }

  box("stay").addEventListener("click", () => {
    stays = Date.now() - (from ?? 0) >= 10 * MINUTE ? 10 : 5;
    box("long").hidden = true;
    box("text").focus();
  });
  [later.texts, later.ending] = [texts, ending];
  catchUp(words);
  if (document.querySelector("[data-survey]") !== null) void import("../survey/main.js").then((survey) => ((later.survey = survey), survey.start()), () => undefined);
  doors(tell);
  breathe();
  // as after one's own end; what can still be read goes with this page
  box("again").addEventListener("click", () => location.replace(`/?l=${document.documentElement.lang}`));
  box("again").hidden = false;

  /** @param {State} state @param {number} now */
  return function draw(state, now) {
    if (state.waitingFrom !== from) stays = 0;
    from = state.waitingFrom;
    const minutes = from === null ? -1 : Math.floor((now - from) / MINUTE);
    box("waited").hidden = box("calm").hidden = minutes < 0;
    const soon = expected(words, state);
    put(box("waited"), minutes < 1 && soon !== "" ? soon : `${soon} ${waited(minutes)}`.trim());
    box("unread").hidden = minutes < 0 || !state.staffed || state.languageRead;
    ask(minutes);
    pauses(state, say);
  };
}

/** Do for what came or was written before this part was there what is done since. @param {Words} words */
function catchUp(words) {
  for (const text of box("lines").querySelectorAll(".theirs .words")) if (text instanceof HTMLElement) texts.link(text, words["link"] ?? "");
  box("parts").hidden = measured(part("text", HTMLTextAreaElement).value).left >= 0;
}

/** What was asked for last: which pause, in which language. */
let paused = "";

/**
 * Have a pause shown while there is one. Without its script a text waits on the page, and goes out when it is over.
 *
 * @param {State} state
 * @param {(text: string) => void} say
 */
function pauses(state, say) {
  const last = state.lines.filter((line) => line.kind === "fact" && line.code.startsWith("pause")).at(-1);
  // who came back by words sees no line of before
  const there = state.ended === null && (last?.kind === "fact" ? last.code === "paused" : state.hidden);
  const wanted = there ? `${last?.seq ?? 0} ${document.documentElement.lang}` : "";
  if (wanted === paused) return;
  paused = wanted;
  const again = () => setTimeout(() => (paused = "?"), TRY_AGAIN_AFTER);
  import("./paused.js").then((part) => part.show(there, say)).catch(again);
}

/** Let the door be changed while the chat runs; what is for people at work stands first for them. @param {(frame: {type: string, door: string}) => unknown} tell */
function doors(tell) {
  const work = part("work", HTMLDetailsElement);
  /** @param {string} door */
  function opens(door) {
    const first = door === "professional";
    if (first) box("calm").before(work);
    else box("coming").append(work);
    work.open = first;
  }
  box("chat").append(box("coming"));
  const chosen = document.querySelector("#doors input:checked");
  if (chosen instanceof HTMLInputElement) opens(chosen.value);
  box("doors").addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    tell({ type: "door", door: target.value });
    opens(target.value);
  });
}

/** Show one step of the breathing at a time, each when it is asked for; nothing moves by itself. */
function breathe() {
  const steps = [...box("breath").children];
  let at = 0;
  const show = () => steps.forEach((step, number) => step.toggleAttribute("hidden", number !== at));
  box("breathe").hidden = false;
  box("breathe").addEventListener("click", () => ((at = (at + 1) % steps.length), show()));
  show();
}
