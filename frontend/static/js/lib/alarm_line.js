/**
 * What the line says that tells of escalations: a visitor's always goes before a drill's. Pure.
 *
 * @typedef {{drill?: boolean}} Marked
 */

import { realFirst } from "./escalation_order.js";

/**
 * Return of which news a wall tells: of none while they are only of drills and something of a visitor waits.
 *
 * @template {Marked} One
 * @param {readonly One[]} news
 * @param {readonly Marked[]} raised
 * @returns {readonly One[]}
 */
export function wallTells(news, raised) {
  const real = raised.some((one) => !one.drill);
  return real ? news.filter((one) => !one.drill) : news;
}

/**
 * Tell whether a wall's line still says something: what was told of a visitor, while one of a visitor waits; what was
 * told of drills, while one waits that sounds.
 *
 * @param {readonly Marked[]} told
 * @param {readonly (Marked & {aloud?: boolean})[]} raised
 * @returns {boolean}
 */
export function wallKeeps(told, raised) {
  const drills = told.every((one) => one.drill === true);
  return raised.some((one) => (drills ? one.drill === true && one.aloud !== false : !one.drill));
}

/**
 * Return what a board tells: of which escalations, and whether nobody on call was reached for what its two lines are
 * about. That nobody was reached in a drill is not said while something of a visitor waits.
 *
 * @template {Ordered & {id: string, paged?: string}} One
 * @param {readonly One[]} raised
 * @param {readonly One[]} news those of them that are new and sound
 * @param {readonly {id: string, paged?: string}[]} earlier
 * @returns {{told: readonly One[], standing: boolean, unreached: boolean}} `told` is empty when there is nothing new
 */
export function boardTells(raised, news, earlier) {
  const alone = realFirst(raised).filter((one) => one.paged === "unreached");
  // that nobody on call was reached is news as well: from then on it is this board or nobody
  const lost = alone.some((one) => !earlier.some((old) => old.id === one.id && old.paged === "unreached"));
  const fresh = realFirst(news);
  const apart = fresh.some((one) => one.drill === true) && alone.some((one) => !one.drill);
  const told = lost && (fresh.length === 0 || apart) ? alone : fresh;
  return { told, standing: alone.length > 0, unreached: alone.length > 0 && (told === alone || !apart) };
}

/** @typedef {import("./escalation_order.js").Ordered} Ordered */
