/**
 * One's own texts on their way, from the box to their line of the log. Part of `console_store.js`.
 *
 * @typedef {import("./console_store.js").State} State
 * @typedef {import("./console_store.js").Pending} Pending
 */

import { without } from "./records.js";

/**
 * Put one's own text on its way.
 *
 * @param {State} state
 * @param {string} id
 * @param {{clientId: string, kind: "post" | "note", body: string}} text
 * @returns {State}
 */
export function queued(state, id, text) {
  const others = (state.outbox[id] ?? []).filter((one) => one.clientId !== text.clientId);
  return withOutbox(state, id, [...others, { ...text, state: "sending", code: null, seq: null }]);
}

/**
 * Take in the answer to one's own text. A sent one stays until its line comes, so that it never blinks away.
 *
 * @param {State} state
 * @param {string} id
 * @param {string} clientId
 * @param {{ok: true, seq?: number | null} | {ok: false, code: string}} answer
 * @returns {State}
 */
export function answered(state, id, clientId, answer) {
  const rest = (state.outbox[id] ?? []).map((one) => {
    if (one.clientId !== clientId) return one;
    /** @type {Pending} */
    const next = answer.ok ? { ...one, state: "sent", code: null, seq: answer.seq ?? null } : { ...one, state: "refused", code: answer.code };
    return next;
  });
  const here = state.logs[id]?.lines.some((line) => line.type !== "fact" && line.client_id === clientId) ?? false;
  const next = withOutbox(state, id, beyond(state.logs[id]?.first ?? 0, rest));
  return here ? landed(next, id, clientId) : next;
}

/**
 * Take one's own text off: it has landed, or its author has taken it back.
 *
 * @param {State} state
 * @param {string} id
 * @param {string | null} clientId
 * @returns {State}
 */
export function landed(state, id, clientId) {
  return withOutbox(state, id, (state.outbox[id] ?? []).filter((one) => one.clientId !== clientId));
}

/**
 * Return one's own texts that the server has not taken: still on their way, or refused.
 *
 * @param {State} state
 * @param {string} id
 * @param {Pending["kind"]} [kind] only these
 * @returns {readonly Pending[]}
 */
export function notSent(state, id, kind) {
  return (state.outbox[id] ?? []).filter((one) => one.state !== "sent" && (kind === undefined || one.kind === kind));
}

/**
 * Forget one's own texts about a conversation that this page lets go.
 *
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
export function letGo(state, id) {
  return withOutbox(state, id, []);
}

/**
 * Return those that the lines beyond a number will still show.
 *
 * @param {number} first
 * @param {readonly Pending[]} texts
 */
export function beyond(first, texts) {
  return texts.filter((one) => one.seq === null || one.seq > first);
}

/** @param {State} state @param {string} id @param {readonly Pending[]} texts @returns {State} */
export function withOutbox(state, id, texts) {
  return { ...state, outbox: texts.length > 0 ? { ...state.outbox, [id]: texts } : without(state.outbox, id) };
}
