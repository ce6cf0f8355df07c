// The page: what all views share, and which view is on the screen.

import { apiKey, ask, at, curl, known, request } from "./api.js";
import { h, replace } from "./dom.js";
import { fillKeyForm } from "./key.js";
import { href, onChange, read } from "./state.js";
import { language, t } from "./texts.js";
import { mount as catalogue } from "./view-catalogue.js";
import { mount as film } from "./view-film.js";
import { mount as somebodyNew } from "./view-new.js";
import { mount as now } from "./view-now.js";
import { mount as placements } from "./view-placements.js";
import { mount as pleased } from "./view-pleased.js";
import { mount as user } from "./view-user.js";
import { mount as versions } from "./view-versions.js";

const VIEWS = { user, new: somebodyNew, film, catalogue, placements, versions, pleased, now };
const POLL_MS = 5000;

const [main, top, foot, notices] = ["main", "top", "foot", "notices"].map((id) => document.getElementById(id));
const serving = h("span", { class: "serving" });
const tabs = h("nav", { "aria-label": t("views") });
let shown = { name: null };
let live; // the version that is live, as the service said last

document.documentElement.lang = language;
document.getElementById("skip").textContent = t("skip");
top.append(h("a", { class: "brand", href: href("user") }, h("span", { class: "mark-of-brand", "aria-hidden": "true" }), t("name")), tabs, serving);

/** Show what the address says. */
function show() {
  const name = read().view in VIEWS ? read().view : "user";
  if (shown.name !== name) open(name);
  refresh(false);
}

/** Ask for what is on the screen; `afresh` asks for all of it. */
function refresh(afresh) {
  notice("swap", null);
  shown.live = live;
  shown.view.update(afresh);
}

function open(name) {
  shown.view?.end?.();
  document.title = `${t(name)} – ${t("name")}`;
  replace(tabs, Object.keys(VIEWS).map((each) => h("a", { href: href(each), "aria-current": each === name ? "page" : null }, t(each))));
  const root = h("div", { class: `view view-${name}` });
  replace(main, h("div", { class: "title-row" }, h("h1", {}, t(name)), h("p", { class: "lead" }, t(`${name}Lead`))), root);
  shown = { name, view: VIEWS[name](root, showCurl, () => askForKey(false)) };
}

function showCurl(...requests) {
  const text = requests.map(curl).join("\n");
  const copy = h("button", {
    type: "button", class: "quiet",
    onclick: async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = t("copied");
    },
  }, t("copy"));
  replace(
    foot,
    h("section", { class: "curl", "aria-label": t("curl") }, h("div", { class: "heading" }, h("h2", {}, t("curl")), copy), h("pre", { tabindex: 0 }, h("code", {}, text))),
    h("p", { class: "links" }, h("a", { href: "docs" }, t("docs"))),
  );
}

/** A line above the content, one of each kind; null takes it away. */
function notice(kind, ...content) {
  const former = notices.querySelector(`.${kind}`);
  if (content[0] === null) return former?.remove();
  if (former?.dataset.text === content[0]) return;
  former?.remove();
  notices.append(h("div", { class: `notice ${kind}`, role: "status", "data-text": content[0] }, h("p", {}, content[0]), content.slice(1)));
}

const poll = () => document.hidden || !document.getElementById("key").hidden || look(true);

/** Notice another version, and a service that is gone or back; false if the service wants a key. */
async function look(quiet) {
  try {
    const model = await ask(request(at`model`), undefined, quiet);
    notice("offline", null);
    serving.textContent = model.version === null ? t("noVersion") : t("serving", model.version, model.family);
    live = model.version;
    // During a trial a list may be of another version than the live one, and still be up to date.
    const onScreen = shown.view?.version();
    if (onScreen && live !== null && live !== onScreen && live !== (shown.live ??= live)) offerReload(live);
    else notice("swap", null);
  } catch (error) {
    known(error);
    if (error.status === 401) {
      askForKey();
      return false;
    }
    notice("offline", t("offline"));
  }
  return true;
}

function offerReload(version) {
  notice("swap", t("swapped", version), h("button", { type: "button", onclick: () => refresh(true) }, t("reloadList")));
}

/** Ask for an API key, once for this tab. */
function askForKey(wrong = apiKey.get() !== null) {
  const form = document.getElementById("key");
  if (!form.hidden) return;
  const input = fillKeyForm(form, h("h1", {}, t("keyTitle")), t("keyText"), wrong, (key) => {
    apiKey.set(key);
    reveal(true);
    start();
  });
  reveal(false);
  input.focus();
}

function reveal(content) {
  document.getElementById("key").hidden = content;
  for (const part of [main, foot, tabs]) part.hidden = !content;
}

/** The first question shows whether the service wants a key; only then does the view ask its own. */
async function start() {
  if (!(await look(false))) return;
  shown.view?.end?.();
  shown = { name: null };
  show();
}

main.before(h("form", { class: "panel key", id: "key", hidden: true }));
onChange(() => document.getElementById("key").hidden && show());
setInterval(poll, POLL_MS);
document.addEventListener("visibilitychange", poll);
start();
