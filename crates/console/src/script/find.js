// @ts-check
// The find box: `/` or Ctrl-K from anywhere, arrow keys, Enter, Escape back to where one was. What is typed
// goes in the body of a POST, never in an address. A question is given up when another is asked, and an
// answer that comes late is not shown.

/** Letters from which on it is worth asking. */
const LETTERS_MIN = 2;
/** A sign by which places and actions alone are asked for. */
const PLACES = ">";
/** Between two questions: the first key is asked about at once, those that follow faster when it is over. */
const PAUSE_MS = 90;

/** @type {{ createHTML: (text: string) => any }} */
const pieces =
  // @ts-ignore: not in every browser's types yet
  globalThis.trustedTypes?.createPolicy("fragment", { createHTML: (/** @type {string} */ text) => text }) ??
  { createHTML: (text) => text };

// Other scripts put pieces of ours into the page by this one policy.
document.addEventListener("piece", (event) => {
  if (event instanceof CustomEvent && event.target instanceof HTMLElement) {
    event.target.innerHTML = pieces.createHTML(String(event.detail));
  }
});

const form = document.querySelector("[data-find]");
const input = document.getElementById("find");
const panel = document.getElementById("found");
const said = document.getElementById("found-status");

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} input
 * @param {HTMLElement} panel
 * @param {HTMLElement} said
 */
const begin = (form, input, panel, said) => {
  /** @type {Element | null} */
  let before = null;
  /** @type {AbortController | null} */
  let asking = null;
  let asked = 0;
  let last = -PAUSE_MS;
  /** What the list that is shown was asked with. */
  let shown = "";
  let chosen = -1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "found");
  input.setAttribute("aria-expanded", "false");

  const options = () => [...panel.querySelectorAll("[role=option]")];

  /** @param {number} at */
  const choose = (at) => {
    const all = options();
    chosen = all.length ? (at + all.length) % all.length : -1;
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === chosen)));
    const one = all[chosen];
    if (one) {
      input.setAttribute("aria-activedescendant", one.id);
      one.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  /** @param {boolean} is whether a list for what is typed now is still to come */
  const busy = (is) => panel.setAttribute("aria-busy", String(is));

  const close = () => {
    asking?.abort();
    asked += 1;
    busy(false);
    clearTimeout(pause);
    panel.hidden = true;
    panel.replaceChildren();
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    asked += 1;
    const mine = asked;
    const text = input.value;
    last = performance.now();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { "X-Fragment": "1" },
        body: new URLSearchParams(/** @type {any} */ (new FormData(form))),
        signal: asking.signal,
        redirect: "error",
      });
      if (!answer.ok) throw new Error("refused");
      const list = await answer.text();
      if (mine !== asked) return;
      panel.innerHTML = pieces.createHTML(list);
      shown = text;
      busy(text !== input.value);
      panel.hidden = false;
      input.setAttribute("aria-expanded", "true");
      choose(options().length ? 0 : -1);
      const told = panel.querySelector("[data-said]");
      said.textContent = told instanceof HTMLElement ? (told.dataset.said ?? "") : "";
    } catch (error) {
      if (mine !== asked || (error instanceof DOMException && error.name === "AbortError")) return;
      close();
      panel.textContent = panel.dataset.broken ?? "";
      panel.hidden = false;
      said.textContent = panel.dataset.broken ?? "";
    }
  };

  const onInput = () => {
    clearTimeout(pause);
    const typed = input.value.trim();
    // Nothing typed lists whom one opened last; one letter is asked about nobody.
    if (typed.length < LETTERS_MIN && typed !== "" && typed !== PLACES) {
      close();
      return;
    }
    busy(true);
    pause = setTimeout(() => void ask(), last + PAUSE_MS - performance.now());
  };

  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      const wasOpen = !panel.hidden;
      close();
      if (wasOpen) return;
      input.value = "";
      if (before instanceof HTMLElement) before.focus();
      else input.blur();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (panel.hidden) return;
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !panel.hidden && !event.isComposing) {
      const one = options()[chosen];
      // Typed on since: what is chosen belongs to an older text.
      if (one instanceof HTMLAnchorElement && shown === input.value) {
        event.preventDefault();
        go(one);
      }
    }
  };

  /** @param {HTMLAnchorElement} one */
  const go = (one) => {
    if (one.dataset.send === undefined) {
      location.assign(one.href);
      return;
    }
    // What was typed goes along, in a form and in no address.
    const before = form.action;
    form.action = one.href;
    form.submit();
    form.action = before;
  };

  panel.addEventListener("click", (event) => {
    const one = event.target instanceof Element ? event.target.closest("a[data-send]") : null;
    if (!(one instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    go(one);
  });
  input.addEventListener("click", () => {
    if (panel.hidden && input.value === "") void ask();
  });
  input.addEventListener("input", onInput);
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", (event) => {
    const to = event.relatedTarget;
    if (!(to instanceof Node) || !form.contains(to)) setTimeout(close, 150);
  });
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    const types = at instanceof HTMLElement && at.matches("input, textarea, select, [contenteditable]");
    const isOff = document.documentElement.dataset.keys === "off";
    const slash = event.key === "/" && !types && !isOff && !event.ctrlKey && !event.metaKey && !event.altKey;
    const palette = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    if (!slash && !palette) return;
    event.preventDefault();
    if (document.activeElement !== input) before = document.activeElement;
    input.focus();
    input.select();
    if (input.value === "") void ask();
  });
};

if (
  form instanceof HTMLFormElement &&
  input instanceof HTMLInputElement &&
  panel instanceof HTMLElement &&
  said instanceof HTMLElement
) {
  begin(form, input, panel, said);
}
