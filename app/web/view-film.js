// A film: what is known of it, and the films like it.

import { at, request } from "./api.js";
import { details, facts, poster } from "./columns.js";
import { clearFilters, controls, listQuery } from "./controls.js";
import { bdi, h } from "./dom.js";
import { filmList, shortfall } from "./films.js";
import { finder } from "./finder.js";
import { heading, origin, Panel, say } from "./panel.js";
import { change, read } from "./state.js";
import { number, t } from "./texts.js";

export function mount(root, showCurl) {
  const find = finder((film) => change({ id: film.id }));
  const parts = controls({ diversity: false });
  const about = new Panel({ class: "panel facts-of-film" });
  const list = new Panel({ class: "panel main", "aria-label": t("similar") });
  root.append(find.element, about.element, parts.element, list.element);
  let shownVersion;
  return { update, version: () => shownVersion };

  function update() {
    parts.update();
    const id = read().values.get("id");
    about.element.hidden = !id;
    const wanted = request(id ? at`items/${id}/similar` : at`items/popular`, listQuery({ diversity: false }));
    const film = request(at`items/${id ?? ""}`);
    showCurl(...(id ? [film, wanted] : [wanted]));
    if (id) about.load([film], showFacts);
    list.load([wanted], (answer) => showList(answer, id), { item_unknown: () => [] });
  }

  function showFacts(film) {
    document.title = `${film.title} – ${t("name")}`;
    return [
      poster(film),
      h("h2", {}, bdi(film.title)),
      h("p", { class: "facts" }, [facts(film), t("filmId", film.id)].filter(Boolean).join(" · ")),
      film.available ? null : h("p", { class: "remark" }, t("unavailable")),
      h("p", {}, film.interactions ? t("likedBy", number(film.interactions)) : t("noLikes")),
      details(film),
    ];
  }

  function showList(answer, id) {
    shownVersion = answer.model_version;
    say(t("shown", answer.items.length));
    return [
      heading(t(id ? "similar" : "popular"), origin(answer)),
      filmList(answer.items, { label: t(id ? "similar" : "popular"), unit: id ? "alike" : "likes" }),
      shortfall(answer, clearFilters),
    ];
  }
}
