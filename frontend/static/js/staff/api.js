/** Post rare commands as JSON; their effects come back over the socket. */

/**
 * @typedef {{ok: true, body: any} | {ok: false, code: string}} Answer
 */

/**
 * Post to an address under /staff/api/ and return its answer; never throws.
 *
 * @param {string} path what follows /staff/api/
 * @param {Readonly<Record<string, unknown>>} [body]
 * @returns {Promise<Answer>}
 */
export async function post(path, body = {}) {
  try {
    const response = await fetch(`/staff/api/${path}`, {
      method: "POST",
      credentials: "same-origin",
      cache: "no-store",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
      body: JSON.stringify(body),
    });
    const type = response.headers.get("Content-Type") ?? "";
    const answer = type.startsWith("application/json") ? await response.json() : {};
    if (response.ok) return { ok: true, body: answer };
    return { ok: false, code: typeof answer.error === "string" ? answer.error : plain(response.status) };
  } catch {
    return { ok: false, code: "unreachable" };
  }
}

/**
 * Return a new id that makes a repeat of the same command harmless.
 *
 * @returns {string}
 */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} status */
function plain(status) {
  return status === 403 ? "sign_in_again" : "ours";
}

function csrf() {
  const field = document.querySelector("input[name=csrfmiddlewaretoken]");
  return field instanceof HTMLInputElement ? field.value : "";
}
