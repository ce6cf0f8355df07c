// Somebody new: choose films, and see the list move.

import { about, aboutFields, nothingAbout } from "./about.js";
import { ask, at, request } from "./api.js";
import { clearFilters, controls, listQuery } from "./controls.js";
import { bdi, h, replace } from "./dom.js";
import { filmList, judgement, moves, shortfall } from "./films.js";
import { finder } from "./finder.js";
import { heading, origin, Panel, say } from "./panel.js";
import { change, href, read } from "./state.js";
import { t } from "./texts.js";

const OPPOSITE = { liked: "disliked", disliked: "liked" };
const JUDGED = { like: "liked", dislike: "disliked" };

export function mount(root, showCurl) {
  const titles = new Map();
  const parts = controls();
  const find = finder((film, event) => judge(film, event.shiftKey ? "dislike" : "like"), t("findHint"));
  const chosen = h("section", { class: "panel side choices", "aria-label": t("choices") });
  const list = new Panel({ class: "panel main", "aria-label": t("recommendations") });
  const fields = aboutFields(() => Object.keys(about()).length && update());
  root.append(find.element, fields.element, parts.element, h("div", { class: "columns" }, list.element, chosen));
  let former = null, shownVersion;
  return { update, version: () => shownVersion };

  function judge(film, kind) {
    titles.set(String(film.id), film.title);
    const [into, from] = [JUDGED[kind], OPPOSITE[JUDGED[kind]]];
    const { values } = read();
    const id = String(film.id);
    const before = values.getAll(into);
    const after = before.includes(id) ? before.filter((each) => each !== id) : [...before, id];
    change({ [into]: after, [from]: values.getAll(from).filter((each) => each !== id) });
  }

  function judged(film) {
    const { values } = read();
    return Object.keys(JUDGED).find((kind) => values.getAll(JUDGED[kind]).includes(String(film.id))) ?? null;
  }

  function update() {
    parts.update();
    fields.update();
    const { values } = read();
    const [liked, disliked] = [values.getAll("liked"), values.getAll("disliked")];
    showChoices(liked, disliked);
    const any = liked.length + disliked.length + Object.keys(about()).length > 0;
    const wanted = any ? request(at`recommendations`, {}, body(liked, disliked)) : request(at`items/popular`, listQuery({ diversity: false }));
    showCurl(wanted);
    list.load([wanted], (answer) => showList(answer, any));
  }

  function body(liked, disliked) {
    const { k, filter, diversity } = listQuery();
    return {
      liked, disliked, attributes: about(), k: Number(k), explain: true, preview: true,
      ...(filter ? { filter } : {}),
      ...(diversity ? { diversity: Number(diversity) } : {}),
    };
  }

  function showList(answer, any) {
    const marks = former && any ? moves(former) : undefined;
    former = answer.items;
    shownVersion = answer.model_version;
    for (const item of answer.items) titles.set(String(item.id), item.title);
    say(t("shown", answer.items.length));
    const focused = document.activeElement?.closest?.("[data-id]")?.dataset.id;
    if (focused !== undefined) queueMicrotask(() => refocus(list.element, focused));
    const unit = answer.source === "fold_in" ? "score" : "likes";
    return [
      heading(t(any ? "recommendations" : "popular"), origin(answer)),
      filmList(answer.items, { label: t("recommendations"), unit, marks, judge, judged, reason: "becauseYou" }),
      shortfall(answer, clearFilters),
    ];
  }

  function showChoices(liked, disliked) {
    const group = (kind, ids) => ids.length > 0 && [h("h3", {}, t(kind)), h("ul", { class: "chosen-films" }, ids.map((id) => choice(id)))];
    replace(
      chosen,
      heading(t("choices")),
      liked.length + disliked.length ? null : h("p", { class: "remark" }, t("noChoices")),
      group("liked", liked),
      group("disliked", disliked),
      liked.length + disliked.length > 0 && h("button", { type: "button", class: "quiet", onclick: () => change({ liked: [], disliked: [], ...nothingAbout() }) }, t("startAgain")),
    );
  }

  function choice(id) {
    const name = h("a", { class: "title", href: href("film", { id }) }, bdi(titles.get(id) ?? id));
    const film = { id, title: titles.get(id) ?? id };
    if (!titles.has(id)) named(id, name);
    return h("li", { "data-id": id }, name, judgement(film, judge, judged));
  }

  /** The title of a film that came with the address. */
  async function named(id, link) {
    const film = await ask(request(at`items/${id}`), undefined, true).catch(() => null);
    if (film === null) return;
    titles.set(id, film.title);
    replace(link, bdi(film.title));
  }
}

/** Keep the keyboard where it was: on the film that was judged, or where the list now begins. */
function refocus(list, id) {
  const row = list.querySelector(`[data-id="${CSS.escape(id)}"]`) ?? list.querySelector("[data-id]");
  row?.querySelector("button")?.focus();
}
