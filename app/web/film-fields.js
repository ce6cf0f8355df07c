// All of a film in fields that somebody can change, one for each column as GET /columns describes it.

import { editableColumns, label } from "./columns.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

const [TITLE, FROM, UNTIL] = [["title", "tag"], ["available_from", "time"], ["available_until", "time"]].map(([name, type]) => ({ name, type }));

/** The fields, and a function that says what has been changed in them: null is what has no value any more. */
export function filmFields(film = {}) {
  const fields = [TITLE, ...editableColumns(), FROM, UNTIL].map((column) => fieldOf(column, film[column.name]));
  const changes = () => Object.fromEntries(fields.filter((each) => each.input.value !== each.former).map(({ name, read, input }) => [name, input.value.trim() ? read(input.value) : null]));
  return { elements: fields.map((each) => each.element), changes };
}

function fieldOf(column, value) {
  const { make, write = String, read = (text) => text, name = (text) => text } = KINDS[column.type];
  const input = make(column === TITLE ? { required: true, maxlength: 1000 } : {});
  input.value = value === undefined || value === null ? "" : write(value);
  const element = h("label", { class: "field" }, name(label(column)), input);
  return { name: column.name, element, input, read, former: input.value };
}

const line = (attributes) => h("input", { autocomplete: "off", ...attributes });
const lines = () => h("textarea", { rows: 3 });
const choice = () => h("select", {}, [["", "–"], ["true", t("yes")], ["false", t("no")]].map(([value, text]) => h("option", { value }, text)));

const KINDS = {
  tag: { make: line },
  link: { make: line },
  text: { make: lines },
  tags: {
    make: lines, name: (text) => t("onePerLine", text), write: (tags) => tags.join("\n"),
    read: (text) => text.split("\n").map((tag) => tag.trim()).filter(Boolean),
  },
  number: { make: () => h("input", { type: "number", step: "any" }), read: Number },
  flag: { make: choice, read: (text) => text === "true" },
  time: { make: () => h("input", { type: "datetime-local", step: "any" }), write: local, read: (text) => new Date(text).toISOString() },
};

/** A time of the service, which is UTC where it names no zone. */
export const asDate = (text) => new Date(/T.*(Z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes("T") ? text : `${text}Z`);

/** A time as its field has it: that of the clock on the wall. */
export function local(text) {
  const time = asDate(text);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
