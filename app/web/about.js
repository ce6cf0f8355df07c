// What is known of somebody new beside films: the attributes that the model can tell from.

import { attributes, label, onColumns } from "./columns.js";
import { h, replace } from "./dom.js";
import { chosen, typed } from "./fields.js";
import { read } from "./state.js";
import { t } from "./texts.js";

const key = (attribute) => `of.${attribute.name}`;
const shown = () => attributes().filter((attribute) => attribute.type in FIELDS);

/** What the address says of the person, of.city=Rome, as the API takes it. */
export function about() {
  const { values } = read();
  const given = shown().filter((attribute) => values.get(key(attribute)));
  return Object.fromEntries(given.map((attribute) => [attribute.name, FIELDS[attribute.type].read(values.get(key(attribute)))]));
}

export const nothingAbout = () => Object.fromEntries(shown().map((attribute) => [key(attribute), ""]));

/** A field for each attribute, and a function that shows the address's values in them. */
export function aboutFields(changed) {
  const element = h("div", { class: "controls", role: "group", "aria-label": t("about"), hidden: true });
  let fields = [], described = "";
  onColumns(() => showFields() && changed());
  showFields();
  return { element, update };

  function showFields() {
    const known = shown();
    if (JSON.stringify(known) === described) return false;
    described = JSON.stringify(known);
    fields = known.map((attribute) => FIELDS[attribute.type].field(attribute));
    element.hidden = fields.length === 0;
    replace(element, fields.map((field, place) => h("label", { class: "field" }, label(known[place]), field)));
    update();
    return true;
  }

  function update() {
    const { values } = read();
    for (const field of fields) if (document.activeElement !== field) field.value = values.get(field.name) ?? "";
  }
}

const optional = (attribute, options) => chosen(key(attribute), [["", "–"], ...options]);
const listed = (attribute) => optional(attribute, attribute.values.map((value) => [value, value]));
const entered = (attribute) => typed(key(attribute), attribute.type);

const FIELDS = {
  tag: { field: listed, read: String },
  tags: { field: listed, read: (text) => [text] },
  number: { field: entered, read: Number },
  time: { field: entered, read: String },
  flag: { field: (attribute) => optional(attribute, [["true", t("yes")], ["false", t("no")]]), read: (text) => text === "true" },
};
