// What is on the screen, as the address says it: #view?name=value&name=value.
// The part after # is not sent to any server, so no log holds what somebody likes.

const changed = new Set();

export function read() {
  const [view, query = ""] = location.hash.slice(1).split("?");
  return { view: view || "user", values: new URLSearchParams(query) };
}

export function href(view, values = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of [value].flat()) if (each !== undefined && each !== null && each !== "") query.append(name, each);
  }
  return `#${view}${query.size ? `?${query}` : ""}`;
}

/** Change some values of the view on the screen; `replace` makes no new entry in the browser's history. */
export function change(values, replace = false) {
  const { view, values: former } = read();
  const all = Object.fromEntries([...new Set(former.keys())].map((name) => [name, former.getAll(name)]));
  history[replace ? "replaceState" : "pushState"](null, "", href(view, { ...all, ...values }));
  tell();
}

export function onChange(listener) {
  changed.add(listener);
}

function tell() {
  for (const listener of changed) listener();
}

addEventListener("hashchange", tell);
