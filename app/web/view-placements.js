// Placements: what editors decide of lists, and what people would get, before it is saved.

import { ask, at, request } from "./api.js";
import { bdi, h, onSubmit, replace } from "./dom.js";
import { Editor } from "./editor.js";
import { filmList, moves } from "./films.js";
import { heading, Panel, say } from "./panel.js";
import { placementForm } from "./placement-form.js";
import { Shift } from "./placement-shift.js";
import { change, href, read } from "./state.js";
import { moment, t } from "./texts.js";

const PAUSE_MS = 400;
const PEOPLE = 3;

export function mount(root, showCurl) {
  const all = new Panel({ "aria-label": t("placements") });
  const edit = new Panel({ class: "panel", "aria-label": t("editPlacement"), hidden: true });
  const lists = new Panel({ class: "view", "aria-label": t("beforeAfter") });
  const history = new Panel({ "aria-label": t("changes") });
  const shift = new Shift(preview);
  const people = Array.from({ length: PEOPLE }, (_, n) => h("input", { "aria-label": t("person", n + 1), maxlength: 200, autocomplete: "off", onchange: tryOut }));
  const beside = h("div", { class: "view" }, h("div", { class: "panel" }, heading(t("beforeAfter")), h("div", { class: "row people" }, people), lists.element), shift.element);
  const columns = h("div", { class: "columns even", hidden: true }, h("div", { class: "view" }, edit.element, history.element), beside);
  root.append(all.element, columns);
  const editing = new Editor(update);
  let opened, form, saved, timer;
  return { update, version: () => undefined, end: () => shift.stop() };

  function update(afresh = false) {
    const wanted = request(at`placements`, {}, undefined, editing.headers());
    showCurl(wanted);
    const off = () => h("p", {}, t("catalogueOff"));
    all.load([wanted], (answer) => showAll(answer, afresh), { unauthorized: askForKey, not_found: off, events_disabled: off });
  }

  function askForKey() {
    columns.hidden = true;
    return editing.keyForm();
  }

  function showAll({ placements }, afresh) {
    const name = read().values.get("name");
    const input = h("input", { required: true, pattern: "[a-z][a-z0-9_\\-]{0,63}", maxlength: 64, autocomplete: "off", title: t("placementName") });
    const make = h("form", { class: "asking" }, h("label", { class: "field" }, t("newPlacement"), input), h("button", {}, t("open")));
    onSubmit(make, () => change({ name: input.value }));
    open(name, placements.find((each) => each.name === name), afresh);
    const link = (each) => h("a", { class: "example", href: href("placements", { name: each.name }), "aria-current": each.name === name ? "true" : null }, bdi(each.name));
    return [heading(t("placements")), h("div", { class: "row" }, h("div", { class: "examples" }, placements.map(link)), make)];
  }

  async function open(name, stored, afresh) {
    columns.hidden = !name;
    if (!name || (!afresh && opened === name)) return;
    [opened, saved] = [name, stored];
    form = placementForm(stored?.placement ?? {}, () => {
      clearTimeout(timer);
      timer = setTimeout(tryOut, PAUSE_MS);
    });
    showForm();
    history.element.hidden = !stored && !afresh;
    if (stored || afresh) history.load([request(at`placements/${name}/history`, {}, undefined, editing.headers())], showHistory, { placement_unknown: () => { history.element.hidden = true; } });
    if (!people[0].value) await nameSomebody();
    tryOut();
  }

  async function nameSomebody() {
    const { users } = await ask(request(at`users/examples`)).catch(() => ({ users: [] }));
    people.forEach((input, n) => { input.value = users[n + Number(users.length > PEOPLE)]?.user_id ?? ""; });
  }

  function showForm() {
    edit.element.hidden = false;
    const failure = h("p", { class: "failure", role: "alert" });
    const send = (method, path, body) => editing.failing(failure, () => store(method, path, body));
    const element = h("form", { class: "view" },
      heading(bdi(opened), !saved && h("p", { class: "origin" }, t("notSaved"))),
      form.element,
      failure,
      h("div", { class: "row" },
        h("button", { class: "primary" }, t("save")),
        saved && h("button", { type: "button", onclick: () => send("POST", at`placements/${opened}/rollback`) }, t("undo")),
        saved && h("button", { type: "button", onclick: () => send("DELETE", at`placements/${opened}`) }, t("delete")),
      ),
    );
    onSubmit(element, () => send("PUT", at`placements/${opened}`, form.content()));
    replace(edit.element, element);
  }

  /** Store a change and show what came of it. */
  async function store(method, path, body) {
    const { name } = await editing.store(method, path, body, saved?.etag ?? null);
    say(t("savedPlacement", name));
    update(true);
    return "";
  }

  function showHistory({ changes }) {
    const back = (each) => store("POST", `${at`placements/${opened}/rollback`}?position=${each.position}`);
    const row = (each, place) => {
      const failure = h("p", { class: "failure", role: "alert" });
      return h("li", {},
        h("div", { class: "what" }, h("p", {}, bdi(each.editor), ` · ${moment(1000 * each.made_at)}`), h("p", { class: "facts" }, bdi(each.placement ? JSON.stringify(each.placement) : t("deleted"))), failure),
        place > 0 && h("button", { type: "button", class: "quiet", "aria-label": t("backTo", moment(1000 * each.made_at)), onclick: () => editing.failing(failure, () => back(each)) }, t("goBack")),
      );
    };
    return [heading(t("changes")), h("ul", { class: "versions" }, changes.map(row))];
  }

  /** What people get by a placement that need not be saved; null: by none. */
  function preview(placement, asked) {
    return request(at`placements/preview`, {}, { placement, ...asked }, editing.headers());
  }

  /** Show what the form would do. */
  function tryOut() {
    const users = people.map((input) => input.value).filter(Boolean);
    const [before, after] = [saved?.placement ?? null, form.content()];
    const wanted = [before, after].map((each) => preview(each, { user_ids: users }));
    showCurl(wanted[1]);
    lists.load(wanted, (former, now) => showLists(users, former, now), { invalid_parameter: (error) => h("p", { class: "failure" }, error.advice) });
    shift.start(before, after);
  }

  function showLists(users, former, now) {
    const list = (text, answer, marks) =>
      h("div", { class: "column" }, h("h3", {}, text), filmList(answer.items, { label: `${text}: ${answer.user_id}`, marks, compact: true }));
    const pairs = users.map((id, n) =>
      h("section", { "aria-label": id }, h("h2", {}, bdi(id)), h("div", { class: "pair" }, list(t("before"), former.answers[n]), list(t("after"), now.answers[n], moves(former.answers[n].items)))),
    );
    return [warnings(now.warnings), pairs];
  }
}

function warnings(found = []) {
  return found.length ? h("ul", { class: "notice warnings" }, found.map((each) => h("li", {}, h("b", {}, each.field), `: ${each.message}`))) : null;
}
