// How lists pleased in a week: what people were shown and liked, as training has computed it.

import { at, request } from "./api.js";
import { h } from "./dom.js";
import { interval, scaleOf } from "./gate.js";
import { heading, Panel } from "./panel.js";
import { plot } from "./plot.js";
import { change, read } from "./state.js";
import { day, moment, number, percent, signed, t } from "./texts.js";

const GROUPS = ["version", "placement", "source", "people", "films"];
const MOST_LINES = 3;

export function mount(root, showCurl) {
  const panel = new Panel({ class: "panel now" });
  root.append(panel.element);
  return { update, version: () => undefined };

  function update() {
    const wanted = request(at`pleased`, { to: read().values.get("to") });
    showCurl(wanted);
    panel.load([wanted], show, { events_disabled: () => h("p", { class: "panel remark" }, t("pleasedOff")) });
  }
}

function show({ days, report }) {
  if (!report) return h("p", { class: "panel remark" }, t("pleasedNone"));
  const of = (dimension) => report.figures.filter((figure) => figure.dimension === dimension);
  const [all] = of("all");
  return [
    choice(days, report),
    h("div", { class: "tiles" },
      tile("successRate", all.success_rate, t("pleasedSeen", number(all.people), number(all.lists), number(all.shown))),
      tile("goodLists", all.good_lists),
      tile("clickRate", all.click_rate)),
    h("div", { class: "columns even" }, byDay(of("day and version"), of("version")), byRank(of("rank"))),
    h("div", { class: "columns even" }, GROUPS.map((each) => groups(each, of(each)))),
    h("div", { class: "columns even" }, compared(report.differences), variety(report.variety)),
    h("p", { class: "remark" }, t("pleasedMade", moment(report.made_at), percent(report.confidence))),
    report.says.map((sentence) => h("p", { class: "remark", lang: "en" }, sentence)),
  ];
}

/** The week that is shown; the latest has no name in the address, so a colleague sees that of the day. */
function choice(days, { first, last }) {
  const options = days.map((each, place) => h("option", { value: place ? each : "", selected: each === last }, day(each)));
  const select = h("select", { onchange: () => change({ to: select.value || undefined }) }, options);
  return h("div", { class: "row" }, h("label", { class: "field" }, t("weekUntil"), select), h("p", { class: "remark" }, t("pleasedDays", day(first), day(last))));
}

const hundred = (share, digits = 2) => number(100 * share, digits);
const rateText = (rate) => (rate ? hundred(rate.value) : "–");
const ends = (rate) => (rate ? t("interval", hundred(Math.max(rate.low, 0)), hundred(Math.min(rate.high, 1))) : t("tooFew"));

function tile(name, rate, below = "") {
  return h("section", { class: "tile", "aria-label": t(name) },
    h("h2", {}, t(name)),
    h("p", { class: "figure" }, h("strong", {}, rateText(rate)), " ", h("span", {}, t("ofHundred"))),
    h("p", {}, ends(rate)),
    below && h("small", {}, below));
}

/** Days, with a line for each of the versions that showed most. */
function byDay(figures, versions) {
  const days = [...new Set(figures.map(({ group }) => group.split(" ")[0]))].sort();
  const names = versions.toSorted((a, b) => b.shown - a.shown).slice(0, MOST_LINES).map(({ group }) => group);
  const rates = new Map(figures.map(({ group, success_rate: rate }) => [group, rate]));
  const lines = names.map((name) => line(t("version", name), days.map((each) => rates.get(`${each} ${name}`))));
  return curve(t("byDay"), days.map(day), lines);
}

function byRank(figures) {
  const sorted = figures.toSorted((a, b) => a.group - b.group);
  return figures.length > 0 && curve(t("byRank"), sorted.map(({ group }) => group), [line(t("successRate"), sorted.map((each) => each.success_rate))]);
}

const line = (name, rates) => ({ name, ...Object.fromEntries(["value", "low", "high"].map((end) => [end === "value" ? "values" : end, rates.map((rate) => (rate ? Math.max(rate[end], 0) : null))])) });

/** A plot, with what it shows as a table. */
function curve(name, places, lines) {
  const cells = (place) => lines.map(({ values, low, high }) => h("td", {}, values[place] === null ? "–" : `${hundred(values[place])} (${hundred(low[place])} – ${hundred(high[place])})`));
  return h("section", { class: "panel", "aria-label": name },
    heading(name, h("p", { class: "origin" }, t("successRate"))),
    plot({ name, times: places, ends: [places[0], places.at(-1)], lines, text: (value) => hundred(value) }),
    h("details", {}, h("summary", {}, t("asTable")), table(["", ...lines.map((each) => each.name)], places.map((place, n) => [place, cells(n)]))));
}

/** Groups side by side on one scale: rates of shown films with intervals, and how much was shown. */
function groups(dimension, figures) {
  if (!figures.length) return null;
  const scale = scaleOf(figures.flatMap(({ success_rate: rate }) => rate ?? []));
  const row = ({ group, shown, successes, success_rate: rate }) => h("li", {},
    h("span", {}, t(`group_${group}`) ?? t(`source_${group}`) ?? group, h("small", {}, ` ${t("pleasedGroup", number(successes), number(shown))}`)),
    h("strong", {}, rateText(rate)),
    rate ? interval(rate, scale, (value) => hundred(Math.max(value, 0))) : h("small", {}, t("tooFew")));
  return h("section", { class: "panel", "aria-label": t(`by_${dimension}`) }, heading(t(`by_${dimension}`)), h("ul", { class: "figures" }, figures.map(row)));
}

function compared(differences) {
  const found = differences.filter(({ success_rate: rate }) => rate);
  if (!found.length) return null;
  const scale = scaleOf(found.map((each) => each.success_rate));
  const text = (value) => signed(100 * value, 2);
  const row = ({ version, against, success_rate: rate }) => h("li", {}, h("span", {}, t("versionAgainst", version, against)), h("strong", {}, text(rate.value)), interval(rate, scale, text));
  return h("section", { class: "panel", "aria-label": t("compared") }, heading(t("compared")), h("p", { class: "remark" }, t("comparedText")), h("ul", { class: "figures" }, found.map(row)));
}

function variety(versions) {
  if (!versions.length) return null;
  const rows = versions.map(({ version, coverage, repeated, fresh }) => [version, [coverage, repeated, fresh].map((share) => h("td", {}, percent(share)))]);
  return h("section", { class: "panel", "aria-label": t("variety") }, heading(t("variety")), table([t("by_version"), t("coverage"), t("repeated"), t("fresh")], rows));
}

const table = (head, rows) => h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h(name ? "th" : "td", name ? { scope: "col" } : {}, name)))), h("tbody", {}, rows.map(([name, cells]) => h("tr", {}, h("th", { scope: "row" }, name), cells))));
