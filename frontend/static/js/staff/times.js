/** Show moments in the reader's own time; without this they stand there in UTC. */

const how = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });

for (const place of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(place.getAttribute("datetime") ?? "");
  if (!Number.isNaN(moment.getTime())) place.textContent = moment.toLocaleString(`${document.documentElement.lang}-CA`, how);
}
