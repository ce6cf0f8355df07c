// How the gate decided about a version: a sentence, and its figures with their intervals.

import { h } from "./dom.js";
import { number, signed, t } from "./texts.js";

const DIGITS = 4;

/** What became of the version and why, in the language of the page: the gate's own sentence is English. */
export function gateSentence(gate) {
  if (!gate) return t("noGate");
  return t("gateSays", t(`decision_${gate.decision}`) ?? gate.decision, comparison(gate));
}

function comparison({ figures, metric }) {
  const { candidate, live, gain_over_live: overLive, gain_over_popularity: overPopularity } = Object.fromEntries(figures.map((each) => [each.name, each]));
  if (overLive) return t("gateGain", t("figure_gain_over_live"), ...ends(overLive), metric);
  if (live && candidate) return t("gateSame", number(candidate.value, DIGITS), number(live.value, DIGITS), metric);
  return overPopularity ? t("gateGain", t("figure_gain_over_popularity"), ...ends(overPopularity), metric) : metric;
}

const ends = ({ value, low, high }) => [value, low ?? value, high ?? value].map((each) => signed(each, DIGITS));

/** The gate's figures; gains share one scale, on which 0 is marked. */
export function gateFigures({ metric, figures, reason }) {
  const gains = figures.filter((each) => each.low !== null && each.high !== null);
  const scale = scaleOf(gains);
  const row = (each) =>
    h("li", {}, h("span", {}, t(`figure_${each.name}`)), h("strong", {}, gains.includes(each) ? signed(each.value, DIGITS) : number(each.value, DIGITS)), gains.includes(each) && interval(each, scale));
  return [
    h("h3", {}, t("figures", metric)),
    h("ul", { class: "figures" }, figures.map(row)),
    h("details", {}, h("summary", {}, t("gateWords")), h("p", { lang: "en", class: "remark" }, reason)),
  ];
}

/** The ends of a scale that holds all intervals and 0. */
export function scaleOf(intervals) {
  const all = [0, ...intervals.flatMap(({ low, high }) => [low, high])];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return { least, span: most - least || 1 };
}

/** A confidence interval as a bar with its middle, and 0 as a line; the text below says the same. */
export function interval({ value, low, high }, { least, span }, text = (each) => signed(each, DIGITS)) {
  const place = (figure) => `${(3 + (94 * (figure - least)) / span).toFixed(2)}%`;
  return h("div", { class: "interval" },
    h("span", { class: "track", "aria-hidden": "true", "--low": place(low), "--high": place(high), "--mean": place(value), "--zero": place(0) }, h("i")),
    h("small", {}, t("interval", text(low), text(high))),
  );
}
