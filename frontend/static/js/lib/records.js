/** Plain objects as records: each function returns a new one. */

/**
 * @template Value, Result
 * @param {Readonly<Record<string, Value>>} record
 * @param {(value: Value, key: string) => Result} change
 * @returns {Record<string, Result>}
 */
export function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/**
 * @template Value
 * @param {Readonly<Record<string, Value>>} record
 * @param {string} key
 * @returns {Record<string, Value>}
 */
export function without(record, key) {
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}
