/** Taking a conversation: it opens by itself only for hands that are still; otherwise it is told and marked. */

import { expired, mayOpen, pressed } from "../lib/console_taking.js";
import { summary } from "../lib/console_views.js";
import { say } from "../lib/say.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_taking.js").Taking} Taking
 */

/**
 * @param {import("../lib/say.js").Words} words
 * @param {{state: () => State, open: () => string | null, ask: (id: string) => Promise<import("../line").Answer>,
 *   show: (id: string) => void, tell: (text: string) => void, retract: (text: string) => void, draw: () => void}} does
 */
export function takings(words, does) {
  /** What was pressed last, until it is on the list. @type {Taking | null} */
  let taking = null;
  /** What was taken here and not looked at yet. @type {Set<string>} */
  const fresh = new Set();
  for (const kind of ["keydown", "pointerdown", "input"]) {
    document.addEventListener(kind, () => taking !== null && (taking.hands = true), { capture: true });
  }

  /** @param {string} id */
  async function take(id) {
    if (taking?.id === id && taking.takenAt === null) return;
    const handle = summary(does.state(), id)?.handle ?? "";
    const now = (taking = pressed(id, Date.now()));
    const answer = await does.ask(id);
    if (!answer.ok) {
      if (taking === now) taking = null;
      return does.tell(say(words, `error_${answer.code}`));
    }
    now.takenAt = Date.now();
    if (does.open() !== id) fresh.add(id);
    does.retract(say(words, "tell_offer", { name: handle }));
    does.tell(say(words, "take_done", { name: handle }));
    return does.draw();
  }

  /** Open what was just taken as soon as it is on the list, or say that it is there. */
  function settle() {
    if (taking === null) return;
    const { id, takenAt } = taking;
    const open = does.open();
    const opens = mayOpen(taking, open, Date.now());
    if (takenAt !== null && does.state().order.includes(id)) {
      taking = null;
      if (opens) does.show(id);
      else if (open !== id) does.tell(say(words, "take_listed", { name: summary(does.state(), id)?.handle ?? "" }));
    } else if (expired(taking, Date.now())) taking = null;
  }

  return {
    take,
    settle,
    /** @param {string} id */
    isFresh: (id) => fresh.has(id),
    /** @param {string} id */
    seen: (id) => void fresh.delete(id),
  };
}
