// A placement in fields. Filters are typed, and the columns and their values offered while somebody types.

import { ask, at, request } from "./api.js";
import { describe, filterColumns, quoted } from "./columns.js";
import { bdi, h, replace } from "./dom.js";
import { local } from "./film-fields.js";
import { finder } from "./finder.js";
import { t } from "./texts.js";

/** The fields of a placement, and a function that says what is in them; `changed` is called when that is another. */
export function placementForm(content, changed) {
  const offered = h("datalist", { id: "filters-offered" });
  describe().then(() => replace(offered, offers().map((value) => h("option", { value }))));
  const field = (name, attributes = {}) => h("input", { autocomplete: "off", ...attributes, value: name in content ? content[name] : "" });
  const k = field("k", { type: "number", min: 1, max: 100, placeholder: "10" });
  const diversity = field("diversity", { type: "number", min: 0, max: 1, step: "any", placeholder: "0" });
  const filter = field("filter", FILTER);
  const shown = typed(content.rest?.shown, { type: "number", min: 1, max: 100 });
  const days = typed(content.rest?.days, { type: "number", min: 1, max: 90, placeholder: REST_DAYS });
  const against = typed(content.trial?.against, { maxlength: 64, pattern: "[a-z][a-z0-9_\\-]{0,63}", spellcheck: "false" });
  const share = typed(content.trial?.share, { type: "number", min: 0, max: 1, step: "any", placeholder: TRIAL_SHARE });
  const given = content.fallback ?? "popular";
  const kinds = ["popular", "trending", "list"].map((value) => h("option", { value, selected: value === (Array.isArray(given) ? "list" : given) }, t(`fallback_${value}`)));
  const fallback = h("select", {}, kinds);
  const ids = h("input", { autocomplete: "off", "aria-label": t("fallbackIds"), placeholder: "601, 93", value: Array.isArray(given) ? given.join(", ") : "" });
  const rules = Object.entries(RULES).map(([name, make]) => new RuleList(name, [content[name] ?? []].flat(), make, changed));
  const show = () => { ids.hidden = fallback.value !== "list"; };
  const element = h("div", { class: "view", oninput: () => (show(), changed()) },
    offered,
    h("div", { class: "fields" },
      h("label", { class: "field" }, t("listLength"), k),
      h("label", { class: "field" }, t("diversity"), diversity),
      h("label", { class: "field" }, t("filter"), filter),
      h("label", { class: "field", title: t("restText") }, t("restShown"), shown),
      h("label", { class: "field", title: t("restText") }, t("restDays"), days),
      h("label", { class: "field", title: t("trialRuleText") }, t("trialAgainst"), against),
      h("label", { class: "field", title: t("trialRuleText") }, t("trialShare"), share),
      h("div", { class: "field" }, h("label", { class: "field" }, t("forUnknown"), fallback), ids),
    ),
    rules.map((each) => each.element),
  );
  show();
  const others = Object.fromEntries(Object.entries(content).filter(([name]) => !KNOWN.includes(name)));
  return {
    element,
    content: () => ({
      ...others,
      ...given_(k, "k", Number),
      ...given_(diversity, "diversity", Number),
      ...given_(filter, "filter", String),
      ...(shown.value && { rest: { shown: Number(shown.value), days: Number(days.value || REST_DAYS) } }),
      ...(against.value.trim() && { trial: { against: against.value.trim(), share: Number(share.value || TRIAL_SHARE) } }),
      ...(fallback.value === "popular" ? {} : { fallback: fallback.value === "list" ? ids.value.split(",").map((id) => id.trim()).filter(Boolean) : fallback.value }),
      ...Object.fromEntries(rules.map((each) => [each.name, each.content()]).filter(([, found]) => found.length).map(([name, found]) => [name, name === SINGLE ? found[0] : found])),
    }),
  };
}

const KNOWN = ["k", "diversity", "filter", "rest", "trial", "fallback", "boosts", "pins", "quotas", "explore"];
const SINGLE = "explore"; // a rule of which a placement has one at most
const REST_DAYS = 7; // where only the number of lists is given
const TRIAL_SHARE = 0.5; // where only the other placement is given
const FILTER = { list: "filters-offered", maxlength: 1000, spellcheck: "false" };
const given_ = (input, name, read) => (input.value.trim() ? { [name]: read(input.value) } : {});

