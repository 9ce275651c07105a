/** The rows of the supervisor's board: escalations, who waits, what runs. No text of any conversation. */

import { age, dueIn, secondsLeft, since } from "../lib/ages.js";
import { inDanger } from "../lib/console_seats.js";
import { cameAs, escalations, lastWritten, real, running, waitedFrom, waiting } from "../lib/console_views.js";
import { say } from "../lib/say.js";
import { byId, h, part, reconcile, setAttribute, setText } from "../staff/dom.js";
import { levelMark, setLevel } from "../staff/level.js";
import { steadyOrder } from "../staff/steady.js";
import { warning } from "../staff/warning.js";

/**
 * @typedef {import("../lib/console_store.js").State} State
 * @typedef {import("../lib/console_store.js").ConversationSummary} ConversationSummary
 * @typedef {import("../lib/console_store.js").EscalationSummary} EscalationSummary
 * @typedef {import("../lib/say.js").Words} Words
 * @typedef {{text: string, rules: readonly {id: string, address: string}[]}} Why what is shown of a reason
 * @typedef {"acknowledge" | "start" | "resolve" | "stand-down"} Step
 */

/** @type {Readonly<Record<string, readonly Step[]>>} what can be done next in each state */
const STEPS = {
  raised: ["acknowledge", "resolve", "stand-down"],
  acknowledged: ["start", "resolve", "stand-down"],
  in_progress: ["resolve", "stand-down"],
};

/** From this level on a conversation takes all places of its advocate. */
const URGENT = 2;

/** @type {readonly Step[]} */
const ALL_STEPS = ["acknowledge", "start", "resolve", "stand-down"];

/**
 * @param {Words} words
 * @param {{step: (one: EscalationSummary, step: Step) => void, reason: (id: string) => Promise<Why>, watch: (id: string) => void, take: (id: string) => void}} does
 */
