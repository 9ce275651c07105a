// Written by `manage.py export_protocol` from chat/protocol/. Change that, not this file.

/** Ask for the count whose derived key begins with `key_prefix`; signed, so that it comes back as it was. */
export interface ProofChallenge {
  algorithm: "PBKDF2/SHA-256";
  cost: number;
  nonce: string;
  salt: string;
  key_length: number;
  key_prefix: string;
  key_signature: string;
  expires_at: number;
  signature: string;
}

/** Show that the work of a challenge was done. */
export interface Proof {
  challenge: ProofChallenge;
  counter: number;
  derived_key: string;
}

/** Say between how many minutes a wait may still take: coarse, no promise; `at_most` null means "more than". */
export interface WaitRange {
  at_least: number;
  at_most: number | null;
}

/** Describe the signed-in person to their own page. */
export interface Person {
  id: number;
  name: string;
  role: "administrator" | "advocate" | "analyst" | "supervisor";
  capacity: number;
  availability: "away" | "busy" | "ready";
}

/** Name a return by words that waits for a decision: its number, and how many there were since one was accepted. */
export interface Returned {
  number: number;
  times: number;
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
  returned: Returned | null;
  paused_until: string | null;
  drill?: boolean;
}

/** Tell how it stands that somebody outside is told: what has been done of it, and by whom it was proposed. */
export interface ExternalStanding {
  agency: "ambulance" | "child_protection" | "other" | "police";
  proposed_by: string;
  confirmed: boolean;
  told: boolean;
  contact: boolean;
}

/** Describe an escalation on the board: no reason, no text; `source` says what raised it. */
export interface EscalationSummary {
  id: string;
  conversation: string;
  handle: string;
  level: number;
  state: "acknowledged" | "in_progress" | "raised" | "resolved" | "stood_down";
  source: "left" | "person" | "returned" | "screening" | "silence" | "voice";
  raised_at: string;
  raised_by: string | null;
  due_at: string | null;
  climbs: number;
  acknowledged_by: string | null;
  aloud: boolean;
  paged: "calling" | "none" | "reached" | "unreached";
  external?: ExternalStanding | null;
  drill?: boolean;
  raised_level?: number | null;
  ended_by?: "advocate" | "faded" | "left_quickly" | "visitor" | null;
}

/** Tell that a colleague took what was offered to this person; `at` tells several times of one visitor apart. */
export interface Overtaken {
  conversation: string;
  at: string;
}

/** Describe an escalation to a screen on a wall: a pseudonym, and no id that anything could be asked with. */
export interface WallEscalation {
  handle: string;
  level: number;
  state: "acknowledged" | "in_progress" | "raised" | "resolved" | "stood_down";
  raised_at: string;
  climbs: number;
  aloud: boolean;
  unreached: boolean;
  drill?: boolean;
  ended_by?: "advocate" | "faded" | "left_quickly" | "visitor" | null;
}

