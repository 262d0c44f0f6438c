// @ts-check
// Forms of a chart: what a line of vital signs is understood as while it is typed, what was charted before
// under what is being typed, and drafts of notes kept as they grow. What is typed goes in the body of a
// POST. Without this each form does the same by its buttons.

const PREVIEW_MS = 350;
const OFFER_MS = 150;
/** A draft is kept this long after the last letter, and while somebody writes on, this often. */
const DRAFT_MS = 2000;
const DRAFT_MAX_MS = 15000;

/** @type {{ createHTML: (text: string) => any }} */
const pieces =
  // @ts-ignore: not in every browser's types yet
  globalThis.trustedTypes?.createPolicy("fragment", { createHTML: (/** @type {string} */ text) => text }) ??
  { createHTML: (text) => text };

/**
 * @param {string} action
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} more
 * @param {AbortSignal} [signal]
 */
const post = (action, form, more, signal) => {
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  return fetch(action, { method: "POST", headers: { "X-Fragment": "1" }, body, signal, redirect: "error" });
};

/** The newest question alone is answered. */
const newest = () => {
  /** @type {AbortController | null} */
  let asking = null;
  return () => {
    asking?.abort();
    asking = new AbortController();
    return asking.signal;
  };
};

/** @param {HTMLFormElement} form */
const previews = (form) => {
  const line = form.elements.namedItem("line");
  const into = document.getElementById(form.dataset.preview ?? "");
  if (!(line instanceof HTMLInputElement) || !into) return;
  const next = newest();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  const ask = async () => {
    try {
      const answer = await post(form.action, form, { do: "check" }, next());
      if (answer.ok) into.innerHTML = pieces.createHTML(await answer.text());
    } catch {
      // The button asks again, and says what went wrong.
    }
  };
  line.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => void ask(), PREVIEW_MS);
  });
};

/** @param {HTMLFormElement} form */
const offers = (form) => {
  const input = form.elements.namedItem("what");
  const coded = form.elements.namedItem("coded");
  const list = document.getElementById("offers");
  const said = document.getElementById("coded-said");
  if (!(input instanceof HTMLInputElement) || !(coded instanceof HTMLInputElement) || !list || !said) return;
  const next = newest();
  let chosen = -1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "offers");
  input.setAttribute("aria-expanded", "false");
  const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=option]")]);
  const say = () => {
    const isCoded = coded.value === "yes";
    said.textContent = input.value.trim() ? ((isCoded ? said.dataset.coded : said.dataset.free) ?? "") : "";
  };
  const close = () => {
    next();
    clearTimeout(pause);
    list.hidden = true;
    list.replaceChildren();
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  /** @param {number} at */
  const mark = (at) => {
    const all = options();
    chosen = all.length ? (at + all.length) % all.length : -1;
    all.forEach((one, i) => one.setAttribute("aria-selected", String(i === chosen)));
    const one = all[chosen];
    if (!one) return;
    input.setAttribute("aria-activedescendant", one.id);
    one.scrollIntoView({ block: "nearest" });
  };
  /** @param {HTMLElement | undefined} one */
  const take = (one) => {
    if (!one) return;
    input.value = one.dataset.text ?? "";
    coded.value = one.dataset.coded ?? "no";
    close();
    say();
  };
  const ask = async () => {
    try {
      const answer = await post(form.dataset.suggest ?? "", form, {}, next());
      if (!answer.ok) return;
      list.innerHTML = pieces.createHTML(await answer.text());
      chosen = -1;
      list.hidden = options().length === 0;
      input.setAttribute("aria-expanded", String(!list.hidden));
    } catch {
      // What is typed is kept as it is typed.
    }
  };
  input.addEventListener("input", () => {
    coded.value = "no";
    say();
    clearTimeout(pause);
    if (input.value.trim().length < 2) return close();
    pause = setTimeout(() => void ask(), OFFER_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? -1 : chosen - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(options()[chosen]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
  });
  // Before the field loses the focus.
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const one = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (one instanceof HTMLElement) take(one);
  });
  input.addEventListener("blur", close);
  say();
};

/** @param {HTMLFormElement} form */
const drafts = (form) => {
  const said = document.getElementById(form.dataset.draft ?? "");
  const version = form.elements.namedItem("version");
  if (!said || !(version instanceof HTMLInputElement)) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  let since = 0;
  let isKeeping = false;
  let isDirty = false;
  let isOver = false;
  const keep = async () => {
    // One at a time: each replaces the version that the last one made.
    if (isKeeping || isOver || !isDirty) return;
    isKeeping = true;
    isDirty = false;
    since = 0;
    try {
      const answer = await post(form.action, form, { do: "draft" });
      if (!answer.ok && answer.status !== 409 && answer.status !== 413) throw new Error("refused");
      said.innerHTML = pieces.createHTML(await answer.text());
      const made = said.querySelector("[data-version]");
      if (answer.ok && made instanceof HTMLElement) version.value = made.dataset.version ?? version.value;
      // Another window has it, or it is too long: nothing is overwritten, and the button says more.
      if (!answer.ok) isOver = true;
    } catch {
      isDirty = true;
      said.textContent = form.dataset.broken ?? "";
    }
    isKeeping = false;
    if (isDirty && !isOver) later();
  };
  const later = () => {
    clearTimeout(pause);
    const waited = since ? performance.now() - since : 0;
    pause = setTimeout(() => void keep(), Math.max(0, Math.min(DRAFT_MS, DRAFT_MAX_MS - waited)));
  };
  form.addEventListener("input", () => {
    isDirty = true;
    since ||= performance.now();
    later();
  });
  form.addEventListener("submit", (event) => {
    // The version of a draft that is being kept is not known yet.
    if (isKeeping) {
      event.preventDefault();
      const by = event.submitter;
      setTimeout(() => {
        delete form.dataset.sent;
        form.requestSubmit(by);
      }, 150);
      return;
    }
    isOver = true;
    clearTimeout(pause);
  });
  addEventListener("pagehide", () => {
    if (isDirty && !isKeeping && !isOver) {
      const body = new URLSearchParams(/** @type {any} */ (new FormData(form)));
      body.set("do", "draft");
      void fetch(form.action, { method: "POST", headers: { "X-Fragment": "1" }, body, keepalive: true });
    }
  });
  addEventListener("pageshow", () => {
    isOver = false;
  });
};

for (const form of document.querySelectorAll("form")) {
  if (form.dataset.preview) previews(form);
  if (form.dataset.suggest) offers(form);
  if (form.dataset.draft) drafts(form);
}
