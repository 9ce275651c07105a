/** What the line is made of: a WebSocket, or what stands in for it where none gets through. */

/** @typedef {new (url: string) => WebSocket} Dialler */

/** @type {Dialler} */
let dialler = WebSocket;
let tried = 0;

export const Dialled = /** @type {Dialler} */ (/** @type {unknown} */ (function (/** @type {string} */ url) {
  tried++;
  return (entry.line = new dialler(url));
}));

/** Have at hand what stands in; asked for again until it is there. */
export function loadPolls() {
  if (dialler === WebSocket) void import("../lib/poll.js").then((polls) => (dialler = polls.dialler({ tried, newest: entry.line })), () => undefined);
}

/** What a chat needs now and then, once it is there. @type {{texts?: typeof import("./texts.js"), ending?: typeof import("./ending.js"), survey?: typeof import("../survey/main.js")}} */
export const later = {};

/** Let the links of the languages turn the page where it stands. @param {(turned: boolean, href: string) => void} then */
export function turns(then) {
  document.getElementById("languages")?.addEventListener("click", (event) => {
    if (!(event.target instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    const { href } = event.target;
    import("./tongue.js").then((tongue) => tongue.turn(href)).then(() => then(true, href), () => then(false, href));
  });
}

/** Come back by words, or get them. */
export const loadBack = () => void import("./back.js").then((back) => back.show()).catch(() => (document.body.className = "failed"));

/**
 * What the work that a flood asks for shows, and the newest line.
 *
 * @type {import("./proof.js").Entry}
 */
export const entry = { words: "", hello: {}, line: null };

/** @param {import("../protocol").ProofChallenge} challenge @param {() => object} hello @param {() => void} draw */
export function prove(challenge, hello, draw) {
  if (entry.words === "proof") return; // still at the last one
  entry.words = "proof";
  import("./proof.js").then((work) => work.prove(entry, challenge, hello)).catch(() => (entry.words = "proof_failed")).finally(draw);
  draw();
}
