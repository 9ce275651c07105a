import assert from "node:assert/strict";
import { test } from "node:test";

import { capacity, heldBy, whyNotTake } from "../../frontend/static/js/lib/console_seats.js";
import { waiting } from "../../frontend/static/js/lib/console_views.js";
import { gravest, inOrder, realFirst } from "../../frontend/static/js/lib/escalation_order.js";

const one = (/** @type {string} */ id, /** @type {object} */ about) => ({ id, state: "raised", level: 2, raised_at: "2026-11-23T12:00:00.000Z", climbs: 0, ...about });

test("an escalation of a visitor stands above every drill, however old and grave that is", () => {
  const drill = one("drill", { level: 3, raised_at: "2026-11-23T11:00:00.000Z", drill: true });
  const seen = one("seen", { state: "acknowledged", level: 1 });
  const real = one("real", { raised_at: "2026-11-23T12:30:00.000Z" });
  assert.deepEqual(inOrder([drill, seen, real]).map((each) => each.id), ["real", "seen", "drill"]);
  assert.equal(gravest([drill, real])?.id, "real", "what is worst is said of visitors");
  assert.equal(gravest([drill])?.id, "drill");
  assert.deepEqual(realFirst([drill, real]), [real], "what is said counts no drill");
  assert.deepEqual(realFirst([drill]), [drill]);
});

test("a drill takes no seat and no place in the queue", () => {
  const shared = { door: "help", language: "en", opened_at: "2026-11-23T12:00:00.000Z", waiting_since: null };
  const conversations = [
    { ...shared, id: "d", state: "active", advocate_id: 7, level: 3, drill: true },
    { ...shared, id: "w", state: "waiting", advocate_id: null, level: 3, drill: true },
    { ...shared, id: "r", state: "waiting", advocate_id: null, level: 0, drill: false },
  ];
  const state = /** @type {any} */ ({ you: { id: 7, capacity: 1 }, overview: { availability: "ready", conversations, escalations: [] }, order: ["d"], logs: {}, outbox: {} });
  assert.deepEqual(heldBy(state), []);
  assert.equal(whyNotTake(state), null);
  assert.equal(capacity(state), 1);
  assert.deepEqual(waiting(state).map((each) => each.id), ["r", "w"]);
});
