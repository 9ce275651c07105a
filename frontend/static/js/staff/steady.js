/** Keep rows where they are while somebody's hand is on them, so that nobody presses the wrong one. */

const HAND_RESTS_FOR = 4_000;

/**
 * Return a function from the true order to the order to show. Shortly after the pointer or a key moved in the list,
 * rows keep their place, those that went stay as empty seats, and new ones come at the end. A hand that rests too
 * long no longer counts: a list must not stand still because a pointer was left on it.
 *
 * @param {HTMLElement} list
 * @returns {(now: readonly string[]) => readonly string[]}
 */
export function steadyOrder(list) {
  /** @type {readonly string[]} */
  let shown = [];
  let handAt = -Infinity;
  const hand = () => {
    handAt = performance.now();
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"]) list.addEventListener(kind, hand);
  list.addEventListener("pointerleave", () => {
    handAt = -Infinity;
  });

  return (now) => {
    const held = performance.now() - handAt < HAND_RESTS_FOR;
    shown = held ? [...shown, ...now.filter((key) => !shown.includes(key))] : now;
    return shown;
  };
}
