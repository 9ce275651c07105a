/** The middle pane of one conversation: its log, what is on its way, and its own composer, which nothing else shares. */

import { asksIdentity } from "../lib/asks_identity.js";
import { isOwn } from "../lib/console_store.js";
import { drillOver, summary } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { byId, h, reconcile, setAttribute, setText } from "../staff/dom.js";
import { levelMark, setLevel } from "../staff/level.js";
import { logView } from "../staff/log.js";
import { warning } from "../staff/warning.js";
import { returnPanel } from "./returned.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").Pending} Pending
 * @typedef {import("../lib/console_store.js").Line} Line
 * @typedef {import("../lib/say.js").Words} Words
 */

export const MOST_CHARACTERS = 4000;
const COUNT_FROM = 3800;

/**
 * Return the middle pane of a conversation.
 *
 * @param {Words} words
 * @param {string} id
 * @param {string} name how staff speak of it
 * @param {number} slot
 * @param {{send: (id: string, kind: "post" | "note", body: string) => void, typing: (id: string) => void,
 *   again: (id: string, text: Pending) => void, takeBack: (id: string, text: Pending) => void, discard: (id: string) => void, cardDue: () => boolean, older: (id: string) => void, reached: () => void,
 *   tell: (text: string) => void}} does
 */
export function chatPanel(words, id, name, slot, does) {
  const standing = h("p", { class: "standing" });
  const goals = h(
    "a",
    { class: "goals-link", href: `/staff/drills/${id}`, target: "_blank", rel: "noopener", hidden: true },
    say(words, "drill_goals"),
    h("span", { class: "unseen" }, ` ${say(words, "new_tab")}`),
  );
  const heading = h("h2", { tabindex: "-1" }, name);
  const region = h("div", { role: "log", tabindex: "0", "aria-label": say(words, "log_of", { name }) });
  const unsent = h("ul", { class: "unsent", "aria-label": say(words, "unsent") });
  // the log speaks of new lines; that one was looked at is there to be seen and is not read out
  const reached = h("p", { class: "reached", "aria-live": "off" });
  const scroller = h("div", { class: "scroller" }, region, unsent);
  const more = h("button", { type: "button" }, say(words, "show_earlier"));
  const earlier = h("p", { class: "new-below", hidden: true }, more);
  more.addEventListener("click", () => does.older(id));
  const throwAway = h("button", { type: "button" }, say(words, "discard"));
  const left = h("p", { class: "kept", hidden: true }, say(words, "kept_copy"), " ", throwAway);
  throwAway.addEventListener("click", () => does.discard(id));
  const composer = textForm(words, {
    label: say(words, "reply_to", { name }),
    button: say(words, "send_to_visitor"),
    kind: "message",
    send: (body) => does.send(id, "post", body),
    input: () => does.typing(id),
  });
  const asks = h("p", { class: "asks", role: "status" });
  const mark = levelMark(words, 0);
  const returned = returnPanel(words, id, name, does.tell);
  const element = h("div", { class: "conversation", "data-slot": slot }, h("header", {}, heading, mark, standing, goals), returned.element, left, earlier, scroller, asks, composer.element);
  const log = logView(region, scroller, words, does.reached);
  let outgoing = 0;

  /**
   * @param {State} state
   * @param {boolean} connected
   */
  function render(state, connected) {
    const one = summary(state, id);
    const mine = state.order.includes(id);
    log.render(state, id);
    returned.render(one, mine);
    left.hidden = mine;
    byId("turns", HTMLElement).toggleAttribute("data-due", one?.state === "wrap_up");
    setLevel(words, mark, one?.level ?? 0);
    if (one !== undefined) composer.speak(one.language);
    const outbox = state.outbox[id] ?? [];
    reconcile(unsent, outbox, (text) => text.clientId, make, (row, text) => patch(row, text, connected, mine));
    // while the line is down nothing else shows that a text was taken
    if (outbox.length > outgoing) log.toNewest();
    outgoing = outbox.length;
    earlier.hidden = (state.logs[id]?.first ?? 0) === 0;
    showReached(state);
    setText(standing, one === undefined || !mine ? say(words, "not_yours") : warning(words, one) || say(words, drillOver(one) ? "standing_drill_over" : `standing_${one.state}`));
    goals.hidden = one?.drill !== true || one.state !== "wrap_up";
    element.classList.toggle("alarm", one !== undefined && warning(words, one) !== "");
    if (one !== undefined) {
      element.classList.toggle("drill", one.drill === true);
      composer.rename(say(words, one.drill === true ? "send_drill" : "send_to_visitor"));
    }
    setText(asks, mine && one?.state === "active" && does.cardDue() && asksIdentity(composer.draft()) ? say(words, "duty_asks") : "");
    composer.allow(mine && one?.state === "active", say(words, mine ? "cannot_write_ended" : "not_yours"));
  }

  /** @param {State} state */
  function showReached(state) {
    const last = newestMessage(state, id);
    setText(reached, reachedWords(words, state, id, last));
    if (last !== undefined && reached.textContent !== "") log.stand(reached, last.seq);
  }

  /** @param {Pending} text */
  function make(text) {
    const row = h(
      "li",
      { class: text.kind === "note" ? "line note pending" : "line ours pending" },
      h("p", { class: "who" }, h("strong", {}, say(words, text.kind === "note" ? "note_by_you" : "you")), " ", h("span", { class: "way" })),
      h("p", { class: "text", dir: "auto" }, text.body),
    );
    const again = h("button", { type: "button" }, say(words, "try_again"));
    const back = h("button", { type: "button" }, say(words, "take_back"));
    again.addEventListener("click", () => does.again(id, text));
    back.addEventListener("click", () => does.takeBack(id, text));
    row.append(h("p", { class: "choices" }, again, back));
    return row;
  }

  /**
   * @param {HTMLElement} row
   * @param {Pending} text
   * @param {boolean} connected
   * @param {boolean} mine
   */
  function patch(row, text, connected, mine) {
    const way = row.querySelector(".way");
    const choices = row.querySelector(".choices");
    const sending = connected ? "way_sending" : "way_waiting_yours";
    const why = text.state === "refused" ? say(words, "way_refused", { why: say(words, `error_${text.code ?? "ours"}`) }) : say(words, text.state === "sent" ? "way_sent" : sending);
    if (way !== null) setText(way, why);
    if (choices instanceof HTMLElement) choices.hidden = text.state !== "refused" || !mine;
  }

  return {
    element,
    render,
    focus: () => composer.focus(heading),
    draft: composer.draft,
    putBack: composer.putBack,
    settle: log.settle,
    toNewest: log.toNewest,
    follows: log.follows,
  };
}

