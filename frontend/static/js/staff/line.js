/** What console and board share about their socket. */

/** Return the address of the staff socket of this site. */
export function lineUrl() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/s`;
}

/**
 * Ask for a log; where the server holds less than this page, after a restore, forget it so that it is read anew.
 *
 * @param {import("../lib/socket.js").Line} line
 * @param {{conversation: string, after: number}} wanted
 * @param {{ahead: (id: string) => void, refused: (code: string) => void}} does
 */
export async function askFor(line, { conversation, after }, does) {
  const answer = await line.command({ type: "follow", conversation, after });
  if (answer.ok) return;
  if (answer.code === "ahead_of_log") does.ahead(conversation);
  else does.refused(answer.code);
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
