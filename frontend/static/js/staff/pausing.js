/** Pause a conversation for a while, or let its visitor write again: on the console and on the board. */

import { say } from "../lib/say.js";
import { post } from "./api.js";
import { ask } from "./ask.js";
import { h, setText } from "./dom.js";
import { clock } from "./log.js";

/**
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/say.js").Words} Words
 */

const MINUTE = 60_000;
const TRACKS = /** @type {const} */ (["abuse", "sexual"]);

/**
 * Return the choice of what limits are about; nothing is chosen before somebody does.
 *
 * @param {Words} words
 * @param {string} key
 */
export function trackChoice(words, key) {
  const inputs = TRACKS.map((track) => h("input", { type: "radio", name: key, value: track, id: `${key}-${track}` }));
  const rows = inputs.map((input) => h("div", { class: "choice" }, input, h("label", { for: input.id }, say(words, `limits_${input.value}`))));
  const element = h("fieldset", {}, h("legend", {}, say(words, "limits_track")), ...rows);
  return { element, focus: () => inputs[0]?.focus(), value: () => inputs.find((input) => input.checked)?.value ?? "" };
}

/**
 * Return what pauses one conversation.
 *
 * @param {Words} words
 * @param {readonly number[]} lengths in minutes, between which the site lets choose
 * @param {string} id
 * @param {string} name how staff speak of it
 * @param {(text: string) => void} tell
 * @param {ReturnType<typeof trackChoice>} [chosen] what it is about, where that is chosen elsewhere
 */
export function pauseForm(words, lengths, id, name, tell, chosen) {
  const track = chosen ?? trackChoice(words, `why-${id}`);
  const key = `pause-${id}`;
  const length = h("select", { id: `${key}-length`, "aria-describedby": `${key}-hint ${key}-problem` }, ...lengths.map((minutes) => h("option", { value: minutes }, lasting(words, minutes))));
  const problem = h("p", { class: "problem", id: `${key}-problem`, role: "alert" });
  const set = h("button", { type: "submit" }, say(words, "pause_set"));
  const form = h(
    "form",
    { autocomplete: "off" },
    chosen === undefined ? track.element : null,
    h("label", { for: length.id }, say(words, "pause_length")),
    length,
    h("p", { class: "hint", id: `${key}-hint` }, say(words, "pause_hint")),
    problem,
    set,
  );
  const until = h("span", {});
  const lift = h("button", { type: "button" }, say(words, "pause_lift"));
  const lasts = h("p", { class: "choices", hidden: true }, until, " ", lift);
  const element = h("div", { class: "pause" }, lasts, form);
  /** The level at which it was drawn last: what was refused at another one may be done now. */
  let level = 0;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    setText(problem, track.value() === "" ? say(words, "limits_track") : "");
    if (track.value() === "") return track.focus();
    const minutes = Number(length.value);
    const at = clock(new Date(Date.now() + minutes * MINUTE).toISOString(), words);
    const sure = await ask(words, { title: say(words, "pause_title", { name }), text: say(words, "pause_text", { at }), yes: say(words, "pause_set") });
    set.focus();
    if (sure === null) return undefined;
    set.disabled = true;
    const answer = await post(`conversations/${id}/pause`, { minutes, why: track.value() });
    set.disabled = false;
    if (!answer.ok) return setText(problem, say(words, `error_${answer.code}`));
    return tell(say(words, "pause_done", { name }));
  });
  lift.addEventListener("click", async () => {
    const answer = await post(`conversations/${id}/lift`);
    tell(say(words, answer.ok ? "pause_lifted" : `error_${answer.code}`, { name }));
  });

  /** @param {ConversationSummary | undefined} one @param {boolean} may whether this person may pause it now */
  function render(one, may) {
    const paused = one?.paused_until ?? null;
    // what had the focus goes, and the next thing to press stands in its place
    const hand = element.contains(document.activeElement);
    const changed = lasts.hidden !== (paused === null);
    element.hidden = !may;
    form.hidden = paused !== null;
    lasts.hidden = paused === null;
    if (one !== undefined && one.level !== level) setText(problem, "");
    level = one?.level ?? level;
    if (paused !== null) setText(until, say(words, "pause_until", { at: clock(paused, words) }));
    if (hand && changed) (paused === null ? set : lift).focus();
  }
  return { element, render };
}

/** @param {Words} words @param {number} minutes */
function lasting(words, minutes) {
  return minutes % 60 === 0 ? say(words, "pause_hours", { n: minutes / 60 }) : say(words, "pause_minutes", { n: minutes });
}
