import assert from "node:assert/strict";
import { test } from "node:test";

import { expected } from "../../frontend/static/js/lib/expected.js";
import { empty, reduce } from "../../frontend/static/js/lib/visitor_store.js";

const WORDS = { wait_between: "{from} to {to}", wait_under: "less than {to}", wait_over: "more than {from}", wait_unknown: "unknown" };
const WELCOME = { type: "welcome", version: 1, state: "waiting", language: "fr", head: 0, after: 0, older: false, advocate: null, staffed: true };

test("a range is said as it is, and nothing is made up where there is none", () => {
  const say = (/** @type {any} */ wait, staffed = true) => expected(WORDS, { staffed, wait });
  assert.equal(say({ at_least: 5, at_most: 10 }), "5 to 10");
  assert.equal(say({ at_least: 0, at_most: 2 }), "less than 2");
  assert.equal(say({ at_least: 60, at_most: null }), "more than 60");
  assert.equal(say(null), "unknown");
  assert.equal(say({ at_least: 5, at_most: 10 }, false), "", "nobody is there: no number");
});

test("the page holds what the last word about the wait was", () => {
  const wait = { at_least: 5, at_most: 10 };
  let state = reduce(empty(), /** @type {any} */ ({ ...WELCOME, wait, language_read: false }), 1_000);
  assert.deepEqual([state.wait, state.languageRead, state.waitingFrom], [wait, false, 1_000]);
  state = reduce(state, /** @type {any} */ ({ type: "standing", state: "waiting", advocate: null, staffed: true, wait: null, language_read: true }), 9_000);
  assert.deepEqual([state.wait, state.languageRead, state.waitingFrom], [null, true, 1_000], "the wait goes on from where it began");
});
