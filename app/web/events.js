// What a user says about films, stored as events where the service keeps them.

import { ask, at, known, request } from "./api.js";
import { h } from "./dom.js";
import { Panel, say } from "./panel.js";
import { t } from "./texts.js";

/** Whether the service keeps events; false while it does not answer. */
export async function eventsAreOn() {
  try {
    return (await ask(request(at`model`), undefined, true)).events !== null;
  } catch (error) {
    known(error);
    return false;
  }
}

/** Stores events, shows what came of it, and calls `changed`; `askForKey` is called where the page's key may not write. */
export class Events {
  constructor(changed, askForKey) {
    Object.assign(this, { changed, askForKey, position: null, kinds: new Map() });
    this.panel = new Panel({ class: "panel telling", hidden: true });
  }

  get element() {
    return this.panel.element;
  }

  /** Take away what was said of somebody who is no longer on the screen. */
  clear() {
    this.element.hidden = true;
  }

  /** A header with which an answer, of whichever replica, knows what was said here. */
  get readAfter() {
    return this.position === null ? {} : { "X-Read-After": this.position };
  }

  /** What the user has said here about a film, or what `known` says. */
  judged(user, film, known = null) {
    return this.kinds.get(key(user, film)) ?? known;
  }

  /** Say it about a film of a list with that id, or of none; what has been said already is taken back. */
  judge(user, film, kind, known = null, list = undefined) {
    const type = this.judged(user, film, known) === kind ? "retract" : kind;
    // Without TLS a browser makes no UUID, and the service makes one.
    const event = { event_id: crypto.randomUUID?.(), user_id: user, item_id: film.id, type, recommendation_id: list };
    const show = ({ position }) => {
      this.position = position;
      this.kinds.set(key(user, film), type);
      const text = t(`stored_${type}`, film.title);
      this.changed();
      say(text);
      return h("p", {}, text);
    };
    const refused = () => [h("p", { role: "alert" }, t("keyForEvents")), h("button", { type: "button", onclick: this.askForKey }, t("keyGive"))];
    this.element.hidden = false;
    this.panel.load([request(at`events`, {}, { events: [event] })], show, { unauthorized: refused });
  }
}

const key = (user, film) => JSON.stringify([user, String(film.id)]);
