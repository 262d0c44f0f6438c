// @ts-check
// What every page can do with a script and does without: copy a number, close what was said, close the
// menu by Escape or a click beside it, and send a form once.

/** @param {Event} event */
const onClick = async (event) => {
  const at = event.target instanceof Element ? event.target : null;
  const copy = at?.closest("[data-copy]");
  if (copy instanceof HTMLElement) {
    await navigator.clipboard.writeText(copy.dataset.copy ?? "");
    copy.classList.add("is-done");
    setTimeout(() => copy.classList.remove("is-done"), 1500);
  }
  at?.closest("[data-close]")?.closest(".toast")?.remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!at || !menu.contains(at)) menu.removeAttribute("open");
  }
};

/** @param {KeyboardEvent} event */
const onKey = (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  }
};

/** @param {SubmitEvent} event */
const onSubmit = (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
  // A second press sends nothing a second time.
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
};

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
document.addEventListener("submit", onSubmit);
// Who comes back by the button of the browser may send again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) button.removeAttribute("hidden");
}
