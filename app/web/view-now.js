// What this replica did in the last minutes.

import { ApiError, ask, at, request } from "./api.js";
import { h, replace } from "./dom.js";
import { plot } from "./plot.js";
import { Panel } from "./panel.js";
import { moment, number, percent, t } from "./texts.js";

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
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function show(status, { events }) {
    shownVersion = status.model_version;
    return [
      h("p", { class: "remark" }, t("replica", status.replica, moment(status.started_at))),
      status.trial && trial(status.trial),
      h("div", { class: "tiles" }, tiles(whole(status.steps), status.recent_lists), events && eventsTile(events)),
    ];
  }
}

/** The arms of the running trial: who should get which version, and who did. */
function trial({ challenger, production, share, lists }) {
  const made = lists.production + lists.challenger;
  return h(
    "section",
    { class: "tile", "aria-label": t("trial") },
    h("h2", {}, t("trial")),
    h("p", {}, t("trialText", challenger, production, percent(share))),
    h("p", {}, made ? t("trialLists", number(made), percent(lists.challenger / made)) : t("trialNoLists")),
    lists.fallback ? h("p", { class: "remark" }, t("trialFallback", number(lists.fallback))) : null,
  );
}

/** The steps without a last one that has only just begun, whose rates would jump. */
function whole(steps) {
  return steps.length > 1 && steps.at(-1).seconds < 1 ? steps.slice(0, -1) : steps;
}

function tiles(steps, recent) {
  const times = steps.map((step) => step.at);
  const rate = (value) => steps.map((step) => value(step) / Math.max(step.seconds, 1));
  const total = (value) => number(steps.reduce((sum, step) => sum + value(step), 0));
  const swaps = steps.flatMap((step, place) => (step.swaps ? [place] : []));
  const minutes = Math.max(1, Math.round(steps.reduce((sum, step) => sum + step.seconds, 0) / 60));
  const perSecond = (value) => number(value, value < 10 ? 1 : 0);
  const over = t("lastMinutes", minutes);
  const latest = steps.findLast((step) => step.latency_ms !== null)?.latency_ms;
  return [
    tile(t("requests"), `${total((step) => step.requests)}`, over, plot({
      name: `${t("requests")}, ${t("perSecond")}`, times, marks: swaps, text: perSecond,
      lines: [{ name: t("perSecond"), values: rate((step) => step.requests) }],
    }), t("perSecond")),
    tile(t("latency"), latest === undefined ? "–" : number(latest.p50, latest.p50 < 10 ? 1 : 0), t("halfOf"), plot({
      name: `${t("latency")}, ${t("milliseconds")}`, times, marks: swaps, text: (value) => number(value, value < 10 ? 1 : 0),
      lines: ["p50", "p95", "p99"].map((share) => ({ name: t(share), values: steps.map((step) => step.latency_ms?.[share] ?? null) })),
    })),
    tile(t("errors"), total((step) => step.refused + step.errors), over, plot({
      name: `${t("errors")}, ${t("perSecond")}`, times, marks: swaps, text: perSecond,
      lines: [{ name: t("refusedLine"), values: rate((step) => step.refused) }, { name: t("errorsLine"), values: rate((step) => step.errors) }],
    })),
    tile(t("lists"), total((step) => SOURCES.reduce((sum, source) => sum + step.lists[source], 0)), over, plot({
      name: `${t("lists")}, ${t("perSecond")}`, times, marks: swaps, text: perSecond,
      lines: SOURCES.map((source) => ({ name: t(`source_${source}`), values: rate((step) => step.lists[source]) })),
    })),
    tile(t("distinct"), number(recent.distinct_items), "", sameness(recent)),
    tile(t("swaps"), total((step) => step.swaps), t("swapsText"), null),
  ];
}

function eventsTile({ status, position }) {
  return tile(t("events"), number(position), t("eventsKnown", t(status === "ok" ? "eventsOk" : "eventsLate")), null);
}

function sameness(recent) {
  if (!recent.lists) return h("p", {}, t("noLists"));
  const share = percent(recent.distinct_items / recent.catalogue_items);
  return [
    h("p", {}, t("distinctText", number(recent.lists), share)),
    h("p", {}, t("top10", percent(recent.top10_share))),
    h("p", {}, t("fallback", percent(recent.fallback_share))),
  ];
}

function tile(name, figure, unit, content, below = "") {
  return h(
    "section",
    { class: "tile", "aria-label": name },
    h("h2", {}, name),
    h("p", { class: "figure" }, h("strong", {}, figure), " ", h("span", {}, unit)),
    content,
    below && h("small", {}, below),
  );
}
