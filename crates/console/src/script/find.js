// @ts-check
// The find box: `/` or Ctrl-K from anywhere, arrow keys, Enter, Escape back to where one was. What is typed
// goes in the body of a POST, never in an address. A question is given up when another is asked, and an
// answer that comes late is not shown.

/** Letters from which on it is worth asking. */
const LETTERS_MIN = 2;
/** A pause in typing after which is asked. */
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

  const close = () => {
    asking?.abort();
    asked += 1;
    clearTimeout(pause);
    pause = undefined;
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
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { "X-Fragment": "1" },
        body: new URLSearchParams(/** @type {any} */ (new FormData(form))),
        signal: asking.signal,
        redirect: "error",
      });
      if (!answer.ok) throw new Error("refused");
      const text = await answer.text();
      if (mine !== asked) return;
      panel.innerHTML = pieces.createHTML(text);
      panel.hidden = false;
      input.setAttribute("aria-expanded", "true");
      choose(options().length ? 0 : -1);
      const list = panel.querySelector("[data-said]");
      said.textContent = list instanceof HTMLElement ? (list.dataset.said ?? "") : "";
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
    pause = undefined;
    if (input.value.trim().length < LETTERS_MIN) {
      close();
      return;
    }
    pause = setTimeout(() => {
      pause = undefined;
      void ask();
    }, PAUSE_MS);
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
      if (one instanceof HTMLAnchorElement && pause === undefined) {
        event.preventDefault();
        location.assign(one.href);
      }
    }
  };

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
