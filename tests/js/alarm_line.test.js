import assert from "node:assert/strict";
import { test } from "node:test";

import { boardTells, wallKeeps, wallTells } from "../../frontend/static/js/lib/alarm_line.js";

const one = (/** @type {string} */ id, /** @type {object} */ about = {}) => ({ id, state: "raised", level: 3, raised_at: "2026-11-23T12:00:00.000Z", climbs: 0, aloud: true, paged: "", drill: false, ...about });
const heron = one("heron");
const robin = one("robin", { drill: true });
const wren = one("wren", { drill: true, aloud: false });

test("a drill's news does not take the place of a visitor's call on the wall", () => {
  assert.deepEqual(wallTells([robin], [heron, robin]), []);
  assert.deepEqual(wallTells([heron, robin], [heron, robin]), [heron]);
  assert.deepEqual(wallTells([robin], [robin]), [robin]);
});

test("the wall's line goes once what it tells of is acknowledged, whatever is practised", () => {
  assert.equal(wallKeeps([heron], [heron, wren]), true);
  assert.equal(wallKeeps([heron], [wren]), false, "a practice in silence keeps no visitor's call there");
  assert.equal(wallKeeps([heron], [robin]), false, "nor does a drill that sounds");
  assert.equal(wallKeeps([robin], [robin, wren]), true);
  assert.equal(wallKeeps([robin], [wren]), false);
});

test("that nobody was reached in a drill is not said of a visitor's call", () => {
  const lost = { ...robin, paged: "unreached" };
  assert.deepEqual(boardTells([heron, lost], [heron], []), { told: [heron], standing: false, unreached: false });
  assert.deepEqual(boardTells([heron, lost], [], [heron, robin]), { told: [], standing: false, unreached: false });
  assert.deepEqual(boardTells([lost], [], [robin]), { told: [lost], standing: true, unreached: true });
});

test("that nobody was reached for a visitor is not said of a drill", () => {
  const lost = { ...heron, paged: "unreached" };
  assert.deepEqual(boardTells([lost, robin], [robin], [lost]), { told: [robin], standing: true, unreached: false });
  assert.deepEqual(boardTells([lost, robin], [robin], [heron]), { told: [lost], standing: true, unreached: true }, "the graver news is told");
  assert.deepEqual(boardTells([lost, robin], [], [heron, robin]), { told: [lost], standing: true, unreached: true });
});
