// What the views of editors share: who somebody is, and the last change that they have stored.

import { ask, catalogueKey, known, request } from "./api.js";
import { h, replace } from "./dom.js";
import { fillKeyForm } from "./key.js";
import { t } from "./texts.js";

export class Editor {
  /** `update` shows the view, and with true all of it anew. */
  constructor(update) {
    this.update = update;
    this.position = null;
  }

  /** What says who changes something, and which changes an answer must know: another replica may give it. */
  headers(etag = null) {
    return { ...catalogueKey.header(), ...(this.position === null ? {} : { "X-Read-After": this.position }), ...(etag === null ? {} : { "If-Match": etag }) };
  }

  /** A form that asks for the key. */
  keyForm() {
    const form = h("form", { class: "view" });
    fillKeyForm(form, h("h2", {}, t("editorKeyTitle")), t("editorKeyText"), catalogueKey.get() !== null, (key) => {
      catalogueKey.set(key);
      this.update(true);
    });
    return form;
  }

  /** Store a change; the answer. */
  async store(method, path, body, etag = null) {
    const answer = await ask(request(path, {}, body, this.headers(etag), method));
    this.position = answer.position;
    return answer;
  }

  /** Do something that says nothing, or what kept it from being done; show that in `failure`. */
  async failing(failure, act) {
    try {
      replace(failure, await act());
    } catch (error) {
      known(error);
      if (error.status === 401) return this.update();
      replace(failure, error.advice);
    }
  }
}