export function boardView(words, does) {
  const places = {
    escalations: byId("escalations", HTMLUListElement),
    waiting: byId("waiting", HTMLUListElement),
    running: byId("running", HTMLUListElement),
  };
  const steady = {
    escalations: steadyOrder(places.escalations),
    waiting: steadyOrder(places.waiting),
    running: steadyOrder(places.running),
  };
  /** @type {Map<string, EscalationSummary>} */
  let raised = new Map();
  /** The oldest that nobody has acknowledged, which need not stand first under a hand. @type {string | undefined} */
  let first;

  /**
   * @param {State} state
   * @param {string | null} watched
   * @param {number} now the server's clock
   */
  function render(state, watched, now) {
    const open = escalations(state);
    const waits = waiting(state);
    const runs = running(state);
    raised = new Map(open.map((one) => [one.id, one]));
    first = open.find((one) => one.state === "raised")?.id;
    const hand = document.activeElement?.closest(".column");
    tiles(state, open, waits, runs, now);
    reconcile(places.escalations, steady.escalations(open.map((one) => one.id)), (id) => id, makeEscalation, (row, id) => patchEscalation(row, raised.get(id), now));
    for (const [place, rows, order, patch] of /** @type {const} */ ([
      [places.waiting, waits, steady.waiting, patchWaiting],
      [places.running, runs, steady.running, patchRunning],
    ])) {
      const byKey = new Map(rows.map((one) => [one.id, one]));
      reconcile(place, order(rows.map((one) => one.id)), (id) => id, makeRow, (row, id) => {
        const one = byKey.get(id);
        row.classList.toggle("gone", one === undefined);
        row.classList.toggle("watched", id === watched);
        if (one === undefined) setText(part(row, ".what"), say(words, "state_gone"));
        else patch(row, one, state, now);
      });
    }
    // a row that went, or a button that no longer works, would leave the keyboard at the top of the page
    const lost = document.activeElement === document.body || document.activeElement?.matches(":disabled") === true;
    const heading = hand?.querySelector("h2");
    if (lost && heading instanceof HTMLElement) heading.focus();
  }

  /** Go to the oldest escalation that nobody has acknowledged. */
  function toFirst() {
    const row = [...places.escalations.children].find((one) => one instanceof HTMLElement && one.dataset["key"] === first);
    row?.scrollIntoView({ block: "start" });
    const button = row?.querySelector(".step-acknowledge");
    if (button instanceof HTMLElement) button.focus({ preventScroll: true });
  }

  /**
   * @param {State} state
   * @param {readonly EscalationSummary[]} open
   * @param {readonly ConversationSummary[]} waits
   * @param {readonly ConversationSummary[]} runs
   * @param {number} now
   */
  function tiles(state, open, waits, runs, now) {
    const drills = state.overview?.conversations.filter((one) => one.drill === true && one.state !== "wrap_up").length ?? 0;
    const fresh = real(open).filter((one) => one.state === "raised").length;
    const seen = { waits: real(waits), runs: real(runs) };
    const longest = Math.max(0, ...seen.waits.map((one) => now - Date.parse(waitedFrom(one))));
    setText(byId("tile-raised", HTMLElement), String(fresh));
    setText(byId("tile-waiting", HTMLElement), String(seen.waits.length));
    setText(byId("tile-longest", HTMLElement), seen.waits.length === 0 ? "" : say(words, "longest", { age: age(words, longest) }));
    setText(byId("tile-running", HTMLElement), String(seen.runs.length));
    byId("drills", HTMLElement).hidden = drills === 0;
    setText(byId("drills-words", HTMLElement), drills === 0 ? "" : say(words, "drills_run", { n: drills }));
    const [ready, free] = [state.overview?.ready ?? 0, state.overview?.free ?? 0];
    setText(byId("tile-ready", HTMLElement), String(ready));
    // two are ready and none has a place: it is said why
    const why = ready > 0 && free === 0 && seen.runs.some((one) => one.level >= URGENT) ? ` ${say(words, "free_urgent")}` : "";
    setText(byId("tile-free", HTMLElement), `${say(words, "free", { n: free })}${why}`);
    byId("tile-raised-box", HTMLElement).classList.toggle("pressing", fresh > 0);
    byId("escalations-empty", HTMLElement).hidden = open.length > 0;
    byId("waiting-empty", HTMLElement).hidden = waits.length > 0;
    byId("running-empty", HTMLElement).hidden = runs.length > 0;
  }

  /** @param {string} id */
  function makeEscalation(id) {
    const reason = h("p", { class: "reason", dir: "auto", hidden: true });
    const show = h("button", { type: "button", class: "show-reason", "aria-expanded": "false" }, say(words, "reason_show"));
    show.addEventListener("click", async () => {
      const opening = reason.hidden;
      reason.replaceChildren(...(opening ? because(await does.reason(id)) : []));
      reason.hidden = !opening;
      show.setAttribute("aria-expanded", String(opening));
      setText(show, say(words, opening ? "reason_hide" : "reason_show"));
    });
    const steps = ALL_STEPS.map((step) => {
      const button = h("button", { type: "button", class: `step step-${step}`, "data-step": step }, say(words, `step_${step}`));
      button.addEventListener("click", (event) => {
        const one = raised.get(id);
        // the second half of a double click meets the next step, which comes at the same place
        if (one !== undefined && event.detail < 2) does.step(one, step);
      });
      return button;
    });
    const watch = h("button", { type: "button", class: "watch" }, say(words, "watch"));
    watch.addEventListener("click", () => {
      const one = raised.get(id);
      if (one !== undefined) does.watch(one.conversation);
    });
    return h(
      "li",
      { class: "escalation" },
      h("p", { class: "top" }, levelMark(words, 0), h("strong", { class: "handle" }), h("span", { class: "age" })),
      h("p", { class: "what" }),
      h("p", { class: "warn" }),
      h("p", { class: "due" }),
      h("p", { class: "external" }),
      reason,
      h("p", { class: "buttons" }, ...steps, show, watch, record()),
    );
  }

  /**
   * @param {HTMLElement} row
   * @param {EscalationSummary | undefined} one undefined when it was settled a moment ago
   * @param {number} now
   */
  function patchEscalation(row, one, now) {
    row.classList.toggle("gone", one === undefined);
    setAttribute(row, "data-state", one?.state ?? "gone");
    if (one !== undefined) row.classList.toggle("drill", one.drill === true);
    // asked first: a browser takes the focus off a button the moment that it goes
    const hand = row.contains(document.activeElement);
    for (const button of row.querySelectorAll("button")) {
      const step = ALL_STEPS.find((known) => known === button.dataset["step"]);
      if (step !== undefined) button.hidden = one === undefined || !(STEPS[one.state] ?? []).includes(step);
      button.disabled = one === undefined;
    }
    const next = row.querySelector("button:not([hidden], :disabled)");
    if (hand && (!row.contains(document.activeElement) || document.activeElement?.closest("[hidden]")) && next instanceof HTMLElement) next.focus();
    if (one === undefined) {
      setText(part(row, ".what"), say(words, "escalation_gone"));
      setText(part(row, ".warn"), "");
      setText(part(row, ".due"), "");
      setText(part(row, ".external"), "");
      setAttribute(part(row, ".record"), "href", null);
      return;
    }
    const name = one.handle;
    setLevel(words, part(row, ".level"), one.level);
    setText(part(row, ".handle"), name);
    setText(part(row, ".age"), say(words, "ago", { age: since(words, one.raised_at, now, { fine: true }) }));
    setText(part(row, ".what"), story(words, one));
    const over = one.ended_by ? say(words, `over_${one.ended_by}`) : "";
    setText(part(row, ".warn"), [over, one.paged === "unreached" ? pages(words, one) : ""].join(" ").trim());
    const left = secondsLeft(one.due_at, now);
    setText(part(row, ".due"), one.state !== "raised" || one.due_at === null ? "" : left > 0 ? dueIn(words, left) : say(words, "overdue"));
    const external = one.external ?? null;
    setText(part(row, ".external"), external === null ? "" : standing(words, external));
    const link = part(row, ".record");
    setAttribute(link, "href", external === null ? `/staff/outside/new/${one.conversation}` : `/staff/outside/${one.id}`);
    setText(part(row, ".record > span"), say(words, external === null ? "external_new" : "external_open"));
    for (const button of row.querySelectorAll("button")) {
      setAttribute(button, "aria-label", say(words, "button_about", { what: button.textContent, name }));
    }
  }

  /** Return the link to the record of what is told outside, or to the page that proposes it. */
  function record() {
    return h("a", { class: "button record", target: "_blank", rel: "noopener" }, h("span", {}), h("span", { class: "unseen" }, ` ${say(words, "new_tab")}`));
  }

  /** Return a reason, with links to the rules behind it. @param {Why} why @returns {(string | Node)[]} */
  function because(why) {
    const links = why.rules.flatMap((rule) => [
      " ",
      h("a", { href: rule.address, target: "_blank", rel: "noopener" }, h("code", {}, rule.id), h("span", { class: "unseen" }, ` ${say(words, "new_tab")}`)),
    ]);
    return links.length === 0 ? [why.text] : [`${why.text}\n${say(words, "reason_rules")}`, ...links];
  }

  /** @param {string} id */
  function makeRow(id) {
    const watch = h("button", { type: "button", class: "watch" }, say(words, "watch"));
    watch.addEventListener("click", () => does.watch(id));
    const take = h("button", { type: "button", class: "take", hidden: true }, say(words, "take"));
    take.addEventListener("click", () => does.take(id));
    return h(
      "li",
      {},
      h("p", { class: "top" }, levelMark(words, 0), h("strong", { class: "handle" }), h("span", { class: "does" }, take, watch)),
      h("p", { class: "what" }),
      h("p", { class: "warn" }),
    );
  }

  /** @param {HTMLElement} row @param {ConversationSummary} one @param {State} _ @param {number} now */
  function patchWaiting(row, one, _, now) {
    patchTop(row, one);
    setAttribute(part(row, ".take"), "hidden", inDanger(one) ? null : "");
    const about = cameAs(words, one);
    const offer = one.state === "offered" ? ` · ${say(words, "offered_to", { name: one.advocate ?? say(words, "somebody") })}` : "";
    setText(part(row, ".what"), `${say(words, "waits", { age: since(words, waitedFrom(one), now) })} · ${about}${offer}`);
  }

  /** @param {HTMLElement} row @param {ConversationSummary} one @param {State} state @param {number} now */
  function patchRunning(row, one, state, now) {
    patchTop(row, one);
    const wrote = since(words, lastWritten(state, one), now);
    const last = wrote === "" ? say(words, "not_written") : say(words, "wrote_ago", { age: wrote });
    const open = one.state === "active" && !one.answered ? say(words, "state_unanswered") : say(words, `state_${one.state}`);
    setText(part(row, ".what"), `${one.advocate ?? say(words, "somebody")} · ${open} · ${last}`);
  }

  /** @param {HTMLElement} row @param {ConversationSummary} one */
  function patchTop(row, one) {
    const name = one.handle;
    row.classList.toggle("drill", one.drill === true);
    setLevel(words, part(row, ".level"), one.level);
    setText(part(row, ".handle"), name);
    setText(part(row, ".warn"), warning(words, one));
    setAttribute(part(row, ".watch"), "aria-label", say(words, "watch_name", { name }));
    setAttribute(part(row, ".take"), "aria-label", say(words, "take_name", { name }));
  }

  return { render, toFirst };
}