/** @param {State} state @param {string} id @returns {Line | undefined} */
function newestMessage(state, id) {
  return state.logs[id]?.lines.filter((line) => line.type === "message").at(-1);
}

/**
 * Say, in one's own newest message, whether the visitor's page has it and whether they looked; nothing for older ones.
 *
 * @param {Words} words
 * @param {State} state
 * @param {string} id
 * @param {Line | undefined} last the newest message
 */
function reachedWords(words, state, id, last) {
  const reached = state.reached[id];
  if (last === undefined || reached === undefined || !isOwn(state, last)) return "";
  return reached.read >= last.seq ? say(words, "reached_read") : reached.delivered >= last.seq ? say(words, "reached_page") : "";
}

/**
 * Return a form for one text, with its own draft; used for messages here and for notes beside it.
 *
 * What `send` takes leaves the box at once. Where nothing else shows it until then, `send` returns a promise: the text
 * stays in the box, which is closed meanwhile, and only a promise of true empties it.
 *
 * @param {Words} words
 * @param {{label: string, button: string, kind: "message" | "note", send: (body: string) => void | Promise<boolean>, input?: () => void}} how
 */
export function textForm(words, how) {
  const key = `${how.kind}-${Math.random().toString(36).slice(2)}`;
  const box = h("textarea", { id: key, rows: how.kind === "note" ? 2 : 3, autocomplete: "off", "aria-describedby": `${key}-count`, dir: "auto", placeholder: " " });
  const count = h("p", { class: "count", id: `${key}-count` });
  const button = h("button", { type: "submit", class: how.kind === "note" ? "save-note" : "send" }, how.button);
  const element = h(
    "form",
    { class: `writer ${how.kind}`, autocomplete: "off" },
    h("label", { for: key }, how.label),
    box,
    h("div", { class: "writer-foot" }, count, button),
  );
  let allowed = true;
  let reason = "";
  /** Why the text in the box waits; empty when it does not. */
  let waits = "";

  function update() {
    const length = [...box.value.trim()].length;
    const over = length - MOST_CHARACTERS;
    const room = length >= COUNT_FROM ? say(words, "left", { n: -over }) : say(words, how.kind === "note" ? "save_key" : "send_key");
    setText(count, waits !== "" ? waits : !allowed ? reason : over > 0 ? say(words, "too_long", { n: over }) : room);
    count.classList.toggle("problem", over > 0);
    button.disabled = !allowed || waits !== "" || length === 0 || over > 0;
    box.readOnly = !allowed || waits !== "";
    setAttribute(box, "aria-invalid", over > 0 ? "true" : null);
  }

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    update();
    if (button.disabled) return;
    const sent = how.send(box.value);
    if (sent === undefined) box.value = "";
    else void held(sent);
    update();
    box.focus();
  }

  /** @param {Promise<boolean>} sent */
  async function held(sent) {
    waits = say(words, "way_sending");
    if (await sent) box.value = "";
    waits = "";
    update();
  }

  element.addEventListener("submit", submit);
  box.addEventListener("input", () => {
    update();
    if (box.value.trim() !== "") how.input?.();
  });
  box.addEventListener("keydown", (event) => {
    // Enter alone stays a new line: a half sentence sent by mistake hurts more than one more key.
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) submit(event);
  });
  update();

  return {
    element,
    draft: () => box.value,
    /** Tell spell checkers and screen readers what is written here. @param {string} language */
    speak: (language) => setAttribute(box, "lang", language),
    /** Name the button by what it does here. @param {string} name */
    rename: (name) => setText(button, name),
    /** Say whether a text that waits goes out now or only when the line is back. @param {boolean} connected */
    way: (connected) => {
      if (waits === "") return;
      waits = say(words, connected ? "way_sending" : "way_waiting");
      update();
    },
    /** @param {HTMLElement} otherwise gets the focus when nothing can be written */
    focus: (otherwise) => (allowed ? box : otherwise).focus(),
    /** @param {string} body */
    putBack: (body) => {
      box.value = box.value.trim() === "" ? body : `${body}\n${box.value}`;
      update();
      box.focus();
    },
    /**
     * Allow writing, or say why not; a draft stays readable.
     *
     * @param {boolean} may
     * @param {string} why
     */
    allow: (may, why) => {
      if (may === allowed && why === reason) return;
      allowed = may;
      reason = why;
      element.classList.toggle("shut", !may);
      update();
    },
  };
}