/** Filters of one column each: those that a field offers. */
function offers() {
  return filterColumns().flatMap(({ name, type, tags }) => OFFERS[type]?.(name, tags) ?? []);
}

const tagged = (name, tags) => tags.map((tag) => `${name}:${quoted(tag.name)}`);
const limits = (name) => [`${name} >= `, `${name} <= `];
const OFFERS = { tag: tagged, tags: tagged, number: limits, time: limits, flag: (name) => [`${name} = true`, `${name} = false`] };

/** Rules of one kind; each is a row of fields that can be taken away. */
class RuleList {
  constructor(name, rules, make, changed) {
    this.name = name;
    this.rows = h("div", { class: "view" });
    this.changed = changed;
    this.made = [];
    const add = (content) => this.add(make(content));
    this.more = name === "pins"
      ? finder((film) => (add({ item_id: film.id, rank: 1, film }), changed())).element
      : h("button", { type: "button", class: "quiet", onclick: () => (add({}), changed()) }, t(`add_${name}`));
    this.element = h("fieldset", {}, h("legend", {}, t(name)), h("small", {}, t(`${name}Text`)), this.rows, this.more);
    for (const each of rules) add(each);
  }

  add(rule) {
    const remove = () => {
      this.made.splice(this.made.indexOf(rule), 1);
      row.remove();
      this.more.hidden = false;
      this.changed();
    };
    const row = h("div", { class: "row rule" }, rule.elements, h("button", { type: "button", class: "quiet", "aria-label": t("removeRule", t(this.name)), onclick: remove }, "✕"));
    this.made.push(rule);
    this.rows.append(row);
    this.more.hidden = this.name === SINGLE;
  }

  content() {
    return this.made.map((rule) => rule.content()).filter(Boolean);
  }
}

const labelled = (text, input) => h("label", { class: "field" }, text, input);
const typed = (value, attributes) => h("input", { autocomplete: "off", ...attributes, value: value ?? "" });

const RULES = {
  boosts: ({ filter, by = 0.3, ...others }) => {
    const [which, how] = [typed(filter, FILTER), typed(by, { type: "number", min: -10, max: 10, step: 0.1 })];
    return { elements: [labelled(t("filter"), which), labelled(t("by"), how)], content: () => which.value.trim() && { ...others, filter: which.value, by: Number(how.value) } };
  },
  pins: ({ item_id: id, rank, from, until, film, ...others }) => {
    const name = h("span", { class: "what" }, bdi(film?.title ?? id));
    if (!film) {
      ask(request(at`items/${id}`), undefined, true).then(
        (found) => replace(name, bdi(found.title), found.available ? null : h("span", { class: "mark goes" }, t("pinWithdrawn"))),
        () => name.append(h("span", { class: "mark goes" }, t("pinUnknown"))),
      );
    }
    const place = typed(rank, { type: "number", min: 1, max: 100 });
    const [start, end] = [from, until].map((time) => typed(time && local(time), { type: "datetime-local", step: "any" }));
    const time = (text) => new Date(text).toISOString();
    const content = () => ({ ...others, item_id: id, rank: Number(place.value), ...given_(start, "from", time), ...given_(end, "until", time) });
    return { elements: [name, labelled(t("atRank"), place), labelled(t("pinFrom"), start), labelled(t("pinUntil"), end)], content };
  },
  quotas: ({ filter, at_least: least, at_most: most, ...others }) => {
    const [which, low, high] = [typed(filter, FILTER), ...[least, most].map((value) => typed(value, { type: "number", min: 0, max: 100 }))];
    const content = () => which.value.trim() && { ...others, filter: which.value, ...given_(low, "at_least", Number), ...given_(high, "at_most", Number) };
    return { elements: [labelled(t("filter"), which), labelled(t("atLeast"), low), labelled(t("atMost"), high)], content };
  },
  explore: ({ rank = 3, among = 20, share = 0.1, new_below: below = 50, most_a_day: most, ...others }) => {
    const number = (value, min, max, step = 1) => typed(value, { type: "number", min, max, step });
    const fields = { rank: number(rank, 1, 100), among: number(among, 1, 50), share: number(share, 0, 1, "any"), new_below: number(below, 0, 1000), most_a_day: number(most, 1, 1000000) };
    const content = () => Object.assign({ ...others }, ...Object.entries(fields).map(([name, input]) => given_(input, name, Number)));
    return { elements: Object.entries(fields).map(([name, input]) => labelled(t(`explore_${name}`), input)), content };
  },
};