/** Show a shift to a screen that anybody in the room can read: counts and escalations, nothing of anybody. */
export interface Wall {
  at: string;
  waiting: number;
  waiting_since: string | null;
  running: number;
  ready: number;
  free: number;
  escalations: WallEscalation[];
  drills?: number;
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
  proof?: Proof | null;
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

/** Show that the page is there, and how far it has got; answered with the newest number. */
export interface VisitorPing {
  type: "ping";
  delivered?: number;
  read?: number;
}

/** Tell up to which number this page holds the log, and up to which somebody looked at it; not answered. */
export interface VisitorSeen {
  type: "seen";
  delivered: number;
  read: number;
}

/** Ask for the page of lines before a number; they come newest first, as ordinary events. */
export interface VisitorOlder {
  type: "older";
  ref: number;
  before: number;
}

/** Say as what one comes after all; staff see it. The same door again changes nothing. */
export interface VisitorDoor {
  type: "door";
  ref: number;
  door: "help" | "professional" | "report" | "worried";
}

/** Say in which language the page is read from now on; staff see it. The same again changes nothing. */
export interface VisitorLanguage {
  type: "language";
  ref: number;
  language: "en" | "fr";
}

/** Answer a hello: how the conversation stands; what lies beyond `after` follows as ordinary events. */
export interface VisitorWelcome {
  type: "welcome";
  version: number;
  state: "abandoned" | "active" | "closed" | "offered" | "waiting" | "wrap_up";
  language: "en" | "fr";
  head: number;
  after: number;
  older: boolean;
  hidden: boolean;
  advocate: string | null;
  staffed: boolean;
  wait: WaitRange | null;
  language_read: boolean;
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
  code: "came_back" | "ended_by_advocate" | "ended_by_visitor" | "erased" | "joined" | "pause_over" | "paused" | "return_accepted" | "returned_to_queue" | "unreadable" | "words_ended";
  name: string | null;
  at: string;
}

/** Tell how things stand when nothing was written: the state, who is on shift, and how long it may take. */
export interface VisitorStanding {
  type: "standing";
  state: "abandoned" | "active" | "closed" | "offered" | "waiting" | "wrap_up";
  advocate: string | null;
  staffed: boolean;
  wait: WaitRange | null;
  language_read: boolean;
}

/** Tell that the advocate is writing; the page forgets it after some seconds. */
export interface VisitorTyping {
  type: "typing";
}

/** Tell how far staff have got, whoever they are: up to which of the visitor's own numbers. */
export interface VisitorReached {
  type: "reached";
  delivered: number;
  read: number;
}

/** Acknowledge a command after its commit; `seq` for a message, which it shows where it is the page's next number. */
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

/** Answer a first hello when very many begin at once: nothing is opened before the work is done. */
export interface VisitorProofWanted {
  type: "proof_wanted";
  challenge: ProofChallenge;
}

/** Come first on every socket: go on with everything that this tab holds, conversation to newest number. */
export interface StaffHello {
  type: "hello";
  version: number;
  follow?: Record<string, number>;
  page?: "board" | "console";
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

/** Move one's own marks forward: what this tab holds and what was looked at; never back; not answered. */
export interface StaffRead {
  type: "read";
  conversation: string;
  up_to: number;
  delivered?: number;
}

/** Ask for the page of lines before a number; they come newest first, as ordinary events. */
export interface StaffOlder {
  type: "older";
  ref: number;
  conversation: string;
  before: number;
}

/** Take a waiting conversation, accept an offered one, or take one in danger that is offered to somebody else. */
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

/** Show that the page is there; answered with the newest number of each followed conversation. */
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
  free: number;
  conversations: ConversationSummary[];
  escalations: EscalationSummary[];
  overtaken?: Overtaken[];
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
  code: "came_back" | "code_word_agreed" | "cue_left" | "cue_returned" | "cue_silence" | "cue_voice" | "door_help" | "door_professional" | "door_report" | "door_worried" | "drill" | "duty_card_sent" | "ended_by_advocate" | "ended_by_visitor" | "erase_asked" | "erase_done" | "erased" | "external_confirmed" | "external_contact" | "external_proposed" | "external_told" | "faded" | "flag_acknowledged" | "flag_climbed" | "flag_raised" | "flag_resolved" | "flag_stood_down" | "joined" | "language_en" | "language_fr" | "left_quickly" | "offered" | "opened" | "pause_over" | "paused" | "recorded" | "return_accepted" | "return_refused" | "returned_to_queue" | "unreadable" | "words_ended" | "words_given";
  name: string | null;
  level: number | null;
  at: string;
}

/** Drop what this page holds of a conversation: too much was missed, and only what lies beyond `after` follows. */
export interface StaffSnapshot {
  type: "snapshot";
  conversation: string;
  after: number;
}

/** Mark the end of what was missed: from here on events come as they happen. */
export interface StaffFollowed {
  type: "followed";
  conversation: string;
  head: number;
  older: boolean;
}

/** Take a conversation off this page: it ended for this person, or the right to it did. */
export interface StaffUnfollowed {
  type: "unfollowed";
  conversation: string;
}

/** Tell how far the visitor has got in a followed conversation. */
export interface StaffReached {
  type: "reached";
  conversation: string;
  delivered: number;
  read: number;
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
  | VisitorPing
  | VisitorSeen
  | VisitorOlder
  | VisitorDoor
  | VisitorLanguage;

export type VisitorEvent =
  | VisitorWelcome
  | VisitorMessage
  | VisitorFact
  | VisitorStanding
  | VisitorTyping
  | VisitorReached
  | VisitorOk
  | VisitorError
  | VisitorPong
  | VisitorProofWanted;

export type StaffCommand =
  | StaffHello
  | StaffFollow
  | StaffUnfollow
  | StaffPost
  | StaffNote
  | StaffTyping
  | StaffRead
  | StaffOlder
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
  | StaffSnapshot
  | StaffFollowed
  | StaffUnfollowed
  | StaffReached
  | StaffOk
  | StaffError
  | StaffPong;
