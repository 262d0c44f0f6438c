// @ts-check
// Keys: `g` and a letter goes to a place, `?` shows them all. Off by a setting (WCAG 2.2, 2.1.4), and
// never while somebody types.

/** How long after `g` a letter still belongs to it. */
const TOGETHER_MS = 1200;
const isOff = document.documentElement.dataset.keys === "off";
let goesUntil = 0;

/** @param {EventTarget | null} at */
const types = (at) =>
  at instanceof HTMLElement &&
  (at.isContentEditable || at.matches("input:not([type=radio], [type=checkbox]), textarea, select"));

/** @param {KeyboardEvent} event */
const onKey = (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
  if (document.querySelector("dialog:modal")) return;
  const sheet = document.getElementById("keys");
  if (event.key === "?" && sheet instanceof HTMLDialogElement) {
    event.preventDefault();
    const before = document.activeElement;
    sheet.showModal();
    sheet.addEventListener("close", () => before instanceof HTMLElement && before.focus(), { once: true });
    return;
  }
  if (event.key === "g") {
    goesUntil = event.timeStamp + TOGETHER_MS;
    return;
  }
  if (event.timeStamp > goesUntil) return;
  goesUntil = 0;
  for (const link of document.querySelectorAll("a[data-key]")) {
    if (link instanceof HTMLAnchorElement && link.dataset.key === event.key) {
      event.preventDefault();
      link.click();
    }
  }
};

if (!isOff) document.addEventListener("keydown", onKey);
