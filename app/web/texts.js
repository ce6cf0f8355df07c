// The page's texts in the first language of the browser that there is a file for.

import en from "./texts-en.js";
import fr from "./texts-fr.js";

const LANGUAGES = { en, fr };

export const language = navigator.languages.map((name) => name.slice(0, 2).toLowerCase()).find((name) => name in LANGUAGES) ?? "en";

const texts = LANGUAGES[language];
const locale = navigator.languages.find((name) => name.toLowerCase().startsWith(language)) ?? language;

/** The text with that name; texts with values in them are functions. */
export function t(name, ...values) {
  const text = texts[name];
  return typeof text === "function" ? text(...values) : text;
}

export const number = (value, digits = 0) =>
  value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const signed = (value, digits) =>
  value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "always" });

export const percent = (share) => share.toLocaleString(locale, { style: "percent", maximumFractionDigits: 1 });

export const moment = (text) => new Date(text).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });

export const day = (text) => new Date(text).toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

export const clock = (text) => new Date(text).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
