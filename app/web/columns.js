// What is known of films beside their titles: the columns of the catalogue, as GET /columns describes them.

import { ask, at, request } from "./api.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

const LOADED = "columns"; // the event that says that there are columns
const WORDS = /^(?!(AND|OR|NOT)$)[\p{L}\d][\p{L}\d_.:+-]*$/u; // what a filter takes without quotation marks
const imageOrigins = document.documentElement.dataset.imageOrigins.split(" ");
const loads = new Map();
let columns = [], ofPeople = [];

/** Load the columns as a version has them; without one, those of the version that is live. */
export async function describe(version = null) {
  if (!loads.has(version)) loads.set(version, load());
  if (!(await loads.get(version))) loads.delete(version);
}

async function load() {
  const answer = await ask(request(at`columns`), undefined, true).catch(() => null);
  if (!answer) return false;
  [columns, ofPeople] = [answer.columns, answer.attributes];
  document.dispatchEvent(new Event(LOADED));
  return true;
}

export const onColumns = (listener) => document.addEventListener(LOADED, listener);
export const attributes = () => ofPeople;
export const editableColumns = () => columns.filter((column) => column.shown && column.type !== "vector");
export const filterColumns = () => columns.filter((column) => column.filter && (column.tags.length || !column.type.startsWith("tag")));

/** The name of a column for people. */
export const label = (column) => t(`column_${column.name}`) ?? column.name.replaceAll("_", " ");

/** What is known of a film, in a line. */
export const facts = (film) =>
  columns.filter((column) => column.shown && SHORT[column.type]).map((column) => SHORT[column.type](film[column.name] ?? "", column)).filter(Boolean).join(" · ");

const SHORT = {
  tag: (value) => value,
  tags: (values) => [values].flat().join(", "),
  number: String,
  time: (value) => value.slice(0, 10),
  flag: (value, column) => (value ? label(column) : ""),
};

/** The texts and links that are known of a film, each as a paragraph. */
export function details(film) {
  const shown = (type) => columns.filter((column) => column.shown && column.type === type && film[column.name]);
  const links = shown("link").filter((column) => !isImage(film[column.name]));
  return [
    shown("text").map((column) => h("p", { class: "text", dir: "auto" }, film[column.name])),
    links.map((column) => h("p", {}, h("a", { href: film[column.name], rel: "noreferrer" }, label(column)))),
  ];
}

/** The first link of a film to a host that the page may load images from. */
export function poster(film) {
  const links = columns.filter((column) => column.shown && column.type === "link").map((column) => film[column.name]);
  const source = links.find((link) => link && isImage(link));
  return source ? h("img", { class: "poster", src: source, alt: "", loading: "lazy", referrerpolicy: "no-referrer" }) : null;
}

function isImage(link) {
  const { origin } = new URL(link, document.baseURI);
  return origin === location.origin || imageOrigins.includes(origin) || imageOrigins.includes("*");
}

/** The filter that the address's values say, in.genres=Drama, from.year=1990, to.year=1999, is.new=true, by column. */
export function filterOf(values) {
  const given = [...new Set(values.keys())].map((key) => [key.split("."), values.getAll(key).filter(Boolean)]);
  given.sort(([one], [other]) => (`${one[1]} ${one[0]}` < `${other[1]} ${other[0]}` ? -1 : 1));
  return given.flatMap(([[kind, name], texts]) => (texts.length && name && kind in KINDS ? KINDS[kind](name, texts.map(quoted)) : [])).join(" AND ");
}

// OR binds tighter than AND.
const KINDS = {
  in: (name, tags) => tags.map((tag) => `${name}:${tag}`).join(" OR "),
  from: (name, [value]) => `${name} >= ${value}`,
  to: (name, [value]) => `${name} <= ${value}`,
  is: (name, [value]) => `${name} = ${value}`,
};

export const isFilter = (key) => key.split(".")[0] in KINDS && key.includes(".");

export const quoted = (text) => (WORDS.test(text) ? text : `"${text.replace(/[\\"]/g, "\\$&")}"`);
