// Written by `manage.py export_protocol` from chat/protocol.py. Change that file, not this one.

/** Describe the signed-in person to their own page. */
export interface Person {
  id: number;
  name: string;
  role: "administrator" | "advocate" | "analyst" | "supervisor";
  capacity: number;
  availability: "away" | "busy" | "ready";
}

/** Describe a conversation on a list: no text of it, ever. */
export interface ConversationSummary {
  id: string;
  handle: string;
  state: "abandoned" | "active" | "closed" | "offered" | "waiting" | "wrap_up";
  door: "help" | "not_said" | "professional" | "report" | "worried";
  language: "en" | "fr";
  level: number;
  opened_at: string;
  waiting_since: string | null;
  advocate_id: number | null;
  advocate: string | null;
  offer_until: string | null;
  head: number;
  read: number;
  last_visitor_at: string | null;
  answered: boolean;
  visitor_here: boolean;
  ended_by: "advocate" | "faded" | "left_quickly" | "visitor" | null;
}

/** Describe an escalation on the board: no reason, no text. */
export interface EscalationSummary {
  id: string;
  conversation: string;
  handle: string;
  level: number;
  state: "acknowledged" | "in_progress" | "raised" | "resolved" | "stood_down";
  raised_at: string;
  raised_by: string | null;
  due_at: string | null;
  climbs: number;
  acknowledged_by: string | null;
}

/** Come first on every socket: begin (`start`) or go on, holding everything up to `after`. */
export interface VisitorHello {
  type: "hello";
  version: number;
  token: string;
  after: number;
  start: boolean;
  language: "en" | "fr";
  door?: "help" | "not_said" | "professional" | "report" | "worried";
}

/** Write a message; the same `client_id` again is harmless and gets the first answer again. */
export interface VisitorPost {
  type: "post";
  ref: number;
  client_id: string;
  body: string;
}

/** End the conversation in the ordinary way. */
export interface VisitorEnd {
  type: "end";
  ref: number;
}

/** Show that the page is there; answered with the newest number. */
export interface VisitorPing {
  type: "ping";
}

/** Answer a hello: how the conversation stands; what was missed follows as ordinary events. */
export interface VisitorWelcome {
  type: "welcome";
  version: number;
  state: "abandoned" | "active" | "closed" | "offered" | "waiting" | "wrap_up";
  language: "en" | "fr";
  head: number;
  advocate: string | null;
  staffed: boolean;
}

/** Show a message; `client_id` only on one's own. */
export interface VisitorMessage {
  type: "message";
  seq: number;
  author: "advocate" | "you";
  name: string | null;
  client_id: string | null;
  body: string;
  at: string;
}

/** Tell something that happened; the words for `code` are in the page. */
export interface VisitorFact {
  type: "fact";
  seq: number;
  code: "ended_by_advocate" | "ended_by_visitor" | "joined" | "returned_to_queue";
  name: string | null;
  at: string;
}

/** Tell how things stand when nothing was written: the state, and whether somebody is on shift. */
export interface VisitorStanding {
  type: "standing";
  state: "abandoned" | "active" | "closed" | "offered" | "waiting" | "wrap_up";
  advocate: string | null;
  staffed: boolean;
}

/** Tell that the advocate is writing; the page forgets it after some seconds. */
export interface VisitorTyping {
  type: "typing";
}

/** Acknowledge a command after its commit; `seq` for a message. */
export interface VisitorOk {
  type: "ok";
  ref: number;
  seq?: number | null;
}

/** Refuse a command, or a frame whose `ref` could not be read. */
export interface VisitorError {
  type: "error";
  ref: number | null;
  code: string;
  wait_ms?: number | null;
}

/** Answer a ping with the newest number, so that a lost last event is found. */
export interface VisitorPong {
  type: "pong";
  head: number;
}

/** Come first on every socket: go on with everything that this tab holds, conversation to newest number. */
export interface StaffHello {
  type: "hello";
  version: number;
  follow?: Record<string, number>;
}

/** Ask for a conversation's log after a number, and for what comes. */
export interface StaffFollow {
  type: "follow";
  ref: number;
  conversation: string;
  after: number;
}

/** Stop following. */
export interface StaffUnfollow {
  type: "unfollow";
  ref: number;
  conversation: string;
}

