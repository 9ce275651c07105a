/**
 * Passkeys as one more way to unlock a reader's key: WebAuthn with the PRF extension (level 3, section 10.1.4).
 *
 * The authenticator makes 32 secret bytes from a salt of ours, after it has seen its owner (finger, face or PIN). Only
 * that authenticator makes them, and only for this site's name, so they are a key: the server locks a slot with them and
 * opens it with them. That is why no signature is checked. A signature answers "is it you?" to a server that decides; here
 * nothing is decided, the bytes open the slot or do not. Whoever had the bytes would not need the signature, and whoever
 * has a signature without the bytes opens nothing. The challenge is random because the interface demands one.
 */

/** 32 bytes, the same for everybody and for ever: another salt gives other bytes, and no slot opens any more. */
const SALT = new TextEncoder().encode("havre archive passkey prf salt 1");
const BYTES = 32;
/** Ours, in case the browser has none; a person looks for their key meanwhile. */
const WITHIN = 120_000;
const ES256 = -7;
const RS256 = -257;

/** @typedef {{credential: string, output: string}} Made both base64url */

/** Say that this browser or this passkey cannot make secrets; `left` when a passkey without them was left behind. */
export class NoSecrets extends Error {
  /** @param {boolean} left */
  constructor(left) {
    super("no prf");
    this.left = left;
  }
}

/** Tell whether the browser knows passkeys at all; whether one makes secrets shows only when it is asked. */
export function knowsPasskeys() {
  return "PublicKeyCredential" in window && window.isSecureContext;
}

/**
 * Make a passkey and return its secret. Raises `NoSecrets`, or what the browser raises when its owner stops.
 *
 * @param {string} name how the device calls it in its list
 * @param {readonly string[]} known passkeys that are there already, base64url
 * @returns {Promise<Made>}
 */
export async function makePasskey(name, known) {
  if (await cannot()) throw new NoSecrets(false);
  const made = await navigator.credentials.create({
    publicKey: {
      rp: { id: location.hostname, name: "Havre" },
      // says nothing of the person, and is new each time: the same again would replace a passkey on the device
      user: { id: random(), name, displayName: name },
      challenge: random(),
      pubKeyCredParams: [
        { type: "public-key", alg: ES256 },
        { type: "public-key", alg: RS256 },
      ],
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      excludeCredentials: known.map(named),
      attestation: "none",
      timeout: WITHIN,
      // only whether it makes secrets: most make none before they are used
      extensions: { prf: {} },
    },
  });
  if (!(made instanceof PublicKeyCredential)) throw new NoSecrets(false);
  if (made.getClientExtensionResults().prf?.enabled !== true) throw new NoSecrets(true);
  return usePasskey([text64(made.rawId)]).catch((error) => {
    throw error instanceof NoSecrets ? new NoSecrets(true) : error;
  });
}

/**
 * Use one of these passkeys and return its secret. Raises `NoSecrets`, or what the browser raises when its owner stops.
 *
 * @param {readonly string[]} known base64url
 * @returns {Promise<Made>}
 */
export async function usePasskey(known) {
  const used = await navigator.credentials.get({
    publicKey: {
      rpId: location.hostname,
      challenge: random(),
      allowCredentials: known.map(named),
      userVerification: "required",
      timeout: WITHIN,
      extensions: { prf: { evalByCredential: Object.fromEntries(known.map((id) => [id, { first: SALT }])) } },
    },
  });
  const first = used instanceof PublicKeyCredential ? used.getClientExtensionResults().prf?.results?.first : undefined;
  if (!(used instanceof PublicKeyCredential) || first === undefined) throw new NoSecrets(false);
  return { credential: text64(used.rawId), output: secret(first) };
}

/** Tell whether the browser itself says that it cannot; older ones say nothing. */
async function cannot() {
  const all = await PublicKeyCredential.getClientCapabilities?.();
  return all !== undefined && all["extension:prf"] === false;
}

/** @returns {Uint8Array<ArrayBuffer>} */
function random() {
  return crypto.getRandomValues(new Uint8Array(BYTES));
}

/** @param {string} id base64url @returns {PublicKeyCredentialDescriptor} */
function named(id) {
  const raw = atob(id.replaceAll("-", "+").replaceAll("_", "/"));
  return { type: "public-key", id: Uint8Array.from(raw, (sign) => sign.charCodeAt(0)) };
}

/** @param {BufferSource} output @returns {string} */
function secret(output) {
  if (output.byteLength !== BYTES) throw new NoSecrets(false);
  return text64(output);
}

/** @param {BufferSource} raw @returns {string} base64url without padding */
function text64(raw) {
  const bytes = ArrayBuffer.isView(raw) ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength) : new Uint8Array(raw);
  const signs = btoa(String.fromCharCode(...bytes));
  return signs.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
