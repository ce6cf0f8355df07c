// How a placement shifts the catalogue, over a sample of people: asked for part by part, while somebody looks on.

import { ask, known } from "./api.js";
import { filterColumns, label } from "./columns.js";
import { bdi, h, replace } from "./dom.js";
import { percent, number, t } from "./texts.js";

const PARTS = 20; // of the sample
const SHOWN = 12; // tags

/** Asks by `preview`, which makes a request of a placement and for whom it is. */
export class Shift {
  constructor(preview) {
    this.preview = preview;
    this.bar = h("progress", { max: PARTS, value: 0, "aria-label": t("shift") });
    this.found = h("div");
    this.element = h("section", { class: "panel", "aria-label": t("shift") }, h("div", { class: "heading" }, h("h2", {}, t("shift"))), this.bar, this.found);
  }

  stop() {
    this.running?.abort();
  }

  async start(before, after) {
    this.stop();
    const { signal } = (this.running = new AbortController());
    const sums = [new Sum(), new Sum()];
    replace(this.found);
    this.bar.hidden = false;
    try {
      for (let part = 0; part < PARTS; part++) {
        this.bar.value = part;
        const answers = await Promise.all([before, after].map((placement) => ask(this.preview(placement, { part }), signal, true)));
        answers.forEach((answer, n) => sums[n].add(answer));
        if (part % 5 === 4) replace(this.found, table(...sums));
      }
      this.bar.hidden = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      known(error);
      this.bar.hidden = true;
      replace(this.found, h("p", { class: "remark" }, error.advice));
    }
  }
}

/** What many people's lists are like together. */
class Sum {
  people = 0;
  films = 0;
  kept = 0;
  measured = 0;
  different = new Set();
  tags = new Map();

  add({ answers, kept }) {
    const column = tagColumn()?.name;
    for (const each of kept) if (each !== null) (this.kept += each), this.measured++;
    for (const { items } of answers) {
      this.people++;
      for (const item of items) {
        this.films++;
        this.different.add(item.id);
        for (const tag of [item[column] ?? []].flat()) this.tags.set(tag, (this.tags.get(tag) ?? 0) + 1);
      }
    }
  }

  share = (tag) => (this.films ? (this.tags.get(tag) ?? 0) / this.films : 0);

  get loss() {
    return this.measured ? 1 - this.kept / this.measured : 0;
  }
}

const tagColumn = () => filterColumns().find(({ type }) => type === "tags") ?? filterColumns().find(({ type }) => type === "tag");

function table(before, after) {
  const tags = [...new Set([...before.tags.keys(), ...after.tags.keys()])];
  tags.sort((one, other) => Math.abs(after.share(other) - before.share(other)) - Math.abs(after.share(one) - before.share(one)) || after.share(other) - after.share(one));
  const row = (name, former, now, share) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, former), h("td", {}, now, share === undefined ? null : h("span", { class: "bar", "--share": share.toFixed(3), "aria-hidden": "true" })));
  return [
    h("p", { class: "remark" }, t("shiftText", before.people)),
    h("table", {},
      h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col" }, t("before")), h("th", { scope: "col" }, t("after")))),
      h("tbody", {},
        row(t("predictedLoss"), percent(before.loss), percent(after.loss)),
        row(t("distinct"), number(before.different.size), number(after.different.size)),
        tags.slice(0, SHOWN).map((tag) => row(bdi(tag), percent(before.share(tag)), percent(after.share(tag)), after.share(tag))),
      ),
    ),
  ];
}
