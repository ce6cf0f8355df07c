// A user: what they have seen, what they would get, and why.

import { ask, at, known, request } from "./api.js";
import { clearFilters, controls, listQuery } from "./controls.js";
import { bdi, h, onSubmit, replace } from "./dom.js";
import { Events, eventsAreOn } from "./events.js";
import { filmList, moves, shortfall } from "./films.js";
import { finder } from "./finder.js";
import { heading, origin, Panel, say } from "./panel.js";
import { change, read } from "./state.js";
import { number, t } from "./texts.js";

const PAGE = 50;

/** The form for a user id, with examples; the first example is shown where the address names nobody. */
export function userForm(label) {
  const input = h("input", { id: "user", type: "text", maxlength: 16384, autocomplete: "off", spellcheck: "false", required: true });
  const examples = h("div", { class: "examples" });
  const form = h("form", { class: "asking" }, h("label", { class: "field" }, label, input), h("button", { class: "primary" }, t("show")), examples);
  onSubmit(form, () => change({ id: input.value }));
  return { element: form, update, examples };

  function update() {
    if (document.activeElement !== input) input.value = read().values.get("id") ?? "";
    for (const each of examples.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each.value === read().values.get("id")));
  }
}

/** Fill a form's examples; where the address names nobody, show the one in the middle. */
export async function offerExamples(form) {
  const { users } = await ask(request(at`users/examples`));
  const button = ({ kind, user_id: id, seen }) =>
    h("button", { type: "button", class: "example", value: id, onclick: () => change({ id }) }, bdi(id), h("small", {}, t(`example_${kind}`, seen)));
  replace(form.examples, h("span", { class: "label" }, t("examples")), users.map(button));
  if (!read().values.get("id")) change({ id: (users[1] ?? users[0]).user_id }, true);
  else form.update();
}

export function mount(root, showCurl, askForKey) {
  const form = userForm(t("userId"));
  const parts = controls({ seen: true });
  const list = new Panel({ class: "panel main", "aria-label": t("recommendations") });
  const past = new Panel({ class: "panel side", "aria-label": t("history") });
  const events = new Events(() => update(true), askForKey);
  const find = finder((film, event) => judge(film, event.shiftKey ? "dislike" : "like"), t("findHint"));
  const telling = h("div", { class: "panel", hidden: true }, find.element, h("p", { class: "remark" }, t("eventsText")));
  root.append(form.element, parts.element, events.element, h("div", { class: "columns" }, list.element, h("div", { class: "view" }, telling, past.element)));
  const known = (film) => (film.liked ? "like" : null);
  let pastOf, shownVersion, former = null;
  start();
  return { update, version: () => shownVersion };

  async function start() {
    telling.hidden = !(await eventsAreOn());
    try {
      await offerExamples(form);
    } catch (error) {
      known(error);
      if (!read().values.get("id")) list.fail(error, start);
    }
  }

  function update(afresh = false) {
    form.update();
    parts.update();
    const id = read().values.get("id");
    if (!id) return;
    if (id !== pastOf) {
      former = null;
      events.clear();
    }
    const wanted = request(at`users/${id}/recommendations`, { ...listQuery({ seen: true }), explain: true, preview: true }, undefined, events.readAfter);
    showCurl(wanted, request(at`users/${id}/history`, { k: PAGE }, undefined, events.readAfter));
    list.load([wanted], showList);
    if (id !== pastOf || afresh) showHistory(id);
  }

  function showList(answer) {
    const marks = former && events.position !== null ? moves(former) : undefined;
    former = answer.items;
    shownVersion = answer.model_version;
    say(t("shown", answer.items.length));
    const unit = answer.source === "popular" ? "likes" : "score";
    return [
      heading(t("recommendations"), origin(answer)),
      answer.source === "popular" ? h("p", { class: "remark" }, t("noHistory")) : null,
      filmList(answer.items, { label: t("recommendations"), unit, marks, ...buttons(answer.recommendation_id) }),
      shortfall(answer, clearFilters),
    ];
  }

  /** What lets the user on the screen like and dislike films of a list, where that is stored. */
  function buttons(list) {
    if (telling.hidden) return {};
    return { judge: (film, kind) => judge(film, kind, list), judged: (film) => events.judged(pastOf, film, known(film)) };
  }

  function judge(film, kind, list = undefined) {
    events.judge(pastOf, film, kind, known(film), list);
  }

  function showHistory(id, length = PAGE) {
    pastOf = id;
    const pages = Array.from({ length: length / PAGE }, (_, page) => request(at`users/${id}/history`, { k: PAGE, offset: page * PAGE }, undefined, events.readAfter));
    const unknown = (error) => [heading(t("history")), h("p", { class: "remark" }, error.advice)];
    const show = (...answers) => {
      const items = answers.flatMap((answer) => answer.items);
      const more = () => showHistory(id, length + PAGE);
      return [
        heading(t("history")),
        h("p", { class: "remark" }, t("seenBy", answers[0].total)),
        filmList(items, { label: t("history"), compact: true, ...buttons() }),
        items.length < answers[0].total ? h("button", { type: "button", class: "quiet", onclick: more }, `${t("more")} (${number(answers[0].total - items.length)})`) : null,
      ];
    };
    past.load(pages, show, { user_unknown: unknown });
  }
}
