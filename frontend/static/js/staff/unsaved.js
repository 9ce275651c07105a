/** Ask before a form is left that somebody has changed: the language is switched with one click, and takes all along. */

/** @param {HTMLFormElement} form its `data-changed` tells that what stands in it was typed before it was shown */
export function askBeforeLeaving(form) {
  let sent = false;
  form.addEventListener("submit", () => (sent = true));
  window.addEventListener("pageshow", () => (sent = false));
  window.addEventListener("beforeunload", (event) => {
    if (!sent && changed(form)) event.preventDefault();
  });
}

/** @param {HTMLFormElement} form */
function changed(form) {
  if (form.hasAttribute("data-changed")) return true;
  return [...form.elements].some((one) => (one instanceof HTMLInputElement || one instanceof HTMLTextAreaElement) && one.value !== one.defaultValue);
}
