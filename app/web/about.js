// What is known of somebody new beside films: the attributes that the model can tell from.

import { attributes, label, onColumns } from "./columns.js";
import { bdi, h, replace } from "./dom.js";
import { change, read } from "./state.js";
import { t } from "./texts.js";

const PAUSE_MS = 350;
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

const chosen = (attribute, options) => {
  const all = [["", "–"], ...options].map(([value, text]) => h("option", { value }, bdi(text)));
  const field = h("select", { name: key(attribute), onchange: () => change({ [key(attribute)]: field.value }) }, all);
  return field;
};

const typed = (attribute, kind) => {
  let timer;
  const oninput = () => {
    clearTimeout(timer);
    timer = setTimeout((value) => change({ [key(attribute)]: value }, true), PAUSE_MS, field.value);
  };
  const field = h("input", { name: key(attribute), oninput, ...kind });
  return field;
};

const listed = (attribute) => chosen(attribute, attribute.values.map((value) => [value, value]));

const FIELDS = {
  tag: { field: listed, read: String },
  tags: { field: listed, read: (text) => [text] },
  number: { field: (attribute) => typed(attribute, { type: "number", step: "any", placeholder: "–" }), read: Number },
  time: { field: (attribute) => typed(attribute, { type: "date" }), read: String },
  flag: { field: (attribute) => chosen(attribute, [["true", t("yes")], ["false", t("no")]]), read: (text) => text === "true" },
};
