import assert from "node:assert/strict";
import { test } from "node:test";

const [heard, went, told] = [{}, [], []];
const on = (name, work) => (heard[name] = work);
Object.assign(globalThis, {
  HTMLTextAreaElement: class {},
  Element: class {},
  document: { documentElement: { hidden: false, dataset: { leave: "https://weather.example/" } }, body: null, addEventListener: on },
  window: { addEventListener: on },
  location: { replace: (address) => went.push(address) },
  fetch: async (path) => told.push(path),
  setTimeout: () => 0,
});
const { hasLeft } = await import("../../frontend/static/js/visitor/exit.js");

/** @param {string} key */
function press(key, timeStamp = 0) {
  heard["keydown"]({ key, timeStamp, preventDefault: () => undefined });
  heard["keyup"]({ key, timeStamp });
}

test("keys leave before the page has a body, and Escape goes again", () => {
  for (let times = 0; times < 3; times++) press("Shift");
  assert.deepEqual([hasLeft(), document.documentElement.hidden, told, went.length], [true, true, ["/bye"], 1]);
  press("Shift");
  assert.equal(went.length, 1, "a new try would cut off a slow answer");
  press("Escape");
  assert.deepEqual(went, ["https://weather.example/", "https://weather.example/"]);
});
