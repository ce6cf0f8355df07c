// Fields whose value the address keeps under a key.

import { bdi, h } from "./dom.js";
import { change } from "./state.js";

const PAUSE_MS = 350;

/** A field for a number or a day; the list moves once somebody pauses. */
export function typed(key, type) {
  let timer;
  // The value is kept: what is on the screen may change before the pause is over.
  const oninput = () => {
    clearTimeout(timer);
    timer = setTimeout((value) => change({ [key]: value }, true), PAUSE_MS, field.value);
  };
  const kinds = type === "time" ? { type: "date" } : { type: "number", step: "any", placeholder: "–" };
  const field = h("input", { name: key, ...kinds, oninput });
  return field;
}

/** A choice among values with their texts. */
export function chosen(key, options) {
  const all = options.map(([value, text]) => h("option", { value }, bdi(text)));
  const field = h("select", { name: key, onchange: () => change({ [key]: field.value }) }, all);
  return field;
}
