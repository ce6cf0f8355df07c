// The catalogue: films are changed, withdrawn and added here, and one sees who has changed what.

import { ask, at, ETAG, request } from "./api.js";
import { label } from "./columns.js";
import { bdi, h, onSubmit, replace } from "./dom.js";
import { Editor } from "./editor.js";
import { asDate, filmFields } from "./film-fields.js";
import { finder } from "./finder.js";
import { heading, Panel, say } from "./panel.js";
import { change, href, read } from "./state.js";
import { moment, number, t } from "./texts.js";

const PAGE = 10; // as the service pages them
const LONGEST = 200; // characters of a value that a change shows

export function mount(root, showCurl) {
  const find = finder((film) => change({ id: film.id, add: "" }));
  const add = h("button", { type: "button", onclick: () => change({ id: "", add: "true" }) }, t("addFilm"));
  const tools = h("div", { class: "row", hidden: true }, find.element, add);
  const film = new Panel({ class: "panel", "aria-label": t("editFilm"), hidden: true });
  const list = new Panel({ "aria-label": t("changes") });
  root.append(tools, film.element, list.element);
  const editing = new Editor(update);
  let length = PAGE, opened;
  return { update, version: () => undefined };

  /** The changes show whether somebody may change anything. */
  function update(afresh = false) {
    const pages = Array.from({ length: length / PAGE }, (_, page) => request(at`items/changes`, { offset: page * PAGE || null }, undefined, editing.headers()));
    showCurl(...pages.slice(0, 1));
    const off = () => h("p", {}, t("catalogueOff"));
    list.load(pages, (...answers) => showChanges(answers, afresh), { unauthorized: askForKey, item_unknown: off });
  }

  function askForKey() {
    tools.hidden = film.element.hidden = true;
    return editing.keyForm();
  }

  function showChanges(answers, afresh) {
    tools.hidden = false;
    openFilm(afresh);
    const changes = answers.flatMap((answer) => answer.changes);
    const { total } = answers[0];
    const more = () => {
      length += PAGE;
      update();
    };
    const later = new Set();
    const isLast = ({ id }) => !later.has(id) && later.add(id);
    return [
      heading(t("changes")),
      total ? h("ul", { class: "versions" }, changes.map((each) => row(each, isLast(each)))) : h("p", { class: "remark" }, t("noChanges")),
      changes.length < total && h("button", { type: "button", class: "quiet", onclick: more }, `${t("more")} (${number(total - changes.length)})`),
    ];
  }

  function openFilm(afresh) {
    const { values } = read();
    const [id, adds] = [values.get("id"), values.get("add") === "true"];
    film.element.hidden = !id && !adds;
    if (!afresh && opened === location.hash) return;
    opened = location.hash;
    if (id) film.load([request(at`items/${id}`, {}, undefined, editing.headers())], showForm);
    else if (adds) replace(film.element, showForm());
  }

  /** A form for all of a film, or of a new one. */
  function showForm(former) {
    const id = former ? null : h("input", { required: true, maxlength: 200, autocomplete: "off" });
    const fields = filmFields(former);
    const failure = h("p", { class: "failure", role: "alert" });
    const send = (method, item, body) => editing.failing(failure, () => store(method, item, body, former?.[ETAG] ?? null));
    const turn = () => send("PATCH", former.id, { withdrawn: !former.withdrawn });
    const form = h("form", { class: "view" },
      heading(former ? bdi(former.title) : t("addFilm"), former && h("p", { class: "origin" }, t("filmId", former.id))),
      former && !former.available && h("p", { class: "remark" }, t("unavailable")),
      h("div", { class: "fields" }, id && h("label", { class: "field" }, t("newId"), id), fields.elements),
      failure,
      h("div", { class: "row" },
        h("button", { class: "primary" }, t("save")),
        former && h("button", { type: "button", onclick: turn }, t(former.withdrawn ? "bringBack" : "withdraw")),
        h("button", { type: "button", onclick: () => change({ id: "", add: "" }) }, t("close")),
      ),
    );
    onSubmit(form, () => {
      const changes = fields.changes();
      if (!Object.keys(changes).length) return replace(failure, t("nothingChanged"));
      if (former) send("PATCH", former.id, changes);
      else editing.failing(failure, () => addFilm(id.value, changes));
    });
    return form;
  }

  async function addFilm(id, content) {
    const found = await ask(request(at`items/${id}`)).catch((error) => error);
    if (!(found instanceof Error)) return t("idTaken");
    if (found.code !== "item_unknown") throw found;
    const refusal = await store("PUT", id, content);
    if (!refusal) change({ id, add: "" });
    return refusal;
  }

  /** Store a change and show what came of it. */
  async function store(method, id, body, etag = null) {
    const { item } = await editing.store(method, at`items/${id}`, body, etag);
    say(t("saved", item.title));
    update(String(id) === read().values.get("id")); // what is typed about another film stays
    return "";
  }

  function row(each, isLast) {
    const { id, item, before, editor, made_at: seconds, etag } = each;
    const failure = h("p", { class: "failure", role: "alert" });
    const undo = () => editing.failing(failure, () => store("PUT", id, before, etag));
    return h("li", {},
      h("div", { class: "what" },
        h("a", { class: "title", href: href("catalogue", { id }) }, bdi(item.title)),
        h("p", { class: "facts" }, bdi(editor), ` · ${moment(1000 * seconds)}`),
        differences(before ?? {}, item).map((text) => h("p", { class: "facts" }, bdi(text))),
        failure,
      ),
      before && isLast && h("button", { type: "button", class: "quiet", "aria-label": t("undoFilm", item.title), onclick: undo }, t("undo")),
    );
  }
}

/** What a change has changed, column by column. */
function differences(before, item) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(item)])].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(item[name]));
  return names.map((name) => {
    const [former, now] = [before[name], item[name]].map((value) => shown(name, value));
    return t("changedColumn", label({ name }), `${former ? `${former} → ` : ""}${now || "–"}`);
  });
}

function shown(name, value) {
  if (value && name.startsWith("available_")) return moment(asDate(value));
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  return [value ?? ""].flat().join(", ").slice(0, LONGEST);
}
