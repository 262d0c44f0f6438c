// @ts-check
// Keys of the inbox: `j` and `k` go from item to item, `e` files the one that has the focus or is open, and
// opens what cannot be filed unread. Off by the same setting as all keys (WCAG 2.2, 2.1.4).

/** How long after `g` a letter belongs to it and is none of ours. */
const TOGETHER_MS = 1200;
let went = -TOGETHER_MS;

const items = () => /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("a[data-item]")]);

/** @param {EventTarget | null} at */
const types = (at) =>
  at instanceof HTMLElement &&
  (at.isContentEditable || at.matches("input:not([type=radio], [type=checkbox]), textarea, select"));

/** @param {number} by */
const step = (by) => {
  const all = items();
  const row = document.activeElement?.closest("[data-row]");
  const at = all.findIndex((one) => row?.contains(one));
  all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by]?.focus();
};

const file = () => {
  const row = document.activeElement?.closest("[data-row]");
  const place = row ?? document.querySelector("[data-opened]");
  const button = place?.querySelector("[data-file]");
  const link = row?.querySelector("a[data-item]");
  if (button instanceof HTMLButtonElement) button.click();
  else if (link instanceof HTMLAnchorElement) link.click();
};

/** @param {KeyboardEvent} event */
const onKey = (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (types(event.target) || document.querySelector("dialog:modal")) return;
  if (event.key === "g") {
    went = event.timeStamp;
    return;
  }
  if (event.timeStamp - went < TOGETHER_MS) return;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "e") file();
  else return;
  event.preventDefault();
};

if (document.documentElement.dataset.keys !== "off") document.addEventListener("keydown", onKey);
// Whoever filed goes on with the one behind it.
const next = location.hash.startsWith("#open-") ? document.getElementById(location.hash.slice(1)) : null;
if (next) next.focus();
