// A field that finds films by title while somebody types: a combobox with a list below it.

import { ask, at, request } from "./api.js";
import { facts } from "./columns.js";
import { bdi, h } from "./dom.js";
import { t } from "./texts.js";

const PAUSE_MS = 150;
const SHOWN = 8;

/** `choose` is called with the film and the event; `hint` is a text for those who use the keyboard. */
export function finder(choose, hint = "") {
  let timer, running, items = [], active = -1;
  const list = h("ul", { id: "found", class: "found", role: "listbox", "aria-label": t("find"), hidden: true });
  const said = h("p", { class: "unseen", role: "status" });
  const input = h("input", {
    id: "find", type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: 200,
    "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", "aria-describedby": "find-hint",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(find, PAUSE_MS);
    },
    onkeydown: type,
    onblur: () => setTimeout(close, PAUSE_MS),
  });
  const element = h("div", { class: "finder" },
    h("label", { class: "field" }, t("find"), input),
    list,
    h("small", { id: "find-hint" }, hint),
    said,
  );
  return { element, input };

  async function find() {
    running?.abort();
    running = new AbortController();
    if (!input.value.trim()) return close();
    try {
      ({ items } = await ask(request(at`items`, { query: input.value, k: SHOWN }), running.signal));
    } catch (error) {
      if (error.name !== "AbortError") close(), tell(error.advice ?? "", true);
      return;
    }
    open();
  }

  function open() {
    list.replaceChildren(...items.map(option));
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(items.length > 0));
    tell(items.length ? t("found", items.length) : t("foundNone", input.value), !items.length);
    activate(items.length ? 0 : -1);
  }

  /** Say it to those who hear the page, and `seen` to all. */
  function tell(text, seen) {
    said.className = seen ? "remark" : "unseen";
    said.textContent = text;
  }

  function option(film, place) {
    const pick = (event) => {
      event.preventDefault(); // the field keeps the focus
      take(place, event);
    };
    return h("li", { id: `found-${place}`, role: "option", onmousedown: pick }, bdi(film.title), h("small", {}, ` ${facts(film)}`));
  }

  function activate(place) {
    active = place;
    [...list.children].forEach((each, at) => each.setAttribute("aria-selected", String(at === place)));
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `found-${place}`);
  }

  function type(event) {
    if (event.key === "Escape") close();
    if (list.hidden) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps) activate((active + steps + items.length) % items.length);
    if (event.key === "Enter" && active >= 0) take(active, event);
    if (steps || event.key === "Enter") event.preventDefault();
  }

  function take(place, event) {
    const film = items[place];
    input.value = "";
    close();
    choose(film, event);
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    tell("", false);
    activate(-1);
  }
}
