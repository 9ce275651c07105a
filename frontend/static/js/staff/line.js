/** What console and board share about their socket. */

/** Return the address of the staff socket of this site. */
export function lineUrl() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/s`;
}

const SAME_AGAIN_AFTER = 2_000;

/**
 * Return a gate that lets the same question through only now and then: a server that never answers it is not flooded.
 *
 * @returns {(conversation: string, after: number) => boolean}
 */
export function onlyProgress() {
  /** @type {Map<string, {after: number, at: number}>} */
  const last = new Map();
  return (conversation, after) => {
    const before = last.get(conversation);
    const now = Date.now();
    if (before !== undefined && before.after === after && now - before.at < SAME_AGAIN_AFTER) return false;
    last.set(conversation, { after, at: now });
    return true;
  };
}
