/** Make and change elements. Text goes in as text only; there is no way to markup from here. */

/**
 * Return an element with classes, attributes and children. An attribute of `false` or null is left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number | boolean | null>>} [attributes] `class` among them
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Return the element with this id; the template promises that it is there and of this kind.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page lacks #${id}`);
  return element;
}

/**
 * Return the part of a row that matches; rows are made by us, so it is there.
 *
 * @param {HTMLElement} row
 * @param {string} selector
 * @returns {Element}
 */
export function part(row, selector) {
  const found = row.matches(selector) ? row : row.querySelector(selector);
  if (found === null) throw new Error(`a row lacks ${selector}`);
  return found;
}

/**
 * Set a text only when it differs, so that a timer does not disturb a selection or a screen reader.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Set an attribute only when it differs; null takes it off.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Bring the children of a list in line with `items`: made once, patched in place, moved only when the order differs.
 *
 * @template Item
 * @param {HTMLElement} list
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => HTMLElement} make
 * @param {(element: HTMLElement, item: Item) => void} patch
 */
export function reconcile(list, items, keyOf, make, patch) {
  const old = new Map([...list.children].map((child) => [child instanceof HTMLElement ? child.dataset["key"] : "", child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const known = old.get(key);
    const element = known instanceof HTMLElement ? known : make(item);
    element.dataset["key"] = key;
    old.delete(key);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
    patch(element, item);
  }
  for (const gone of old.values()) gone.remove();
}

/**
 * Return the words that the server put into the page.
 *
 * @param {string} id
 * @returns {any}
 */
export function data(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "{}");
}
