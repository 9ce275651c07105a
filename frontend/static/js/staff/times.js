/** Show moments in the reader's own time; without this they stand there in UTC. */

const how = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
/** For moments whose day stands above them. */
const clock = /** @type {const} */ ({ timeStyle: "short" });

/** @param {Element} place @param {Date} moment whether its words already say it: a day ends where the reader's own does */
const said = (place, moment) => place.hasAttribute("data-end") && moment.getHours() === 0 && moment.getMinutes() === 0;

for (const place of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(place.getAttribute("datetime") ?? "");
  if (Number.isNaN(moment.getTime()) || said(place, moment)) continue;
  const shown = moment.toLocaleString(`${document.documentElement.lang}-CA`, place.hasAttribute("data-clock") ? clock : how);
  // 22 h 11 stays on one line
  place.textContent = shown.replace(/(\d) h(?: (?=\d))?/, (all) => all.replaceAll(" ", "\u00a0"));
}
