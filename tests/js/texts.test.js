import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces } from "../../frontend/static/js/lib/links.js";
import { parts } from "../../frontend/static/js/lib/parts.js";

const links = (text) => pieces(text).filter((piece) => piece.href !== null);
const hrefs = (text) => links(text).map((piece) => piece.href);

test("an address in a sentence becomes a link, and what stands around it stays text", () => {
  const text = "Look at https://shelter.example/aide?l=fr#now. Or call.";
  assert.deepEqual(pieces(text), [
    { text: "Look at ", href: null },
    { text: "https://shelter.example/aide?l=fr#now", href: "https://shelter.example/aide?l=fr#now" },
    { text: ". Or call.", href: null },
  ]);
});

test("nothing of a text is lost, whatever is in it", () => {
  for (const text of ["", "no address", "https://", "http://[", "a https://b.example b https://c.example", "(https://d.example/x_(y)), “https://e.example”", "https://f.example\nhttps://g.example\n"])
    assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
});

test("the end of a sentence and a foreign bracket stay outside", () => {
  assert.deepEqual(hrefs("(see https://d.example/x_(y)), then «https://e.example/a».").map((href) => href.slice(8)), ["d.example/x_(y)", "e.example/a"]);
});

test("only http and https, and only with their scheme", () => {
  for (const text of ["javascript:alert(1)", "data:text/html,x", "mailto:a@b.example", "tel:911", "ftp://a.example", "www.a.example", "//a.example"])
    assert.deepEqual(hrefs(text), [], text);
});

test("a link goes where it seems to go", () => {
  assert.deepEqual(hrefs("https://bank.example@evil.example/"), []);
  assert.deepEqual(hrefs("https://good.example\\@evil.example/"), ["https://good.example/"]);
  assert.deepEqual(hrefs("https://good.example/\u202egnp.exe"), ["https://good.example/"]);
  const [cyrillic] = links("https://\u0430pple.example/");
  assert.equal(cyrillic.text, cyrillic.href);
  assert.match(cyrillic.text, /^https:\/\/xn--/);
  assert.equal(links("https://fr.example/Été")[0].text, "https://fr.example/Été");
});

const joined = (text, most) => parts(text, most).join("").replace(/\s/g, "");

test("a long text is divided between paragraphs, then lines, sentences and words", () => {
  assert.deepEqual(parts("one two.\n\nthree four", 12), ["one two.", "three four"]);
  assert.deepEqual(parts("one two.\nthree four", 12), ["one two.", "three four"]);
  assert.deepEqual(parts("One two. Three four", 13), ["One two.", "Three four"]);
  assert.deepEqual(parts("one two three", 9), ["one two", "three"]);
  assert.deepEqual(parts("short", 9), ["short"]);
  assert.deepEqual(parts(" \n ", 9), []);
});

test("every part fits, none is empty, and together they are the whole", () => {
  const words = ["Je", "ne", "sais", "pas.", "مرحبا", "👩‍👩‍👧‍👦", "e\u0301te\u0301", "longlonglonglonglonglonglonglong", "\n", "\n\n", "Non!"];
  let seed = 7;
  for (let round = 0; round < 200; round += 1) {
    const text = Array.from({ length: 60 }, () => words[(seed = (seed * 48271) % 2147483647) % words.length]).join(" ");
    const most = 5 + (seed % 40);
    const found = parts(text, most);
    assert.ok(found.every((part) => part !== "" && [...part].length <= most));
    assert.equal(found.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
  }
});

test("a character is never cut in two", () => {
  assert.deepEqual(parts("😀".repeat(5), 2), ["😀😀", "😀😀", "😀"]);
  assert.deepEqual(parts("aaae\u0301x", 4), ["aaa", "e\u0301x"]);
  assert.equal(joined("👩‍👩‍👧‍👦".repeat(9), 20), "👩‍👩‍👧‍👦".repeat(9));
  assert.ok(parts("👩‍👩‍👧‍👦".repeat(9), 20).every((part) => part.startsWith("👩") && part.endsWith("👦")));
});
