// Lists of films.

import { facts, poster } from "./columns.js";
import { bdi, h } from "./dom.js";
import { href } from "./state.js";
import { number, t } from "./texts.js";

const SHORTEST = 0.15; // the bar of the last film, so that the differences within a list are seen

/**
 * A list of films, best first. `marks` gives a film's mark: {kind, text}; `judge` is called with a film and "like" or
 * "dislike" by the buttons that it adds; `judged` says what was pressed before.
 */
export function filmList(items, { label, unit = "score", marks, judge, judged, compact = false, reason = "because" } = {}) {
  const scores = items.map((item) => item.score ?? 0);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const share = (item) => (high > low ? SHORTEST + ((1 - SHORTEST) * (item.score - low)) / (high - low) : 1);
  const rows = items.map((item) =>
    h("li", { class: "film", "data-id": item.id },
      item.rank === undefined ? null : h("span", { class: "rank" }, number(item.rank)),
      compact ? null : poster(item),
      h("div", { class: "what" },
        title(item),
        h("p", { class: "facts" }, facts(item)),
        item.because?.length ? because(item.because, reason) : null,
      ),
      marks ? mark(marks(item)) : null,
      item.score === undefined || compact ? null : score(item, share(item), unit),
      judge ? judgement(item, judge, judged) : null,
    ),
  );
  return h("ol", { class: `films${compact ? " compact" : ""}`, "aria-label": label }, rows);
}

export const title = (item) => h("a", { class: "title", href: href("film", { id: item.id }) }, bdi(item.title));

function because(films, reason) {
  const links = films.map((film, place) => [
    place ? ", " : "",
    h("a", { href: href("film", { id: film.id }) }, bdi(film.title)),
    film.shared ? ` (${Object.values(film.shared).flat().join(", ")})` : "",
  ]);
  return h("p", { class: "because" }, `${t(reason)} `, links);
}

function score(item, share, unit) {
  const text = t(unit, number(item.score, unit === "likes" ? 0 : 3));
  return h("div", { class: "score" },
    h("span", { class: "bar", "--share": share.toFixed(3), "aria-hidden": "true" }),
    h("span", { class: "number" }, text),
  );
}

const mark = ({ kind, text }) => h("span", { class: `mark ${kind}` }, text);

/** Like and dislike, as two buttons that stay pressed. */
export function judgement(item, judge, judged = () => null) {
  const button = (kind) => h("button", {
    type: "button", class: `judge ${kind}`, "aria-pressed": String(judged(item) === kind),
    "aria-label": t(`${kind}Film`, item.title), onclick: () => judge(item, kind),
  }, t(kind));
  return h("span", { class: "judgement" }, button("like"), button("dislike"));
}

/** How the places of films differ from those in a former list. */
export function moves(former) {
  const places = new Map(former.map((item) => [String(item.id), item.rank]));
  return (item) => {
    const before = places.get(String(item.id));
    if (before === undefined) return { kind: "comes", text: t("comes") };
    if (before === item.rank) return { kind: "stays", text: t("stays") };
    const steps = number(Math.abs(before - item.rank));
    return before > item.rank ? { kind: "up", text: t("up", steps) } : { kind: "down", text: t("down", steps) };
  };
}

/** Why a list is short or empty, with a button where something can be done about it. */
export function shortfall(answer, clear) {
  if (!answer.reason) return null;
  const filtered = ["filtered", "unknown_genre"].includes(answer.reason);
  return h("p", { class: "shortfall" },
    answer.items.length ? "" : `${t("empty")} `,
    t(`reason_${answer.reason}`),
    filtered && clear ? [" ", h("button", { type: "button", class: "quiet", onclick: clear }, t("clearFilters"))] : null,
  );
}
