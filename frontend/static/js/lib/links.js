/** Find the addresses in a text of staff. Pure: no DOM. */

/**
 * An address with its scheme: without blanks, quotes, backslashes and signs that cannot be seen, which would let it look
 * like another one.
 */
const ADDRESS = /https?:\/\/[^\s<>"'`\\\p{Cc}\p{Cf}]+/giu;
const AFTER_IT = /[.,;:!?)\]}»”’…]$/u;

/**
 * Return a text as pieces, in order; those with an address lead there. What a link shows is where it goes: an address
 * with a name in front of its host stays text, and a host in another script is shown as the browser asks for it.
 *
 * @param {string} text
 * @returns {{text: string, href: string | null}[]}
 */
export function pieces(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const raw = trimmed(match[0]);
    const url = addressOf(raw);
    if (url === null) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index), href: null });
    found.push({ text: raw.toLowerCase().startsWith(`${url.protocol}//${url.host}`) ? raw : url.href, href: url.href });
    at = match.index + raw.length;
  }
  if (at < text.length) found.push({ text: text.slice(at), href: null });
  return found;
}

/** Leave the end of the sentence outside, and a bracket that the address did not open. @param {string} raw */
function trimmed(raw) {
  while (AFTER_IT.test(raw) && !(raw.endsWith(")") && raw.split("(").length >= raw.split(")").length)) raw = raw.slice(0, -1);
  return raw;
}

/** @param {string} raw @returns {URL | null} */
function addressOf(raw) {
  try {
    const url = new URL(raw);
    return url.username === "" && url.password === "" ? url : null;
  } catch {
    return null;
  }
}
