/**
 * The work that the server asks for when very many begin at once: try counts until a derived key begins as it should
 * (altcha, version 2). The browser derives beside this page, some at a time, so nothing on it stands still meanwhile.
 */

/**
 * @typedef {import("../protocol").ProofChallenge} Challenge
 * @typedef {import("../protocol").Proof} Proof
 * @typedef {{words: "" | "proof" | "proof_failed", hello: {proof?: Proof}, line: WebSocket | null}} Entry
 *   which words the page shows meanwhile, what the next hello carries, and the newest line
 */

const AT_ONCE = 4;
/** The server's counts are far below this; without an end a wrong challenge would keep a phone warm for hours. */
const MOST_TRIES = 10_000;

/**
 * Do the work and say hello again on the line of the moment.
 *
 * @param {Entry} entry
 * @param {Challenge} challenge
 * @param {() => object} hello
 */
export async function prove(entry, challenge, hello) {
  entry.hello = {};
  entry.hello = { proof: await solve(challenge) };
  entry.words = "";
  try {
    entry.line?.send(JSON.stringify(hello()));
  } catch {
    // it is still connecting, and its own first hello carries the proof
  }
}

/**
 * @param {Challenge} challenge
 * @param {SubtleCrypto | undefined} [subtle] absent where the page did not come over TLS
 * @returns {Promise<Proof>} fails when the browser cannot derive, or finds nothing
 */
export async function solve(challenge, subtle = globalThis.crypto.subtle) {
  const [nonce, salt] = [bytesOf(challenge.nonce), bytesOf(challenge.salt)];
  /** @param {number} counter */
  async function derived(counter) {
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const bits = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: challenge.cost }, key, 8 * challenge.key_length);
    return { counter, derived_key: hexOf(new Uint8Array(bits)) };
  }
  for (let counter = 0; counter < MOST_TRIES; counter += AT_ONCE) {
    const tried = await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => derived(counter + more)));
    const found = tried.find(({ derived_key }) => derived_key.startsWith(challenge.key_prefix));
    if (found !== undefined) return { challenge, ...found };
  }
  throw new Error("no count fits");
}

/** @param {string} hex */
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
