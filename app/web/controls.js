// The controls for what a list may hold; the address keeps their values.

import { describe, filterColumns, filterOf, isFilter, label, onColumns } from "./columns.js";
import { bdi, h, replace } from "./dom.js";
import { chosen, typed } from "./fields.js";
import { change, read } from "./state.js";
import { number, t } from "./texts.js";

const LENGTHS = [5, 10, 20, 50, 100];
const OTHERS = ["diversity", "include_seen"];

/** The values of the controls, as the API takes them. */
export function listQuery({ seen = false, diversity = true } = {}) {
  const { values } = read();
  return {
    k: values.get("k") ?? 10,
    filter: filterOf(values),
    ...(diversity ? { diversity: values.get("diversity") } : {}),
    ...(seen ? { include_seen: values.get("include_seen") } : {}),
  };
}

const filtersSet = () => [...new Set(read().values.keys())].filter((key) => (isFilter(key) || OTHERS.includes(key)) && read().values.get(key));

export const clearFilters = () => change(Object.fromEntries(filtersSet().map((key) => [key, ""])));

/** The controls, and a function that shows the address's values in them. */
export function controls({ seen = false, diversity = true } = {}) {
  const k = h("select", { id: "k", onchange: () => change({ k: k.value }) });
  const ofColumns = h("div", { class: "of-columns" });
  const amount = h("output", { for: "diversity" });
  const slider = h("input", {
    id: "diversity", type: "range", min: 0, max: 1, step: 0.1, "aria-describedby": "diversity-text",
    oninput: () => { amount.textContent = number(Number(slider.value), 1); },
    onchange: () => change({ diversity: slider.value === "0" ? "" : slider.value }, true),
  });
  const include = h("input", { id: "include_seen", type: "checkbox", onchange: () => change({ include_seen: include.checked ? "true" : "" }) });
  const fields = h("div", { class: "controls", role: "group", "aria-label": t("controls") },
    h("label", { class: "field" }, t("k"), k),
    ofColumns,
    diversity &&
      h("label", { class: "field wide" }, h("span", {}, t("diversity"), " ", amount), slider, h("small", { id: "diversity-text" }, t("diversityText"))),
    seen && h("label", { class: "check" }, include, t("includeSeen")),
  );
  // Closed at first: the list comes before them.
  const summary = h("summary");
  const element = h("details", { class: "filters" }, summary, fields);
  let parts = [], described = "";
  onColumns(showColumns);
  showColumns();
  describe();

  function showColumns() {
    const columns = filterColumns();
    if (JSON.stringify(columns) === described) return;
    described = JSON.stringify(columns);
    parts = columns.flatMap((column) => CONTROLS[column.type](column));
    replace(ofColumns, parts.map((part) => part.element));
    update();
  }

  function update() {
    const { values } = read();
    const length = Number(values.get("k") ?? 10);
    summary.textContent = t("filters", filtersSet().length);
    k.replaceChildren(...[...new Set([...LENGTHS, length])].sort((a, b) => a - b).map((n) => h("option", { value: n, selected: n === length }, number(n))));
    for (const part of parts) part.update(values);
    slider.value = values.get("diversity") ?? "0";
    amount.textContent = number(Number(slider.value), 1);
    include.checked = values.get("include_seen") === "true";
  }
  return { element, update };
}

const CONTROLS = { tag: tagMenu, tags: tagMenu, number: limits, time: limits, flag: choice };

/** A field for the lowest value, and one for the highest. */
function limits(column) {
  return ["from", "to"].map((kind) => {
    const field = typed(`${kind}.${column.name}`, column.type);
    const update = (values) => { if (document.activeElement !== field) field.value = values.get(field.name) ?? ""; };
    return { element: h("label", { class: "field" }, t(kind, label(column)), field), update };
  });
}

/** Yes, no or both. */
function choice(column) {
  const field = chosen(`is.${column.name}`, [["", t("any")], ["true", t("yes")], ["false", t("no")]]);
  return { element: h("label", { class: "field" }, label(column), field), update: (values) => { field.value = values.get(field.name) ?? ""; } };
}

/** A menu of the tags that most films have, of which a film needs one. */
function tagMenu(column) {
  const key = `in.${column.name}`, id = `tags-${column.name}`;
  const picked = h("span", { id: `${id}-chosen` });
  const box = h("input", { type: "checkbox" });
  const boxes = column.tags.map(({ name }) => Object.assign(box.cloneNode(), { value: name, onchange: () => change({ [key]: boxes.filter((each) => each.checked).map((each) => each.value) }) }));
  const labels = column.tags.map(({ name, films }, place) => h("label", { class: "check" }, boxes[place], bdi(name), h("small", {}, number(films))));
  const menu = h("details", { class: "menu" }, h("summary", { "aria-labelledby": `${id}-label ${id}-chosen` }, picked), h("div", { class: "tags" }, labels));
  closeOutside(menu);
  return { element: h("div", { class: "field" }, h("span", { id: `${id}-label` }, label(column)), menu), update };

  function update(values) {
    const names = values.getAll(key);
    for (const each of boxes) each.checked = names.includes(each.value);
    picked.textContent = names.length ? names.join(", ") : t("any");
  }
}

function closeOutside(menu) {
  addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
