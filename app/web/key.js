// Asks for a key.

import { h, onSubmit, replace } from "./dom.js";
import { t } from "./texts.js";

/** Fill a form that asks for a key, and calls `use` with it; the field is returned. */
export function fillKeyForm(form, title, text, wrong, use) {
  const input = h("input", { type: "password", autocomplete: "off", required: true });
  replace(
    form,
    title,
    h("p", {}, text),
    wrong && h("p", { class: "failure", role: "alert" }, t("keyWrong")),
    h("label", { class: "field" }, t("keyLabel"), input),
    h("button", { class: "primary" }, t("keyUse")),
  );
  onSubmit(form, () => use(input.value));
  return input;
}
