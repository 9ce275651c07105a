/** The panels of a console: those of its list, and those that went while something in them was not sent. */

import { notSent } from "../lib/console_store.js";
import { summary } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { ask } from "../staff/ask.js";
import { chatPanel } from "./chat.js";
import { dutyCard } from "./duty.js";
import { contextPanel } from "./forms.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {{chat: ReturnType<typeof chatPanel>, context: ReturnType<typeof contextPanel>, name: string, slot: number}} Panel
 */

const SLOTS = 9;

/**
 * @param {import("../lib/say.js").Words} words
 * @param {Parameters<typeof contextPanel>[1]} choices
 * @param {Omit<Parameters<typeof chatPanel>[4], "discard" | "cardDue"> & {state: () => State, dropped: (id: string) => void, insert: (id: string, body: string) => void, toList: () => void}} does
 */
export function panelSet(words, choices, does) {
  /** @type {Map<string, Panel>} */
  const panels = new Map();
  const listed = (/** @type {string} */ id) => does.state().order.includes(id);

  /**
   * Return the panel of a conversation, made when it is first asked for while it is on the list.
   *
   * @param {string} id
   * @returns {Panel | undefined}
   */
  function panel(id) {
    const known = panels.get(id);
    const one = summary(does.state(), id);
    if (known !== undefined || one === undefined || !listed(id)) return known;
    const taken = new Set([...panels.values()].map((other) => other.slot));
    const slot = Array.from({ length: SLOTS }, (_, at) => at + 1).find((free) => !taken.has(free)) ?? 0;
    const name = one.handle;
    const card = dutyCard(words, id, name, does.tell);
    const made = { chat: chatPanel(words, id, name, slot, { ...does, discard, cardDue: card.due }), context: contextPanel(words, choices, id, name, { ...does, card }), name, slot };
    panels.set(id, made);
    return made;
  }

  /** Tell whether something was written about a conversation and is not sent. @param {string} id */
  function unsent(id) {
    const one = panels.get(id);
    if (one === undefined) return false;
    // who has recorded the contact is through with what they still wanted to say; notes they may have meant
    if (one.context.recorded()) return one.context.draft() !== "" || notSent(does.state(), id, "note").length > 0;
    return one.context.draft() !== "" || one.chat.draft().trim() !== "" || notSent(does.state(), id).length > 0;
  }

  /** @param {string} id */
  function drop(id) {
    panels.delete(id);
    does.dropped(id);
  }

  /** Throw away what was not sent about a conversation that is gone. @param {string} id */
  async function discard(id) {
    const name = panels.get(id)?.name ?? "";
    const sure = await ask(words, { title: say(words, "discard_title", { name }), text: say(words, "discard_text"), yes: say(words, "discard_yes") });
    if (sure !== null && !listed(id)) drop(id);
  }

  return {
    panel,
    unsent,
    /** The panel that is there already. @param {string} id */
    known: (id) => panels.get(id),
    /** @param {string} digit */
    bySlot: (digit) => [...panels].find(([, one]) => String(one.slot) === digit)?.[0],
    anyUnsent: () => [...panels.keys()].some(unsent),
    /** Let go of what is no longer this person's, but never of what they wrote and nobody got. */
    sweep: () => {
      for (const id of panels.keys()) if (!listed(id) && !unsent(id)) drop(id);
    },
    /** Return what is gone from the list and has something unsent in it. */
    kept: () => [...panels].filter(([id]) => !listed(id)).map(([id, { name }]) => ({ id, name })),
  };
}