/** Write to the visitor. */
export interface StaffPost {
  type: "post";
  ref: number;
  conversation: string;
  client_id: string;
  body: string;
}

/** Write a note that only staff see. */
export interface StaffNote {
  type: "note";
  ref: number;
  conversation: string;
  client_id: string;
  body: string;
}

/** Tell the visitor that one is writing; not stored, not answered. */
export interface StaffTyping {
  type: "typing";
  conversation: string;
}

/** Move one's own read mark forward; never back; not answered. */
export interface StaffRead {
  type: "read";
  conversation: string;
  up_to: number;
}

/** Take a waiting conversation, or accept an offered one. */
export interface StaffTake {
  type: "take";
  ref: number;
  conversation: string;
}

/** Give an offered conversation back to the head of the queue. */
export interface StaffDecline {
  type: "decline";
  ref: number;
  conversation: string;
}

/** Say whether one takes conversations. */
export interface StaffAvailability {
  type: "availability";
  ref: number;
  state: "away" | "busy" | "ready";
}

/** Show that the console is there; answered with the newest number of each followed conversation. */
export interface StaffPing {
  type: "ping";
}

/** Answer a hello. */
export interface StaffWelcome {
  type: "welcome";
  version: number;
  you: Person;
}

/** Show the whole shift as far as this person may see it; each one replaces the last. */
export interface StaffOverview {
  type: "overview";
  at: string;
  availability: "away" | "busy" | "ready";
  ready: number;
  conversations: ConversationSummary[];
  escalations: EscalationSummary[];
}

/** Show a message of a followed conversation. */
export interface StaffMessage {
  type: "message";
  conversation: string;
  seq: number;
  author: "staff" | "visitor";
  author_id: number | null;
  name: string | null;
  client_id: string | null;
  body: string;
  at: string;
}

/** Show a staff-only note. */
export interface StaffNoteEvent {
  type: "note";
  conversation: string;
  seq: number;
  author_id: number | null;
  name: string | null;
  client_id: string | null;
  body: string;
  at: string;
}

/** Tell something that happened; `level` with flags. */
export interface StaffFact {
  type: "fact";
  conversation: string;
  seq: number;
  code: "ended_by_advocate" | "ended_by_visitor" | "faded" | "flag_acknowledged" | "flag_climbed" | "flag_raised" | "flag_resolved" | "flag_stood_down" | "joined" | "left_quickly" | "offered" | "opened" | "recorded" | "returned_to_queue";
  name: string | null;
  level: number | null;
  at: string;
}

/** Mark the end of what was missed: from here on events come as they happen. */
export interface StaffFollowed {
  type: "followed";
  conversation: string;
  head: number;
}

/** Take a conversation off this page: it ended for this person, or the right to it did. */
export interface StaffUnfollowed {
  type: "unfollowed";
  conversation: string;
}

/** Acknowledge a command after its commit; `seq` for a message or note. */
export interface StaffOk {
  type: "ok";
  ref: number;
  seq?: number | null;
}

/** Refuse a command, or a frame whose `ref` could not be read. */
export interface StaffError {
  type: "error";
  ref: number | null;
  code: string;
  wait_ms?: number | null;
}

/** Answer a ping with the newest number of each followed conversation. */
export interface StaffPong {
  type: "pong";
  heads: Record<string, number>;
}

export type VisitorCommand =
  | VisitorHello
  | VisitorPost
  | VisitorEnd
  | VisitorPing;

export type VisitorEvent =
  | VisitorWelcome
  | VisitorMessage
  | VisitorFact
  | VisitorStanding
  | VisitorTyping
  | VisitorOk
  | VisitorError
  | VisitorPong;

export type StaffCommand =
  | StaffHello
  | StaffFollow
  | StaffUnfollow
  | StaffPost
  | StaffNote
  | StaffTyping
  | StaffRead
  | StaffTake
  | StaffDecline
  | StaffAvailability
  | StaffPing;

export type StaffEvent =
  | StaffWelcome
  | StaffOverview
  | StaffMessage
  | StaffNoteEvent
  | StaffFact
  | StaffFollowed
  | StaffUnfollowed
  | StaffOk
  | StaffError
  | StaffPong;
