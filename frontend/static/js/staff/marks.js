/** Tell the server how far this page has got in each conversation: a second later, once for all that came. */

import { readUpTo } from "../lib/console_store.js";

const TELL_AFTER = 1_000;

/** @typedef {import("../lib/console_store.js").State} State */

/** @param {(frame: {type: "read", conversation: string, up_to: number, delivered: number}) => void} send */
export function marksBehind(send) {
  /** @type {Map<string, string>} */
  const told = new Map();
  /** @type {State | null} */
  let waits = null;

  function tellAll() {
    const state = waits;
    waits = null;
    for (const [id, { last }] of Object.entries(state?.logs ?? {})) {
      const read = state === null ? 0 : readUpTo(state, id);
      if (told.get(id) === `${last} ${read}`) continue;
      told.set(id, `${last} ${read}`);
      send({ type: "read", conversation: id, up_to: read, delivered: last });
    }
  }

  return {
    /** @param {State} state */
    tell: (state) => {
      if (waits === null) setTimeout(tellAll, TELL_AFTER);
      waits = state;
    },
    /** Tell everything again: what was told on a line that broke may not have arrived. */
    forget: () => told.clear(),
  };
}
