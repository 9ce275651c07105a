/** The left pane: what this person holds, and who waits. Nothing in it moves while the pointer or the focus is there. */

import { since } from "../lib/ages.js";
import { canBeTaken, capacity, heldBy, pressing, toRecord, whyNotTake } from "../lib/console_seats.js";
import { cameAs, lastWritten, mine, offered, real, unanswered, unread, waitedFrom, waiting } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { byId, h, part, reconcile, setAttribute, setText } from "../staff/dom.js";
import { levelMark, setLevel } from "../staff/level.js";
import { steadyOrder } from "../staff/steady.js";
import { warning } from "../staff/warning.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/say.js").Words} Words
 */

/**
 * @param {Words} words
 * @param {{open: (id: string) => void, take: (id: string) => void, slotOf: (id: string) => number, isFresh: (id: string) => boolean}} does
 */
export function listPane(words, does) {
  const pane = byId("pane-list", HTMLElement);
  const held = byId("mine", HTMLUListElement);
  const queue = byId("waiting", HTMLUListElement);
  const steady = steadyOrder(queue);
  const steadyHeld = steadyOrder(held);

  /**
   * @param {State} state
   * @param {string | null} open
   * @param {number} now the server's clock
   * @param {readonly {id: string, name: string}[]} kept what is gone and has something unsent in it
   */
  function render(state, open, now, kept) {
    const ours = new Map(mine(state).map((one) => [one.id, one]));
    const names = new Map(kept.map((one) => [one.id, one.name]));
    const heldOrder = steadyHeld([...ours.keys(), ...names.keys()]);
    const queued = waiting(state);
    const own = new Set(offered(state).map((one) => one.id));
    // what is offered to oneself waits as well: the list must not say that nobody does
    const waits = [...offered(state), ...queued];
    const byKey = new Map(waits.map((one) => [one.id, one]));
    const reason = queued.map((one) => whyNotTake(state, pressing(one))).find((why) => why !== null) ?? null;
    const queueOrder = steady(waits.map((one) => one.id));
    const offers = real(offered(state)).length;
    const count = { held: heldBy(state).length - offers, n: offers, most: capacity(state) };
    setText(byId("mine-count", HTMLElement), say(words, offers > 0 ? "held_offered" : "held_of", count));
    setText(byId("waiting-count", HTMLElement), String(real(waits).length));
    byId("mine-empty", HTMLElement).hidden = heldOrder.length > 0;
    byId("waiting-empty", HTMLElement).hidden = queueOrder.length > 0;
    const why = byId("take-why", HTMLElement);
    const told = reason === null ? "" : say(words, `take_${reason}`, { most: capacity(state), name: toRecord(state)[0]?.handle ?? "" });
    setText(why, told);
    reconcile(held, heldOrder, (id) => id, makeHeld, (row, id) => {
      const one = ours.get(id);
      setAttribute(part(row, ".row"), "aria-current", open === id ? "true" : null);
      if (one === undefined) patchGone(row, id, names.get(id));
      else patchHeld(row, one, state, now);
    });
    reconcile(queue, queueOrder, (id) => id, makeWaiting, (row, id) => {
      const one = byKey.get(id);
      patchWaiting(row, one, own.has(id) || one === undefined ? "own" : whyNotTake(state, pressing(one)), now);
    });
  }

  /** @param {string} id */
  function makeHeld(id) {
    const button = h(
      "button",
      { type: "button", class: "row" },
      h("span", { class: "row-top" }, h("span", { class: "key", "aria-hidden": "true" }), h("strong", { class: "handle" }), h("span", { class: "unread" })),
      h("span", { class: "row-mid" }, levelMark(words, 0), h("span", { class: "state" }), h("span", { class: "row-age" })),
      h("span", { class: "warn" }),
    );
    button.addEventListener("click", () => does.open(id));
    return h("li", {}, button);
  }

  /**
   * @param {HTMLElement} row
   * @param {ConversationSummary} one
   * @param {State} state
   * @param {number} now
   */
  function patchHeld(row, one, state, now) {
    const button = part(row, ".row");
    const count = unread(state, one.id);
    patchSeat(row, one.id, one.handle);
    button.classList.toggle("drill", one.drill === true);
    setText(part(row, ".unread"), count > 0 ? say(words, "unread", { n: count }) : does.isFresh(one.id) ? say(words, "just_taken") : "");
    setLevel(words, part(row, ".level"), one.level);
    const waits = unanswered(state, one);
    button.classList.toggle("unanswered", waits);
    setText(part(row, ".state"), say(words, waits ? "state_unanswered" : `state_${one.state}`));
    const age = since(words, lastWritten(state, one), now);
    setText(part(row, ".row-age"), age === "" ? say(words, "not_written") : say(words, "wrote_ago", { age }));
    setText(part(row, ".warn"), warning(words, one));
  }

  /** @param {HTMLElement} row @param {string} id @param {string | undefined} name undefined for an empty seat */
  function patchSeat(row, id, name) {
    const slot = does.slotOf(id);
    row.classList.toggle("gone", name === undefined);
    setAttribute(part(row, ".row"), "disabled", name === undefined ? "" : null);
    setAttribute(part(row, ".row"), "data-slot", String(slot));
    setText(part(row, ".key"), slot > 0 ? String(slot) : "");
    if (name !== undefined) setText(part(row, ".handle"), name);
  }

  /**
   * @param {HTMLElement} row
   * @param {string} id
   * @param {string | undefined} name undefined when nothing of it is kept and only somebody's hand holds its place
   */
  function patchGone(row, id, name) {
    patchSeat(row, id, name);
    part(row, ".row").classList.remove("unanswered");
    setLevel(words, part(row, ".level"), 0);
    setText(part(row, ".state"), say(words, name === undefined ? "state_gone" : "state_kept"));
    for (const what of [".unread", ".row-age", ".warn"]) setText(part(row, what), "");
  }

  /** @param {string} id */
  function makeWaiting(id) {
    const take = h("button", { type: "button", class: "take" }, say(words, "take"));
    take.addEventListener("click", () => does.take(id));
    return h(
      "li",
      { class: "row" },
      h("span", { class: "row-top" }, h("strong", { class: "handle" }), take),
      h("span", { class: "row-mid" }, levelMark(words, 0), h("span", { class: "state" })),
      h("span", { class: "row-age" }),
      h("span", { class: "warn" }),
    );
  }

  /**
   * @param {HTMLElement} row
   * @param {ConversationSummary | undefined} one undefined when it went while the pointer was here
   * @param {string | null} reason why it cannot be taken, `own` when it is offered to this very person
   * @param {number} now
   */
  function patchWaiting(row, one, reason, now) {
    const take = part(row, ".take");
    const own = reason === "own";
    const free = one !== undefined && (own || (canBeTaken(one) && reason === null));
    setAttribute(take, "disabled", free ? null : "");
    setAttribute(take, "aria-describedby", own || reason === null ? null : "take-why");
    row.classList.toggle("gone", one === undefined);
    if (one === undefined) {
      setText(part(row, ".state"), say(words, "state_gone"));
      setText(part(row, ".row-age"), "");
      setText(part(row, ".warn"), "");
      return;
    }
    const name = one.handle;
    row.classList.toggle("drill", one.drill === true);
    setText(part(row, ".handle"), name);
    setAttribute(take, "aria-label", say(words, "take_name", { name }));
    setLevel(words, part(row, ".level"), one.level);
    setText(part(row, ".state"), cameAs(words, one));
    const age = since(words, waitedFrom(one), now);
    const to = own ? say(words, "offered_to_you") : say(words, "offered_to", { name: one.advocate ?? say(words, "somebody") });
    setText(part(row, ".row-age"), say(words, "waits", { age }) + (one.state === "offered" ? ` · ${to}` : ""));
    setText(part(row, ".warn"), warning(words, one));
  }

  return { render, element: pane };
}
