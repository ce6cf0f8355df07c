// The controls for what a list may hold; the address keeps their values.

import { ask, at, request } from "./api.js";
import { bdi, h } from "./dom.js";
import { change, read } from "./state.js";
import { number, t } from "./texts.js";

const LENGTHS = [5, 10, 20, 50, 100];
const FILTERS = { genre: [], year_from: "", year_to: "", diversity: "", include_seen: "" };
const PAUSE_MS = 350;

/** The values of the controls, as the API takes them. */
export function listQuery({ seen = false, diversity = true } = {}) {
  const { values } = read();
  return {
    k: values.get("k") ?? 10,
    genre: values.getAll("genre"),
    year_from: values.get("year_from"),
    year_to: values.get("year_to"),
    ...(diversity ? { diversity: values.get("diversity") } : {}),
    ...(seen ? { include_seen: values.get("include_seen") } : {}),
  };
}

export const clearFilters = () => change(FILTERS);

/** The controls, and a function that shows the address's values in them. */
export function controls({ seen = false, diversity = true } = {}) {
  const k = h("select", { id: "k", onchange: () => change({ k: k.value }) });
  const genres = h("div", { class: "genres" });
  const chosen = h("span", { id: "genres-chosen" });
  const [from, to] = ["year_from", "year_to"].map((name) => yearField(name));
  const amount = h("output", { for: "diversity" });
  const slider = h("input", {
    id: "diversity", type: "range", min: 0, max: 1, step: 0.1, "aria-describedby": "diversity-text",
    oninput: () => { amount.textContent = number(Number(slider.value), 1); },
    onchange: () => change({ diversity: slider.value === "0" ? "" : slider.value }, true),
  });
  const include = h("input", { id: "include_seen", type: "checkbox", onchange: () => change({ include_seen: include.checked ? "true" : "" }) });
  const menu = h("details", { class: "menu" }, h("summary", { "aria-labelledby": "genres-label genres-chosen" }, chosen), genres);
  closeOutside(menu);
  loadGenres(genres);

  const fields = h(
    "div",
    { class: "controls", role: "group", "aria-label": t("controls") },
    h("label", { class: "field" }, t("k"), k),
    h("div", { class: "field" }, h("span", { id: "genres-label" }, t("genres")), menu),
    h("label", { class: "field" }, t("yearFrom"), from),
    h("label", { class: "field" }, t("yearTo"), to),
    diversity &&
      h("label", { class: "field wide" }, h("span", {}, t("diversity"), " ", amount), slider, h("small", { id: "diversity-text" }, t("diversityText"))),
    seen && h("label", { class: "check" }, include, t("includeSeen")),
  );
  // Closed at first: the list comes before them.
  const summary = h("summary");
  const element = h("details", { class: "filters" }, summary, fields);

  function update() {
    const { values } = read();
    const length = Number(values.get("k") ?? 10);
    summary.textContent = t("filters", Object.keys(FILTERS).filter((name) => values.get(name)).length);
    k.replaceChildren(...[...new Set([...LENGTHS, length])].sort((a, b) => a - b).map((n) => h("option", { value: n, selected: n === length }, number(n))));
    for (const [field, name] of [[from, "year_from"], [to, "year_to"]]) if (document.activeElement !== field) field.value = values.get(name) ?? "";
    slider.value = values.get("diversity") ?? "0";
    amount.textContent = number(Number(slider.value), 1);
    include.checked = values.get("include_seen") === "true";
    showGenres(genres, chosen);
  }
  genres.addEventListener("loaded", () => showGenres(genres, chosen));
  return { element, update };
}

function yearField(name) {
  let timer;
  // The value is kept: what is on the screen may change before the pause is over.
  const oninput = () => {
    clearTimeout(timer);
    timer = setTimeout((year) => change({ [name]: year }, true), PAUSE_MS, field.value);
  };
  const field = h("input", { type: "number", min: 0, max: 9999, inputmode: "numeric", placeholder: "–", oninput });
  return field;
}

async function loadGenres(box) {
  const { genres } = await ask(request(at`genres`), undefined, true).catch(() => ({ genres: [] }));
  const boxes = genres.map(({ name, films }) =>
    h("label", { class: "check" }, h("input", { type: "checkbox", value: name, onchange: () => change({ genre: checked(box) }) }), bdi(name), h("small", {}, number(films))),
  );
  box.replaceChildren(...boxes);
  box.dispatchEvent(new Event("loaded"));
}

const checked = (box) => [...box.querySelectorAll("input:checked")].map((each) => each.value);

function showGenres(box, chosen) {
  const names = read().values.getAll("genre");
  for (const each of box.querySelectorAll("input")) each.checked = names.includes(each.value);
  chosen.textContent = names.length ? names.join(", ") : t("anyGenre");
}

function closeOutside(menu) {
  addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
