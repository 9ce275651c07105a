/**
 * A stand-in for a WebSocket where none gets through: proxies of shelters and schools let plain requests pass. It carries
 * the same frames over long polls, so that nobody who uses it sees a difference.
 */

const MOST_FAILURES = 3;
const SOCKET_AGAIN_AFTER = 180_000;
const WELCOME_WITHIN = 10_000;
const POLL_WITHIN = 40_000;
const SEND_WITHIN = 15_000;
/** What `readyState` says of a socket through which frames pass. */
const OPEN = 1;

/** @typedef {{setTimeout(f: () => void, ms: number): unknown, clearTimeout(handle: unknown): void}} Timers */

/** @type {Timers} */
const realTimers = {
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (handle) => clearTimeout(/** @type {ReturnType<typeof setTimeout>} */ (handle)),
};

/**
 * Return a class to be used as a WebSocket: the real one, and long polls once three of those in a row brought no welcome,
 * or one was open and stayed silent until it was given up. From then on the two take turns until one works, and while polls do, the socket is tried beside them now and then.
 *
 * The first are dialled before this is loaded, so that nobody waits for it where sockets do get through. They count as well.
 *
 * @param {{WebSocketClass?: new (url: string) => WebSocket, request?: typeof fetch, timers?: Timers, tried?: number, newest?: WebSocket | null}} [given]
 *   `tried` says how many were dialled before, and `newest` is the last of them
 * @returns {new (url: string) => WebSocket}
 */
