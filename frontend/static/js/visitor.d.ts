/** What the visitor's page holds while it is open. Types only: a browser never loads this file. */

export type Message = { kind: "message"; key: string; seq: number; own: boolean; name: string | null; body: string };
export type Fact = { kind: "fact"; key: string; seq: number; code: string; name: string | null };
export type Line = Message | Fact;

/** A message on its way. */
export type Own = {
  clientId: string;
  body: string;
  /** When it last went out. */
  at: number;
  sent: boolean;
  /** Its number once it is stored. */
  seq: number | null;
  /** The code with which it came back. */
  refused: string | null;
};

/** How it ended, as the word list names it; `moved`: this page may no longer see it. */
export type End = "ended_by_visitor" | "ended_by_advocate" | "gone" | "moved";

export type State = {
  begun: boolean;
  waitingFrom: number | null;
  advocate: string | null;
  staffed: boolean;
  /** The language of the conversation; empty until the server said it. */
  language: string;
  /** Between how many minutes it may still take, null while we cannot say. */
  wait: import("./protocol").WaitRange | null;
  /** Whether anybody on shift reads the language of this page. */
  languageRead: boolean;
  /** Whether what stands before `first` may not be asked for: this page came back by words, and is not known yet. */
  hidden: boolean;
  /** The lines are the numbers beyond `first` up to `last`. */
  first: number;
  last: number;
  /** The newest number that the server has. */
  head: number;
  /** Whether the log was asked for again, and how often in a row that did not help. */
  asked: boolean;
  failures: number;
  /** How far staff have got, in the visitor's own numbers. */
  reached: { delivered: number; read: number };
  lines: readonly Line[];
  outbox: readonly Own[];
  typing: boolean;
  ended: End | null;
  endedBy: string | null;
};
