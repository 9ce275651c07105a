// Whether a draft asks who a visitor is. Run by `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";

import { asksIdentity } from "../../frontend/static/js/lib/asks_identity.js";

test("what asks for a name, an age or a place is noticed in both languages", () => {
  for (const draft of [
    "What is your name?",
    "How old are you",
    "Where are u right now?",
    "can you tell me your address",
    "Which city are you in?",
    "Comment tu t’appelles?",
    "Quel âge as-tu?",
    "Tu as quel âge",
    "Où es-tu?",
    "Vous êtes où en ce moment?",
    "Dans quelle ville habitez-vous?",
    "Quel est votre nom?",
  ]) assert.equal(asksIdentity(draft), true, draft);
});

test("what does not ask is left alone", () => {
  for (const draft of ["", "Are you safe?", "You do not have to tell me your reasons.", "Es-tu en sécurité?", "Ou alors on attend un peu.", "Prenez votre temps."]) {
    assert.equal(asksIdentity(draft), false, draft);
  }
});
