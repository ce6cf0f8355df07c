// Asks the service, with the API key if there is one.

import { t } from "./texts.js";

const KEY_HEADER = "X-API-Key";
const SLOW_MS = 300;

let waiting = 0;

/** An answer with a status of 400 or more, or none at all (status 0). */
export class ApiError extends Error {
  constructor(status, { code = "network", message = "", request_id: requestId = "" } = {}) {
    super(message);
    Object.assign(this, { status, code, requestId });
  }

  /** What to do about it. */
  get advice() {
    if (this.status === 0) return t("errorNetwork");
    if (this.code === "internal_error") return t("error_internal_error", this.requestId);
    return t(`error_${this.code}`, this.message) ?? this.message;
  }
}

/** The error, if the service has answered with it or not answered at all; any other is thrown on. */
export function known(error) {
  if (!(error instanceof ApiError)) throw error;
  return error;
}

/** A key that this tab keeps until it is closed. */
const keptKey = (name) => ({
  get: () => sessionStorage.getItem(name),
  set: (key) => sessionStorage.setItem(name, key),
  header: () => (sessionStorage.getItem(name) === null ? {} : { [KEY_HEADER]: sessionStorage.getItem(name) }),
});

export const apiKey = keptKey("api-key"), catalogueKey = keptKey("catalogue-key"), adminToken = keptKey("editor-key");

export const ETAG = Symbol("ETag"); // of an answer

/** A request: `path` is made by `at`, `query` holds values and lists of them, `body` makes it a POST. */
export function request(path, query = {}, body = undefined, headers = {}, method = body ? "POST" : "GET") {
  const url = new URL(path, document.baseURI.split("#")[0]);
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== undefined && each !== null && each !== "") url.searchParams.append(name, each);
  }
  return { url, body, headers, method };
}

/** A path from a template: at`users/${id}/history`. */
export function at(parts, ...values) {
  return parts.map((part, place) => (place ? encodeURIComponent(String(values[place - 1]).toWellFormed()) : "") + part).join("");
}

/** The answer's content; raises ApiError, or AbortError if `signal` says so. */
export async function ask({ url, body, headers: own, method }, signal = undefined, quiet = false) {
  const headers = { ...apiKey.header(), ...own };
  if (body) headers["Content-Type"] = "application/json";
  const timer = quiet ? null : setTimeout(() => show(waiting), SLOW_MS);
  waiting += quiet ? 0 : 1;
  try {
    return await answer(await fetch(url, { signal, headers, method, body: body && JSON.stringify(body) }));
  } catch (error) {
    throw error instanceof TypeError ? new ApiError(0) : error;
  } finally {
    clearTimeout(timer);
    waiting -= quiet ? 0 : 1;
    if (!waiting) show(0);
  }
}

async function answer(response) {
  const content = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!response.ok) throw new ApiError(response.status, content.error);
  return Object.assign(content, { [ETAG]: response.headers.get("ETag") });
}

function show(n) {
  const bar = document.getElementById("working");
  bar.hidden = n === 0;
  bar.textContent = n === 0 ? "" : t("working");
}

/** The same request for a terminal; the key itself is not shown. */
export function curl({ url, body, headers }) {
  const all = Object.entries({ ...apiKey.header(), ...headers });
  const sent = all.map(([name, value]) => ` -H ${quoted(`${name}: ${name === KEY_HEADER ? "…" : value}`)}`).join("");
  if (!body) return `curl${sent} ${quoted(url.href)}`;
  return `curl${sent} -H 'Content-Type: application/json' ${quoted(url.href)} -d ${quoted(JSON.stringify(body))}`;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
