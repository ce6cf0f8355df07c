// The versions: which one is live, all that there are, and what each loaded one would recommend to a user.

import { at, known, request } from "./api.js";
import { clearFilters, controls, listQuery } from "./controls.js";
import { bdi, h } from "./dom.js";
import { filmList, moves, shortfall } from "./films.js";
import { gateFigures, gateSentence } from "./gate.js";
import { heading, Panel, say } from "./panel.js";
import { confirmPromotion } from "./promote.js";
import { read } from "./state.js";
import { moment, number, t } from "./texts.js";
import { offerExamples, userForm } from "./view-user.js";

export function mount(root, showCurl) {
  const cards = new Panel({ class: "panel cards", "aria-label": t("loadedVersions") });
  const all = new Panel({ class: "panel", "aria-label": t("allVersions") });
  const form = userForm(t("compareFor"));
  const parts = controls({ seen: true });
  const lists = new Panel({ class: "panel", "aria-label": t("recommendations") });
  root.append(all.element, cards.element, form.element, parts.element, lists.element);
  let loaded = null, shownVersion;
  const waiting = offerExamples(form).catch(known);
  return { update, version: () => shownVersion };

  function update(afresh = false) {
    form.update();
    parts.update();
    if (loaded !== null && !afresh) return showLists();
    cards.load([request(at`versions`)], showCards);
    all.load([request(at`versions/registered`)], showAll, { registry_unavailable: (error) => [heading(t("allVersions")), h("p", { class: "remark" }, error.advice)] });
  }

  function showCards({ versions }) {
    loaded = versions;
    shownVersion = versions[0]?.version;
    showLists();
    return [
      h("div", { class: "cards-row" }, versions.map(card)),
      versions.length ? null : h("p", {}, t("error_no_model")),
      versions.length === 1 ? h("p", { class: "remark" }, t("oneVersion")) : null,
    ];
  }

  function showAll({ versions }) {
    all.element.hidden = !versions.length; // a folder has none
    return [heading(t("allVersions")), h("ul", { class: "versions" }, versions.map(registered))];
  }

  function registered(version) {
    const promote = h("button", { type: "button", class: "quiet", "aria-label": t("promoteVersion", version.version), onclick: () => confirmPromotion(version, shownVersion, () => update(true)) }, t("promote"));
    return h("li", {},
      h("div", { class: "what" },
        h("a", { class: "title", href: version.page, target: "_blank", rel: "noreferrer" }, t("version", version.version)), " ",
        version.aliases.map((alias) => [h("span", { class: "alias" }, bdi(alias)), " "]),
        h("p", { class: "facts" }, `${moment(version.registered_at)} · ${gateSentence(version.gate)}`)),
      version.version === shownVersion ? null : promote,
    );
  }

  async function showLists() {
    await waiting;
    const id = read().values.get("id");
    if (!id || !loaded.length) return;
    // Each version by its alias: without one, a trial answers with the version of the user's arm.
    const wanted = loaded.map(({ alias }) => request(at`users/${id}/recommendations`, { ...listQuery({ seen: true }), alias, preview: true }));
    showCurl(...wanted);
    lists.load(wanted, compare);
  }

  function compare(...answers) {
    const [ours, theirs] = answers;
    shownVersion = ours.model_version;
    const columns = answers.map((answer, place) => column(answer, loaded[place], place ? moves(ours.items) : goes(theirs)));
    if (!theirs) return [heading(t("recommendations")), columns];
    const ids = new Set(ours.items.map((item) => String(item.id)));
    const stay = theirs.items.filter((item) => ids.has(String(item.id))).length;
    const sentence = t("change", stay, theirs.items.length - stay);
    say(sentence);
    return [heading(t("recommendations")), h("p", { class: "change" }, sentence), h("div", { class: "columns even" }, columns)];
  }
}

/** Marks the films that the second list no longer holds. */
function goes(theirs) {
  if (!theirs) return undefined;
  const ids = new Set(theirs.items.map((item) => String(item.id)));
  return (item) => (ids.has(String(item.id)) ? { kind: "none", text: "" } : { kind: "goes", text: t("goes") });
}

function column(answer, version, marks) {
  const name = version.alias ?? t("folder");
  const unit = answer.source === "popular" ? "likes" : "score";
  return h("div", { class: "column" },
    h("h3", {}, bdi(name), h("span", { class: "origin" }, ` ${t("fromVersion", answer.model_version)}, ${t(`source_${answer.source}`)}`)),
    filmList(answer.items, { label: name, unit, marks }),
    shortfall(answer, clearFilters),
  );
}

function card(version) {
  const facts = [version.family, t("knowsText", number(version.users), number(version.items)), t("loadedAt", moment(version.loaded_at))];
  return h("article", { class: "card" },
    h("h2", {}, t("version", version.version), " ", h("span", { class: "alias" }, bdi(version.alias ?? t("folder")))),
    h("p", { class: "facts" }, facts.join(" · ")),
    h("p", {}, gateSentence(version.gate)),
    version.gate && gateFigures(version.gate),
    version.page && h("a", { href: version.page, target: "_blank", rel: "noreferrer" }, t("inMlflow"), " ↗"),
  );
}
