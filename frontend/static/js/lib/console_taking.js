/**
 * Whether a conversation that was just taken opens by itself. Pure, like the store beside it.
 *
 * Who has one open may be writing in it: it gives way only to somebody whose hands were still since they pressed.
 *
 * @typedef {{id: string, pressedAt: number, takenAt: number | null, hands: boolean}} Taking
 *   what was pressed last; `takenAt` is when the server said yes, `hands` whether anything was typed or pressed since
 */

export const OPENS_WITHIN = 3_000;

/**
 * Return what a press on Take or Accept begins.
 *
 * @param {string} id
 * @param {number} now this browser's clock in milliseconds
 * @returns {Taking}
 */
export function pressed(id, now) {
  return { id, pressedAt: now, takenAt: null, hands: false };
}

/**
 * Tell whether it may open now.
 *
 * @param {Taking} taking
 * @param {string | null} open what is open
 * @param {number} now
 */
export function mayOpen(taking, open, now) {
  if (taking.takenAt === null) return false;
  if (open === null) return now - taking.takenAt <= OPENS_WITHIN;
  return !taking.hands && now - taking.pressedAt <= OPENS_WITHIN;
}

/**
 * Tell whether it is too late to open anything by itself, whatever is open.
 *
 * @param {Taking} taking
 * @param {number} now
 */
export function expired(taking, now) {
  return taking.takenAt !== null && now - taking.takenAt > OPENS_WITHIN;
}
