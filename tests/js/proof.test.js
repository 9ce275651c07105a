import assert from "node:assert/strict";
import { test } from "node:test";

import { prove, solve } from "../../frontend/static/js/visitor/proof.js";

/** Made by altcha 2.3.0 for Python: `create_challenge("PBKDF2/SHA-256", 10, counter=7, ...)`, and its own solution. */
const CHALLENGE = {
  algorithm: "PBKDF2/SHA-256",
  cost: 10,
  nonce: "f0dd00152d8d01a6677573eae1992ddc",
  salt: "77ed4dfb531080f0b2f89bdb53ffeaa3",
  key_length: 32,
  key_prefix: "c44768de65545dbb9fccae66146928e1",
  key_signature: "0446e29059f17b5d80f24f0f821ebeafb2acf78e1724a7e4a3a4512661e92ba6",
  expires_at: 2000000000,
  signature: "1400ae0247d26ae6115660da6be64675a0968346546d98cb49fd74039070518c",
};
const SOLUTION = { counter: 7, derived_key: "c44768de65545dbb9fccae66146928e131dcee1d6849eb3428cff06cca010802" };

test("the count that altcha chose is found, with the key that it derives", async () => {
  assert.deepEqual(await solve(CHALLENGE), { challenge: CHALLENGE, ...SOLUTION });
});

test("a browser that cannot derive fails at once, so that the page says what else there is", async () => {
  await assert.rejects(solve(CHALLENGE, /** @type {any} */ (null)));
});

test("what has no solution ends", async () => {
  let derived = 0;
  const subtle = /** @type {any} */ ({ importKey: async () => ({}), deriveBits: async () => (derived++, new ArrayBuffer(32)) });
  await assert.rejects(solve(CHALLENGE, subtle));
  assert.ok(derived <= 10_004);
});

test("it tries a few at a time, so that no page stands still for it", async () => {
  let now = 0;
  let most = 0;
  const deriveBits = async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    return Uint8Array.from(SOLUTION.derived_key.match(/../g), (two) => parseInt(two, 16)).buffer;
  };
  await solve(CHALLENGE, /** @type {any} */ ({ importKey: async () => ({}), deriveBits }));
  assert.equal(most, 4);
});

test("the proof goes out on the newest line, and into the hello of the next one", async () => {
  const sent = [];
  const entry = { words: "proof", hello: {}, line: { send: (text) => sent.push(JSON.parse(text)) } };
  await prove(/** @type {any} */ (entry), CHALLENGE, () => ({ type: "hello", ...entry.hello }));
  assert.deepEqual(sent, [{ type: "hello", proof: { challenge: CHALLENGE, ...SOLUTION } }]);
  assert.deepEqual([entry.words, entry.hello], ["", { proof: { challenge: CHALLENGE, ...SOLUTION } }]);
});

test("a line that is not open yet says it with its own first hello", async () => {
  const line = { send: () => { throw new Error("connecting"); } };
  const entry = { words: "proof", hello: {}, line };
  await prove(/** @type {any} */ (entry), CHALLENGE, () => ({}));
  assert.deepEqual(Object.keys(entry.hello), ["proof"]);
});
