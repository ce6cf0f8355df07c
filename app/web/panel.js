// What all views have in common: a part of the page that is loaded, may fail, and can be tried again.

import { ask, known } from "./api.js";
import { describe } from "./columns.js";
import { h, replace } from "./dom.js";
import { t } from "./texts.js";

const RETRY_MS = 3000;

/** Say a text to those who hear the page. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/**
 * A part of a view. `load(requests, show)` asks and shows; a later call takes the place of an earlier one. `calm` shows
 * answers that are no failures, by the codes of their errors.
 */
export class Panel {
  constructor(attributes = {}) {
    this.element = h("section", { class: "panel", ...attributes });
    this.running = null;
  }

  async load(requests, show, calm = {}) {
    this.running?.abort();
    clearTimeout(this.timer);
    const running = (this.running = new AbortController());
    this.element.setAttribute("aria-busy", "true");
    try {
      const answers = await Promise.all(requests.map((each) => ask(each, running.signal)));
      await describe(answers[0]?.model_version);
      if (!running.signal.aborted) replace(this.element, show(...answers));
    } catch (error) {
      if (error.name === "AbortError") return;
      known(error);
      if (error.code in calm) replace(this.element, calm[error.code](error));
      else this.fail(error, () => this.load(requests, show, calm));
    }
    if (this.running === running) this.element.setAttribute("aria-busy", "false");
  }

  fail(error, again) {
    const retry = h("button", { type: "button", onclick: again }, t("again"));
    replace(this.element, h("div", { class: "failure", role: "alert" }, h("strong", {}, t("failed")), h("p", {}, error.advice), retry));
    const passes = error.status === 0 || error.status === 503;
    if (passes) this.timer = setTimeout(() => this.element.isConnected && again(), RETRY_MS);
  }
}

export const heading = (text, ...more) => h("div", { class: "heading" }, h("h2", {}, text), more);

/** Where a list comes from. */
export function origin(answer) {
  return h("p", { class: "origin" },
    answer.source ? h("span", { class: `source ${answer.source}` }, t(`source_${answer.source}`)) : null,
    h("span", {}, t("fromVersion", answer.model_version)),
  );
}
