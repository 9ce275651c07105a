/** A clock and a socket that do what the test says. */

/** @returns a clock that stands still until `pass` is called */
export function fakeClock() {
  let time = 1_000_000;
  let next = 1;
  const timers = new Map();
  return {
    now: () => time,
    setTimeout(work, ms) {
      timers.set(next, { at: time + ms, work });
      return next++;
    },
    clearTimeout: (handle) => timers.delete(handle),
    pending: () => timers.size,
    pass(ms) {
      const end = time + ms;
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
        if (due === undefined) break;
        timers.delete(due[0]);
        time = due[1].at;
        due[1].work();
      }
      time = end;
    },
  };
}

/** @returns a WebSocket class whose instances are listed in `all`, newest last */
export function fakeSockets() {
  const all = [];
  class FakeSocket extends EventTarget {
    constructor(url) {
      super();
      if (FakeSocket.refuses) throw new Error("refused");
      this.url = url;
      this.readyState = 0;
      this.sent = [];
      this.closedWith = null;
      all.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close(code) {
      this.closedWith = code;
    }
    opens() {
      this.#tells("open", { readyState: 1 });
    }
    says(frame) {
      this.#tells("message", { data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }
    breaks(code = 1006) {
      this.#tells("close", { code, readyState: 3 });
    }
    #tells(name, { readyState = this.readyState, ...about }) {
      this.readyState = readyState;
      const event = Object.assign(new Event(name), about);
      this[`on${name}`]?.(event);
      this.dispatchEvent(event);
    }
    greets() {
      this.opens();
      this.says({ type: "welcome" });
    }
    commands() {
      return this.sent.filter((frame) => frame.ref !== undefined);
    }
  }
  FakeSocket.refuses = false;
  return { FakeSocket, all, newest: () => all.at(-1) };
}