/** Say what raised it, what became of it, and how it came to its level. @param {Words} words @param {EscalationSummary} one */
function story(words, one) {
  const by = one.raised_by === null ? say(words, "raised_by_clock") : say(words, "raised_by", { name: one.raised_by });
  const why = one.source === "person" ? "" : say(words, `source_${one.source}`);
  const first = one.raised_level ?? one.level;
  const was = first < one.level ? say(words, "at_first", { level: say(words, `level_${first}`) }) : "";
  const climbed = one.climbs > 0 ? say(words, "climbed", { n: one.climbs }) : "";
  const how = say(words, `escalation_${one.state}`, { name: one.acknowledged_by ?? say(words, "somebody") });
  return [by, why, was, climbed, how, one.paged === "unreached" ? "" : pages(words, one)].filter((text) => text !== "").join(" ");
}

/** @param {Words} words @param {EscalationSummary} one */
function pages(words, one) {
  return one.state === "raised" && one.paged !== "none" ? say(words, `paged_${one.paged}`) : "";
}

/** Say how it stands that somebody outside is told; until contact is confirmed it is a task. @param {Words} words @param {import("../protocol.js").ExternalStanding} one */
function standing(words, one) {
  const next = one.contact ? "external_contact" : !one.confirmed ? "external_second" : one.told ? "external_ask" : "external_call";
  const about = say(words, "external_about", { name: one.proposed_by, agency: say(words, `agency_${one.agency}`) });
  return `${about} ${say(words, next)}`;
}
