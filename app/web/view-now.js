// What this replica did in the last minutes.

import { ask, at, known, request } from "./api.js";
import { h, replace } from "./dom.js";
import { title } from "./films.js";
import { interval, scaleOf } from "./gate.js";
import { heading, Panel } from "./panel.js";
import { plot } from "./plot.js";
import { moment, number, percent, signed, t } from "./texts.js";

const EVERY_MS = 5000;
const SOURCES = ["personalised", "fold_in", "popular"];

export function mount(root, showCurl) {
  const panel = new Panel({ class: "panel now" });
  root.append(panel.element);
  const wanted = [request(at`status`), request(at`model`)];
  let shownVersion, timer;
  return { update, version: () => shownVersion, end: () => clearInterval(timer) };

  function update() {
    showCurl(...wanted);
    panel.load(wanted, show);
    clearInterval(timer);
    timer = setInterval(refresh, EVERY_MS);
  }

  /** Without a word while the service does not answer: the page says so already. */
  async function refresh() {
    if (document.hidden) return;
    try {
      replace(panel.element, show(...(await Promise.all(wanted.map((each) => ask(each, undefined, true))))));
    } catch (error) {
      known(error);
    }
  }

  function show(status, { events }) {
    shownVersion = status.model_version;
    return [
      status.trial && trial(status.trial, "trial"),
      status.placement_trials.map((each) => trial(each, "placementTrial")),
      h("div", { class: "tiles" }, plots(whole(status.steps))),
      h("div", { class: "columns" }, mostShown(status.recent_lists), summary(status, events)),
      h("p", { class: "remark" }, t("replica", status.replica, moment(status.started_at))),
    ];
  }
}

/** The arms of a running trial: who should get which version, or which placement's rules, and who did. */
function trial({ challenger, production, share, lists, verdict, gain }, kind) {
  const made = lists.production + lists.challenger;
  const change = (value) => signed(100 * value, 1) + t("percent");
  return h("section", { class: "tile", "aria-label": t(kind, production) },
    h("h2", {}, t(kind, production)),
    h("p", {}, t(`${kind}Text`, challenger, production, percent(share))),
    gain && h("p", { class: "figure" }, h("strong", {}, change(gain.value)), " ", h("span", {}, t(`${kind}Gain`, production))),
    gain && interval(gain, scaleOf([gain]), change),
    verdict ? h("details", {}, h("summary", {}, t("trialVerdict")), h("p", { lang: "en", class: "remark" }, verdict)) : h("p", { class: "remark" }, t("trialNoVerdict")),
    h("p", {}, made ? t(`${kind}Lists`, number(made), percent(lists.challenger / made), challenger) : t("trialNoLists")),
    lists.fallback ? h("p", { class: "remark" }, t("trialFallback", number(lists.fallback))) : null,
  );
}

/** The steps without a last one that has only just begun, whose rates would jump. */
function whole(steps) {
  return steps.length > 1 && steps.at(-1).seconds < 1 ? steps.slice(0, -1) : steps;
}

function plots(steps) {
  const times = steps.map((step) => step.at);
  const rate = (value) => steps.map((step) => value(step) / Math.max(step.seconds, 1));
  const total = (value) => number(steps.reduce((sum, step) => sum + value(step), 0));
  const swaps = steps.flatMap((step, place) => (step.swaps ? [place] : []));
  const minutes = Math.max(1, Math.round(steps.reduce((sum, step) => sum + step.seconds, 0) / 60));
  const short = (value) => number(value, value < 10 ? 1 : 0);
  const curve = (name, unit, lines) => plot({ name: `${t(name)}, ${t(unit)}`, times, marks: swaps, text: short, lines });
  const over = t("lastMinutes", minutes);
  const latest = steps.findLast((step) => step.latency_ms !== null)?.latency_ms;
  return [
    tile(t("requests"), total((step) => step.requests), over, curve("requests", "perSecond", [
      { name: t("perSecond"), values: rate((step) => step.requests) },
    ]), t("perSecond")),
    tile(t("latency"), latest === undefined ? "–" : short(latest.p50), t("halfOf"), curve("latency", "milliseconds",
      ["p50", "p95", "p99"].map((share) => ({ name: t(share), values: steps.map((step) => step.latency_ms?.[share] ?? null) })))),
    tile(t("errors"), total((step) => step.refused + step.errors), over, curve("errors", "perSecond", [
      { name: t("refusedLine"), values: rate((step) => step.refused) }, { name: t("errorsLine"), values: rate((step) => step.errors) },
    ])),
    tile(t("lists"), total((step) => SOURCES.reduce((sum, source) => sum + step.lists[source], 0)), over, curve("lists", "perSecond",
      SOURCES.map((source) => ({ name: t(`source_${source}`), values: rate((step) => step.lists[source]) })))),
  ];
}

/** The films of most lists: a bar for each is the share of the lists that hold it. */
function mostShown({ lists, most_shown: films }) {
  const row = (film, place) => h("li", { class: "film", "data-id": film.id },
    h("span", { class: "rank" }, number(place + 1)),
    title(film),
    h("div", { class: "score" }, h("span", { class: "bar", "--share": (film.lists / lists).toFixed(3), "aria-hidden": "true" }), h("span", { class: "number" }, t("inLists", percent(film.lists / lists)))),
  );
  return h("section", { class: "panel", "aria-label": t("mostShown") },
    heading(t("mostShown"), lists > 0 && h("p", { class: "origin" }, t("lastLists", number(lists)))),
    films.length ? h("ol", { class: "films", "aria-label": t("mostShown") }, films.map(row)) : h("p", { class: "remark" }, t("noLists")),
  );
}

/** What is left to know, as names and values. */
function summary({ steps, recent_lists: recent, model_version: version }, events) {
  const row = (name, ...value) => [h("dt", {}, name), h("dd", {}, value)];
  const swaps = steps.reduce((sum, step) => sum + step.swaps, 0);
  return h("section", { class: "panel", "aria-label": t("summary") },
    heading(t("summary")),
    h("dl", {},
      row(t("live"), version ?? "–"),
      row(t("swaps"), number(swaps)),
      row(t("distinct"), h("strong", {}, number(recent.distinct_items)), recent.lists ? ` ${t("ofCatalogue", percent(recent.distinct_items / recent.catalogue_items))}` : ""),
      recent.lists > 0 && [row(t("top10"), percent(recent.top10_share)), row(t("fallback"), percent(recent.fallback_share))],
      events && row(t("events"), h("strong", {}, number(events.position)), ` ${t(events.status === "ok" ? "eventsOk" : "eventsLate")}`),
    ),
  );
}

function tile(name, figure, unit, content, below = "") {
  return h("section", { class: "tile", "aria-label": name },
    h("h2", {}, name),
    h("p", { class: "figure" }, h("strong", {}, figure), " ", h("span", {}, unit)),
    content,
    below && h("small", {}, below),
  );
}
