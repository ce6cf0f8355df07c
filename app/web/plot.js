// Small plots of the last minutes, and of days and ranks.

import { h, s } from "./dom.js";
import { clock, t } from "./texts.js";

const [WIDTH, HEIGHT, BOTTOM, TOP] = [320, 96, 76, 10];

/**
 * Lines over time. `lines` are {name, values}, with null where there is no value, and perhaps {low, high}, the ends of
 * intervals; `times` are the ends of the steps, `ends` what is written at the first and the last; `marks` are places of
 * events on the time axis. Lines differ in their dashes, not only in colour.
 */
export function plot({ name, times, ends = [clock(times[0]), clock(times.at(-1))], lines, marks = [], text }) {
  const values = lines.flatMap((line) => line.high ?? line.values).filter((value) => value !== null);
  const highest = Math.max(...values, 0);
  const most = highest || 1;
  const x = (place) => (times.length > 1 ? (place / (times.length - 1)) * WIDTH : WIDTH);
  const y = (value) => BOTTOM - (value / most) * (BOTTOM - TOP);
  const said = lines.map(({ name: line, values: all }) => t("plot", line, text(last(all)), text(Math.max(...all.filter((each) => each !== null), 0))));
  return h("figure", { class: "plot" },
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name}. ${said.join("; ")}.` },
      s("line", { class: "axis", x1: 0, x2: WIDTH, y1: BOTTOM, y2: BOTTOM }),
      s("line", { class: "axis top", x1: 0, x2: WIDTH, y1: TOP, y2: TOP }),
      marks.map((place) => s("line", { class: "event", x1: x(place), x2: x(place), y1: TOP, y2: BOTTOM })),
      lines.map(({ values: middle, low, high }, n) => [low && bars(n, low, high, x, y), s("path", { class: `line line-${n}`, d: path(middle, x, y) })]),
      highest > 0 && s("text", { class: "tick", x: 0, y: TOP - 2 }, text(highest)),
      s("text", { class: "tick", x: 0, y: HEIGHT - 6 }, ends[0]),
      s("text", { class: "tick end", x: WIDTH, y: HEIGHT - 6 }, ends[1]),
    ),
    lines.length > 1 && h("figcaption", {}, lines.map((line, n) => h("span", { class: "key" }, swatch(n), ` ${line.name} `, h("b", {}, text(last(line.values)))))),
  );
}

const last = (values) => values.findLast((value) => value !== null) ?? 0;

function path(values, x, y) {
  let pen = "M";
  return values
    .map((value, place) => {
      const step = value === null ? "" : `${pen}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = value === null ? "M" : "L";
      return step;
    })
    .join("");
}

/** Intervals as bars beside each other, a line's a little beside those of another. */
const bars = (n, low, high, x, y) =>
  low.map((each, place) => each !== null && s("path", { class: `line line-${n} spread`, d: `M${x(place) + 3 * n} ${y(each)}V${y(high[place])}` }));

const swatch = (n) => s("svg", { class: "swatch", viewBox: "0 0 22 8", width: 22, height: 8, "aria-hidden": "true" }, s("path", { class: `line line-${n}`, d: "M0 4L22 4" }));
