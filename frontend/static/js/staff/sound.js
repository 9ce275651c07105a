/** A short sound made on the spot. Browsers allow none before a click, so it starts off and says so. */

import { say } from "../lib/say.js";
import { setText } from "./dom.js";

/** @typedef {import("../lib/say.js").Words} Words */

/**
 * Return a function that sounds when the person has turned sound on with this button.
 *
 * @param {HTMLButtonElement} button
 * @param {Words} words
 * @returns {() => void}
 */
export function soundBehind(button, words) {
  /** @type {AudioContext | null} */
  let audio = null;

  function label() {
    setText(button, say(words, audio === null ? "sound_off" : "sound_on"));
    button.setAttribute("aria-pressed", String(audio !== null));
  }

  button.addEventListener("click", () => {
    if (audio === null) {
      audio = new AudioContext();
      beep(audio);
    } else {
      void audio.close();
      audio = null;
    }
    label();
  });
  label();
  return () => {
    if (audio !== null) beep(audio);
  };
}

/** @param {AudioContext} audio */
function beep(audio) {
  for (const [delay, pitch] of /** @type {const} */ ([[0, 660], [0.22, 880]])) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const from = audio.currentTime + delay;
    tone.frequency.value = pitch;
    // A soft edge at both ends: a hard one clicks, and the sound comes often.
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.2, from + 0.02);
    volume.gain.linearRampToValueAtTime(0, from + 0.18);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.2);
  }
}
