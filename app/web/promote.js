// Makes a version the live one, once somebody with the editor's key has confirmed it.

import { adminToken, ask, at, known, request } from "./api.js";
import { h, onSubmit, replace } from "./dom.js";
import { gateSentence } from "./gate.js";
import { say } from "./panel.js";
import { t } from "./texts.js";

const dialog = document.body.appendChild(h("dialog", { "aria-labelledby": "promote-title" }));

/** Ask whether to promote a version in place of another; `done` is called with what the service then says of itself. */
export function confirmPromotion(version, live, done) {
  const key = h("input", { id: "editor-key", type: "password", autocomplete: "off", required: true, value: adminToken.get() ?? "" });
  const failure = h("p", { class: "failure", role: "alert" });
  const confirm = h("button", { class: "primary" }, t("promoteConfirm"));
  const form = h("form", { class: "view" },
    h("h2", { id: "promote-title" }, t("promoteTitle", version.version)),
    h("p", {}, live ? t("promoteText", live) : t("promoteFirst")),
    h("p", { class: "remark" }, gateSentence(version.gate)),
    h("label", { class: "field" }, t("editorKey"), key),
    failure,
    h("div", { class: "row" }, confirm, h("button", { type: "button", onclick: () => dialog.close() }, t("cancel"))),
  );
  onSubmit(form, async () => {
    confirm.disabled = true;
    replace(failure, await promote(version.version, key.value, done));
    confirm.disabled = false;
  });
  replace(dialog, form).showModal();
}

/** Promote, and close the dialog; what kept it from that, if anything. */
async function promote(version, key, done) {
  try {
    const model = await ask(request(at`versions/${version}/promote`, {}, {}, { Authorization: `Bearer ${key}` }));
    adminToken.set(key);
    dialog.close();
    say(t(model.version === version ? "promoted" : "promotedSoon", version));
    done(model);
    return "";
  } catch (error) {
    known(error);
    return { 401: t("keyWrong"), 404: error.code === "not_found" ? t("promoteOff") : null }[error.status] ?? error.advice;
  }
}
