/** Open a screen on a wall by the secret behind the # of its link, which no server ever sees in an address. */

/** @param {"bare" | "spent" | "failed"} stage */
function show(stage) {
  for (const line of document.querySelectorAll("[data-stage]")) {
    if (line instanceof HTMLElement) line.hidden = line.dataset["stage"] !== stage;
  }
}

async function open() {
  const secret = location.hash.slice(1);
  if (secret === "") return show("bare");
  try {
    const answer = await fetch("/wall/open", {
      method: "POST",
      credentials: "same-origin",
      cache: "no-store",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ secret }),
    });
    if (answer.status >= 500) return show("failed");
    // the link is spent either way, and does not stay in sight
    history.replaceState(null, "", "/wall");
    if (!answer.ok) return show("spent");
    return location.replace("/wall");
  } catch {
    return show("failed");
  }
}

void open();
window.addEventListener("hashchange", () => void open());
