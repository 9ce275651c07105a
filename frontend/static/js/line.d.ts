/** What a line to the server promises. Types only: a browser never loads this file. */

export type Answer = { ok: true; seq: number | null } | { ok: false; code: string; wait_ms: number | null };

/** `connecting` until the first welcome, `lost` from a break until the next welcome, `stopped` for good. */
export type LineState = "connecting" | "open" | "lost" | "stopped";

export type Clock = { now(): number; setTimeout(f: () => void, ms: number): unknown; clearTimeout(handle: unknown): void };

export type Line = {
  command<Command extends { type: string }>(frame: Command): Promise<Answer>;
  /** Drops its frame unless the line is open. */
  send<Command extends { type: string }>(frame: Command): void;
  /** Fetches again what this page misses. */
  reconnect(): void;
  close(code?: number): void;
};

/** What a line is opened with; the last four are the browser's own unless a test says otherwise. */
export type Options<Event extends { type: string }> = {
  url: string;
  /** Returns the first frame of each connection. */
  hello: () => { type: string };
  /** Returns the frame that shows that the page is there. */
  ping?: () => { type: string };
  onFrame: (frame: Event) => void;
  /** `code` is that of a close, `error` why it stopped for good. */
  onState: (state: LineState, detail?: { code?: number; error?: string }) => void;
  WebSocketClass?: new (url: string) => WebSocket;
  clock?: Clock;
  random?: () => number;
  wakes?: (wake: () => void) => () => void;
};