export function dialler({ WebSocketClass = WebSocket, request = (...asked) => fetch(...asked), timers = realTimers, tried = 0, newest = null } = {}) {
  let failures = 0;
  const unwatch = watch(newest, Math.min(tried, MOST_FAILURES), (number) => (failures = number));

  class Dialled {
    /** @type {(() => void) | null} */
    onopen = null;
    /** @type {((event: {data: unknown}) => void) | null} */
    onmessage = null;
    /** @type {((event: {code: number}) => void) | null} */
    onclose = null;
    #greeted = false;
    #silent = false;
    #hello = "";
    #last = 0;
    /** @type {{send(text: string): void, close(code?: number): void, unanswered?: string[]}} */
    #inner;
    /** @type {WebSocket | null} */
    #trial = null;
    /** @type {unknown} */
    #timer = null;

    /** @param {string} url */
    constructor(url) {
      unwatch();
      if (failures < MOST_FAILURES || failures % 2 === 0) {
        this.#inner = this.#dial(url);
        return;
      }
      this.#inner = new Polls(request, timers, {
        opened: () => this.onopen?.(),
        heard: (text) => this.#heard(text),
        closed: (code) => this.#closed(code),
      });
      this.#tryLater(url);
    }

    /** @param {string} url */
    #dial(url) {
      const socket = (this.#inner = new WebSocketClass(url));
      socket.onopen = () => {
        this.#silent = true;
        this.onopen?.();
      };
      socket.onmessage = (event) => this.#heard(event.data, true);
      socket.onclose = (event) => this.#closed(event.code);
      return socket;
    }

    /** @param {unknown} data @param {boolean} [socket] whether a real one brought it */
    #heard(data, socket = false) {
      const { type, seq } = headOf(data);
      this.#silent = false;
      if (type === "welcome") this.#greeted = true;
      if (type === "welcome" && socket) failures = 0;
      if (type === "message" || type === "fact") this.#last = Math.max(this.#last, seq);
      this.onmessage?.({ data });
    }

    /** @param {number} code */
    #closed(code) {
      this.#silent = false;
      this.#end();
      this.onclose?.({ code });
    }

    #end() {
      if (!this.#greeted) failures += 1;
      // counted once, whoever ends it
      this.#greeted = true;
      this.#dropTrial();
    }

    /** @param {string} url */
    #tryLater(url) {
      this.#timer = timers.setTimeout(() => this.#try(url), SOCKET_AGAIN_AFTER);
    }

    /** Say hello on a socket beside the polls, and go over to it when it answers. @param {string} url */
    #try(url) {
      const failed = () => {
        this.#dropTrial();
        this.#tryLater(url);
      };
      this.#timer = timers.setTimeout(failed, WELCOME_WITHIN);
      try {
        const trial = (this.#trial = new WebSocketClass(url));
        trial.onopen = () => trial.send(JSON.stringify({ ...JSON.parse(this.#hello), after: this.#last, start: false }));
        trial.onclose = failed;
        trial.onmessage = (event) => headOf(event.data).type === "welcome" && this.#goOver(trial, event.data);
      } catch {
        failed();
      }
    }

    /** @param {WebSocket} socket @param {unknown} welcome */
    #goOver(socket, welcome) {
      this.#trial = null;
      this.#dropTrial();
      // the line has marked these as sent, and hears of no break after which it would send them again
      const unanswered = [...(this.#inner.unanswered ?? [])];
      this.#inner.close();
      this.#inner = socket;
      socket.onmessage = (event) => this.#heard(event.data, true);
      socket.onclose = (event) => this.#closed(event.code);
      this.#heard(welcome, true);
      for (const text of unanswered) socket.send(text);
    }

    #dropTrial() {
      timers.clearTimeout(this.#timer);
      const trial = this.#trial;
      this.#trial = null;
      if (trial === null) return;
      trial.onopen = trial.onmessage = trial.onclose = null;
      trial.close();
    }

    /** @param {string} text */
    send(text) {
      if (this.#hello === "") {
        this.#hello = text;
        this.#last = JSON.parse(text).after;
      }
      this.#inner.send(text);
    }

    /** @param {number} [code] */
    close(code) {
      if (this.#silent) failures = Math.max(failures, MOST_FAILURES - 1);
      this.#end();
      this.#inner.close(code);
    }
  }
  return /** @type {any} */ (Dialled);
}

/**
 * Say how many sockets in a row failed, as it stands now and whenever the one that is under way tells more; return what
 * ends that.
 *
 * @param {WebSocket | null} socket
 * @param {number} counted how many they are if this one fails
 * @param {(failures: number) => void} tell
 */
function watch(socket, counted, tell) {
  const over = new AbortController();
  const end = () => over.abort();
  /** @param {string} name @param {(event: any) => void} work */
  const on = (name, work) => socket?.addEventListener(name, work, { signal: over.signal });
  // one that is open may have been greeted already, and nobody can ask it
  if (socket?.readyState === OPEN) {
    tell(0);
    return end;
  }
  tell(counted);
  on("open", () => tell(MOST_FAILURES));
  on("message", ({ data }) => {
    const greeted = headOf(data).type === "welcome";
    tell(greeted ? 0 : counted);
    if (greeted) end();
  });
  // with 1000 it is this page that gave up a silent one
  on("close", ({ code }) => code !== 1000 && tell(counted));
  return end;
}

/** Ask for events again and again; commands go beside it, one after the other. */
class Polls {
  #request;
  #timers;
  #does;
  /** @type {Record<string, unknown> | null} */
  #hello = null;
  #after = 0;
  /** What the server told that has no number, as a word of its own. */
  #mark = "";
  /** @type {Promise<unknown>} */
  #sending = Promise.resolve();
  /** What is to be sent or under way, oldest first. @type {string[]} */
  unanswered = [];
  #over = new AbortController();

  /** @param {typeof fetch} request @param {Timers} timers @param {{opened(): void, heard(text: string): void, closed(code: number): void}} does */
  constructor(request, timers, does) {
    this.#request = request;
    this.#timers = timers;
    this.#does = does;
    queueMicrotask(() => this.#over.signal.aborted || does.opened());
  }

  /** @param {string} text */
  send(text) {
    const frame = JSON.parse(text);
    const hello = this.#hello;
    if (hello !== null) {
      this.unanswered.push(text);
      this.#sending = this.#sending.then(() => this.#ask("/send", { token: hello["token"], frame }, SEND_WITHIN)).then(() => this.unanswered.shift());
      return;
    }
    this.#hello = frame;
    this.#after = frame.after;
    void this.#listen();
  }

  close() {
    this.#over.abort();
  }

  async #listen() {
    while (!this.#over.signal.aborted) await this.#ask("/poll", { hello: { ...this.#hello, after: this.#after }, mark: this.#mark }, POLL_WITHIN);
  }

  /** @param {string} path @param {object} body @param {number} within */
  async #ask(path, body, within) {
    if (this.#over.signal.aborted) return;
    const slow = this.#timers.setTimeout(() => this.#fail(1006), within);
    try {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: this.#over.signal };
      const answer = await this.#request(path, init);
      if (!answer.ok) return this.#fail(answer.status === 503 ? 4503 : 1006);
      const { frames, mark, close } = await answer.json();
      if (mark) this.#mark = mark;
      for (const frame of frames) this.#take(frame);
      if (typeof close === "number") this.#fail(close);
    } catch {
      this.#fail(1006);
    } finally {
      this.#timers.clearTimeout(slow);
    }
  }

  /** @param {{type: string, seq: number}} frame */
  #take(frame) {
    if (this.#over.signal.aborted) return;
    if (frame.type === "welcome" && this.#hello !== null) this.#hello = { ...this.#hello, start: false };
    if (frame.type === "message" || frame.type === "fact") this.#after = Math.max(this.#after, frame.seq);
    this.#does.heard(JSON.stringify(frame));
  }

  /** @param {number} code */
  #fail(code) {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#does.closed(code);
  }
}

/** @param {unknown} data @returns {{type: string, seq: number}} */
function headOf(data) {
  try {
    return JSON.parse(String(data)) ?? {};
  } catch {
    return { type: "", seq: 0 };
  }
}
