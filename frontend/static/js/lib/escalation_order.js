/**
 * In which order open escalations stand, and which of them are news. Pure.
 *
 * @typedef {{state: string, level: number, raised_at: string, climbs: number, drill?: boolean}} Ordered
 */

/** @type {ReadonlySet<string>} */
const SETTLED = new Set(["resolved", "stood_down"]);

/**
 * Return the open ones: real ones before drills, those that nobody has acknowledged first, the oldest of them at the
 * top, since a clock already lifts what waits. Of two as old the graver one is first.
 *
 * @template {Ordered} One
 * @param {readonly One[]} all
 * @returns {readonly One[]}
 */
export function inOrder(all) {
  return all
    .filter((one) => !SETTLED.has(one.state))
    .sort(
      (a, b) =>
        Number(a.drill ?? false) - Number(b.drill ?? false) || Number(b.state === "raised") - Number(a.state === "raised") || Date.parse(a.raised_at) - Date.parse(b.raised_at) || b.level - a.level,
    );
}

/**
 * Return those of some that are to be told of: drills are only while there is nothing real.
 *
 * @template {Ordered} One
 * @param {readonly One[]} some
 * @returns {readonly One[]}
 */
export function realFirst(some) {
  const real = some.filter((one) => !one.drill);
  return real.length > 0 ? real : some;
}

/**
 * Return the gravest of some, the first of them where several are, and a drill only among drills; undefined of none.
 *
 * @template {Ordered} One
 * @param {readonly One[]} some
 * @returns {One | undefined}
 */
export function gravest(some) {
  return realFirst(some).reduce((/** @type {One | undefined} */ most, one) => (most === undefined || one.level > most.level ? one : most), undefined);
}

/**
 * Return those that were not there before, or have climbed or called again since.
 *
 * @template {Ordered} One
 * @template {Ordered} Old
 * @param {readonly One[]} raised
 * @param {readonly Old[]} before
 * @param {(one: One | Old) => string} keyOf
 * @returns {readonly One[]}
 */
export function newOnes(raised, before, keyOf) {
  const old = new Map(before.map((one) => [keyOf(one), one]));
  return raised.filter((one) => one.climbs >= (old.get(keyOf(one))?.climbs ?? -1) + 1);
}
