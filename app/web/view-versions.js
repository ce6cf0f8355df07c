// The loaded versions: how each was measured, and what each would recommend to a user.

import { ApiError, at, request } from "./api.js";
import { clearFilters, controls, listQuery } from "./controls.js";
import { bdi, h, s } from "./dom.js";
import { filmList, moves, shortfall } from "./films.js";
import { heading, Panel, say } from "./panel.js";
import { read } from "./state.js";
import { moment, number, signed, t } from "./texts.js";
import { offerExamples, userForm } from "./view-user.js";

const HASH_DIGITS = 12;
const WIDE = 160;

export function mount(root, showCurl) {
  const cards = new Panel({ class: "panel cards", "aria-label": t("versions") });
  const form = userForm(t("compareFor"));
  const parts = controls({ seen: true });
  const lists = new Panel({ class: "panel", "aria-label": t("recommendations") });
  root.append(cards.element, form.element, parts.element, lists.element);
  let loaded = null, shownVersion;
  const waiting = start();
  return { update, version: () => shownVersion };

  async function start() {
    await offerExamples(form).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
    });
  }

  function update(afresh = false) {
    form.update();
    parts.update();
    if (loaded === null || afresh) cards.load([request(at`versions`)], showCards);
    else showLists();
  }

  function showCards({ versions }) {
    loaded = versions;
    shownVersion = versions[0]?.version;
    showLists();
    return [
      h("div", { class: "cards-row" }, versions.map(card)),
      versions.length ? null : h("p", {}, t("error_no_model")),
      versions.length === 1 ? h("p", { class: "remark" }, t("oneVersion")) : null,
    ];
  }

  async function showLists() {
    await waiting;
    const id = read().values.get("id");
    if (!id || !loaded.length) return;
    const wanted = loaded.map(({ alias }, place) => request(at`users/${id}/recommendations`, { ...listQuery({ seen: true }), alias: place ? alias : "" }));
    showCurl(...wanted);
    lists.load(wanted, compare);
  }

  function compare(...answers) {
    const [ours, theirs] = answers;
    shownVersion = ours.model_version;
    const columns = answers.map((answer, place) => column(answer, loaded[place], place ? moves(ours.items) : goes(theirs)));
    if (!theirs) return [heading(t("recommendations")), columns];
    const ids = new Set(ours.items.map((item) => String(item.id)));
    const stay = theirs.items.filter((item) => ids.has(String(item.id))).length;
    const sentence = t("change", stay, theirs.items.length - stay);
    say(sentence);
    return [heading(t("recommendations")), h("p", { class: "change" }, sentence), h("div", { class: "columns even" }, columns)];
  }
}

/** Marks the films that the second list no longer holds. */
function goes(theirs) {
  if (!theirs) return undefined;
  const ids = new Set(theirs.items.map((item) => String(item.id)));
  return (item) => (ids.has(String(item.id)) ? { kind: "none", text: "" } : { kind: "goes", text: t("goes") });
}

function column(answer, version, marks) {
  const name = version.alias ?? t("folder");
  const unit = answer.source === "popular" ? "likes" : "score";
  return h(
    "div",
    { class: "column" },
    h("h3", {}, bdi(name), h("span", { class: "origin" }, ` ${t("fromVersion", answer.model_version)}, ${t(`source_${answer.source}`)}`)),
    filmList(answer.items, { label: name, unit, marks }),
    shortfall(answer, clearFilters),
  );
}

function card(version) {
  const row = (name, ...value) => [h("dt", {}, name), h("dd", {}, value)];
  return h(
    "article",
    { class: "card" },
    h("h2", {}, t("version", version.version), " ", h("span", { class: "alias" }, bdi(version.alias ?? t("folder")))),
    h(
      "dl",
      {},
      row(t("family"), version.family),
      row(t("knows"), t("knowsText", number(version.users), number(version.items))),
      row(t("registered"), moment(version.registered_at)),
      row(t("loaded"), moment(version.loaded_at)),
      row(t("data"), h("code", { title: version.data_hash }, version.data_hash.slice(0, HASH_DIGITS))),
      row(t("gate"), version.gate ? bdi(version.gate.reason) : t("noGate")),
    ),
    version.gate && figures(version.gate),
    version.page && h("a", { href: version.page, target: "_blank", rel: "noreferrer" }, t("inMlflow"), " ↗"),
  );
}

function figures({ metric, figures: all }) {
  const gains = all.filter((each) => each.low !== null && each.high !== null);
  const edge = Math.max(...gains.flatMap((each) => [Math.abs(each.low), Math.abs(each.high)]), Number.EPSILON);
  const rows = all.map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, t(`figure_${each.name}`)),
      h("td", { class: "value" }, gains.includes(each) ? signed(each.value, 4) : number(each.value, 4)),
      h("td", {}, gains.includes(each) && [interval(each, edge), h("small", {}, t("interval", signed(each.low, 4), signed(each.high, 4)))]),
    ),
  );
  return h("div", { class: "scroll" }, h("table", {}, h("caption", {}, t("figures", metric)), h("tbody", {}, rows)));
}

/** A confidence interval on a line with 0 in its middle; the text beside it says the same. */
function interval({ value, low, high }, edge) {
  const x = (figure) => ((figure / edge + 1) / 2) * (WIDE - 8) + 4;
  return s(
    "svg",
    { class: "interval", viewBox: `0 0 ${WIDE} 16`, width: WIDE, height: 16, "aria-hidden": "true" },
    s("line", { class: "zero", x1: x(0), x2: x(0), y1: 1, y2: 15 }),
    s("line", { class: "range", x1: x(low), x2: x(high), y1: 8, y2: 8 }),
    s("circle", { class: "mean", cx: x(value), cy: 8, r: 4 }),
  );
}
