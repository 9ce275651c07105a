/**
 * Whether a draft seems to ask who, how old or where a visitor is. Pure, and only a reminder: it stops nothing.
 */

/** Written without accents and with plain apostrophes, as the draft is before it is compared. */
const ASKS = [
  /\b(what('s| is)|tell me|give me|need) your (full |first |last |real )?(name|age|address|location|date of birth|birthday)\b/,
  /\bwhat (should|can|do) i call you\b/,
  /\bhow old (are|r) (you|u)\b/,
  /\bwhere (are|r) (you|u)\b/,
  /\bwhere do (you|u) live\b/,
  /\b(who are you|what city|which city|what town|which town|what province|which province)\b/,
  /\b(comment|com+ent) (tu t'appelles|vous vous appelez|t'appelles-tu|vous appelez-vous)\b/,
  /\b(quel|c'est quoi|dis-moi|donne-moi|donnez-moi|dites-moi) (est )?(ton|votre) (vrai )?(nom|prenom|age)\b/,
  /\b(quelle est|c'est quoi|donne-moi|donnez-moi) (ton|votre) (adresse|date de naissance)\b/,
  /\bquel age (as-tu|avez-vous|tu as|vous avez)\b/,
  /\b(tu as|vous avez|t'as) quel age\b/,
  /\bou (es-tu|etes-vous|habites-tu|habitez-vous|tu es|t'es|vous etes|tu habites|vous habitez)\b/,
  /\b(tu es|t'es|vous etes|tu habites|vous habitez) ou\b/,
  /\b(dans )?(quelle|quel) (ville|province|village)\b/,
];

/**
 * @param {string} draft
 * @returns {boolean}
 */
export function asksIdentity(draft) {
  const plain = draft.normalize("NFD").replace(/\p{M}/gu, "").replace(/[’‘]/g, "'").toLowerCase();
  return ASKS.some((one) => one.test(plain));
}
