/** What tests/support/looks.py asks a page. Evaluated in it, after which `looks` is at hand. */

const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 1;
const named = (e) => (e.id ? `#${e.id}` : `${e.tagName.toLowerCase()} "${(e.textContent ?? "").trim().slice(0, 20)}"`);
const all = (what) => [...document.querySelectorAll(what)].filter(seen);

/** How far two boxes lie on each other, in their shorter direction. */
function shared(a, b) {
  return Math.min(Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
}

function least(e) {
  if (e.matches("header .leave")) return 48;
  return e.matches("a:not(.button)") ? 24 : 44;
}

/** What a finger would miss, or hit together with something else. */
function targets() {
  scrollTo(0, 0);
  const hit = all("a[href], button, input, select, textarea, summary").map((e) => ({ e, box: (e.closest("label") ?? e).getBoundingClientRect() }));
  const small = hit.filter(({ e, box }) => box.width < 24 || box.height < least(e) - 0.5);
  // what the log has scrolled past lies elsewhere than it seems to
  const apart = hit.filter(({ e }) => e.closest("[role=log]") === null);
  const over = apart.flatMap((a, at) => apart.slice(0, at).filter((b) => shared(a.box, b.box) > 1).map((b) => `${named(a.e)} lies on ${named(b.e)}`));
  return [...small.map(({ e, box }) => `${named(e)} is ${box.width.toFixed()} x ${box.height.toFixed()}`), ...over];
}

/** What keeps somebody from leaving. */
function way_out() {
  const out = all("header .leave, #cover a")[0];
  if (out === undefined) return ["there is no way out"];
  const { left, right, top, bottom } = out.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) return ["the way out is not in sight"];
  const places = [left + 3, (left + right) / 2, right - 3].flatMap((x) => [top + 3, (top + bottom) / 2, bottom - 3].map((y) => [x, y]));
  return places.every(([x, y]) => out.contains(document.elementFromPoint(x, y))) ? [] : ["something lies on the way out"];
}

function moves() {
  const moving = all("*").filter((e) => {
    const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(e);
    return animationName !== "none" || scrollBehavior !== "auto" || transitionDuration.split(", ").some((one) => parseFloat(one) > 0);
  });
  return [...moving.map((e) => `${named(e)} moves by itself`), ...document.getAnimations().map(() => "something moves")];
}

/** Whether a page scrolls sideways. */
function wider() {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? ["scrolls sideways when it is enlarged"] : [];
}

const parts = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);

/** The relative luminance of a colour, as WCAG has it. */
function light(colour) {
  const [r, g, b] = parts(colour).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** The colour that an element stands on. */
function behind(e) {
  const colour = getComputedStyle(e).backgroundColor;
  return parts(colour)[3] === 0 && e.parentElement !== null ? behind(e.parentElement) : colour;
}

/** What has no edge, or cannot be read. */
function forced() {
  const edgeless = all("button, .button, .leave, textarea, #log, #log .own, #log .theirs, .box").filter((e) => {
    const { borderTopWidth, borderTopColor } = getComputedStyle(e);
    return parseFloat(borderTopWidth) < 1 || contrast(borderTopColor, behind(e.parentElement)) < 3;
  });
  const written = all("body *").filter((e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ""));
  const unread = written.filter((e) => e.closest(".unseen") === null && contrast(getComputedStyle(e).color, behind(e)) < 4.5);
  return [...edgeless.map((e) => `${named(e)} has no edge`), ...unread.map((e) => `${named(e)} cannot be read`)];
}

/** Whether the element with the focus shows it. */
function focused() {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
  return outlineStyle === "none" || parseFloat(outlineWidth) < 2 || parts(outlineColor)[3] === 0 ? [`${named(document.activeElement)} does not show the focus`] : [];
}

globalThis.looks = { targets, way_out, moves, wider, forced, focused };
