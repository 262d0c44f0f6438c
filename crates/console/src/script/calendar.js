// @ts-check
// The grid of the schedule: an appointment is moved by the mouse, or by the keyboard (M, arrows, Enter,
// Escape), and either way ends in the form that stands on the page, sent as a person would send it. A press
// on free time begins a booking at the quarter of an hour that was pressed.

/** Minutes of one step. */
const STEP = 15;
/** Pixels after which a press is a drag. */
const DRAG_PX = 5;

const form = document.getElementById("cal-move");
const said = document.getElementById("cal-said");

/** @param {Element} body */
const gridOf = (body) => {
  const cal = body.closest(".cal");
  const first = cal instanceof HTMLElement ? Number(cal.dataset.first) : 0;
  const last = cal instanceof HTMLElement ? Number(cal.dataset.last) : 24;
  return { cal, from: first * 60, until: last * 60 };
};

/** @param {number} minute */
const clock = (minute) => new Date(minute * 60_000).toISOString().slice(11, 16);

/**
 * The minute of the day at a height of the page.
 * @param {Element} body
 * @param {number} y
 */
const minuteAt = (body, y) => {
  const { from, until } = gridOf(body);
  const box = body.getBoundingClientRect();
  return from + ((y - box.top) / box.height) * (until - from);
};

/**
 * @param {HTMLElement} item
 * @param {HTMLElement} form
 * @param {HTMLElement} said
 */
const lift = (item, form, said) => {
  const home = /** @type {HTMLElement} */ (item.closest(".cal-body"));
  const long = Number(item.dataset.long);
  const start = Number(item.dataset.from);
  const ghost = /** @type {HTMLElement} */ (item.cloneNode(true));
  for (const name of [...ghost.classList]) if (/^(lane|of)-/.test(name)) ghost.classList.remove(name);
  ghost.classList.add("cal-ghost");
  ghost.setAttribute("aria-hidden", "true");
  ghost.querySelector("a")?.setAttribute("tabindex", "-1");
  item.classList.add("cal-lift");
  let body = home;
  let at = start;

  const put = () => {
    const { from, until } = gridOf(body);
    at = Math.max(from, Math.min(at, until - Math.min(long, until - from)));
    for (const name of [...ghost.classList]) if (/^[hm]-/.test(name)) ghost.classList.remove(name);
    const rest = at - from;
    ghost.classList.add(`h-${Math.floor(rest / 60)}`, `m-${Math.floor((rest % 60) / 5)}`);
    if (ghost.parentElement !== body) body.append(ghost);
    const number = ghost.querySelector(".number");
    if (number) number.textContent = clock(at);
  };
  const tell = () => {
    ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
    said.textContent = `${clock(at)}–${clock(at + long)} · ${body.dataset.title ?? ""}`;
  };
  put();

  return {
    /** @param {HTMLElement} where @param {number} minute */
    to: (where, minute) => {
      const next = Math.round(minute / STEP) * STEP;
      if (where === body && next === at) return;
      body = where;
      at = next;
      put();
      tell();
    },
    /** @param {number} minutes */
    by: (minutes) => {
      at = minutes > 0 ? Math.floor(at / STEP) * STEP + minutes : Math.ceil(at / STEP) * STEP + minutes;
      put();
      tell();
    },
    /** @param {number} columns */
    over: (columns) => {
      const all = [...(gridOf(body).cal?.querySelectorAll(".cal-col > .cal-body") ?? [])];
      const next = all[all.indexOf(body) + columns];
      if (next instanceof HTMLElement) body = next;
      put();
      tell();
    },
    back: () => {
      ghost.remove();
      item.classList.remove("cal-lift");
      said.textContent = form.dataset.kept ?? "";
    },
    drop: () => {
      if (body === home && at === start) return false;
      const fields = /** @type {HTMLFormElement} */ (form).elements;
      /** @param {string} name @param {string | undefined} value */
      const fill = (name, value) => {
        const field = fields.namedItem(name);
        if (field instanceof HTMLInputElement) field.value = value ?? "";
      };
      /** @type {HTMLFormElement} */ (form).action = `/appointments/${item.dataset.id}/move`;
      fill("version", item.dataset.version);
      fill("date", body.dataset.date);
      fill("time", clock(at));
      fill("from", home.dataset.actor);
      fill("with", body.dataset.actor);
      fill("site", body.dataset.site);
      /** @type {HTMLFormElement} */ (form).requestSubmit();
      return true;
    },
  };
};

/**
 * @param {HTMLElement} form
 * @param {HTMLElement} said
 */
const begin = (form, said) => {
  /** @type {ReturnType<typeof lift> | null} */
  let lifted = null;
  let byKeys = false;
  /** @type {{ item: HTMLElement, x: number, y: number, grab: number } | null} */
  let pressed = null;
  let dragged = false;

  const leave = () => {
    lifted?.back();
    lifted = null;
    pressed = null;
    byKeys = false;
  };

  document.addEventListener("pointerdown", (event) => {
    dragged = false;
    const item = event.target instanceof Element ? event.target.closest("[data-moves]") : null;
    const body = item?.closest(".cal-body");
    if (lifted) leave();
    if (!(item instanceof HTMLElement) || !body || event.button !== 0 || event.pointerType === "touch") return;
    const grab = minuteAt(body, event.clientY) - Number(item.dataset.from);
    pressed = { item, x: event.clientX, y: event.clientY, grab };
  });
  document.addEventListener("pointermove", (event) => {
    if (!pressed || byKeys) return;
    const far = Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y);
    if (!lifted && far < DRAG_PX) return;
    // A narrow page has no grid to move in.
    if (getComputedStyle(pressed.item).position !== "absolute") return;
    lifted ??= lift(pressed.item, form, said);
    dragged = true;
    event.preventDefault();
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".cal-col > .cal-body");
    if (under instanceof HTMLElement) lifted.to(under, minuteAt(under, event.clientY) - pressed.grab);
  });
  document.addEventListener("pointerup", () => {
    if (lifted && !byKeys && !lifted.drop()) leave();
    pressed = null;
  });
  document.addEventListener("pointercancel", leave);

  document.addEventListener(
    "click",
    (event) => {
      const at = event.target instanceof Element ? event.target : null;
      if (dragged) {
        // The press that ended a drag opens nothing.
        if (at?.closest(".cal")) event.preventDefault();
        dragged = false;
        return;
      }
      const free = at?.closest("a[data-book]");
      const body = free?.closest(".cal-body");
      if (!(free instanceof HTMLAnchorElement) || !body || event.detail === 0) return;
      if (getComputedStyle(free.parentElement ?? free).position !== "absolute") return;
      const from = Number(free.parentElement?.dataset.from);
      const minute = Math.floor(minuteAt(body, event.clientY) / STEP) * STEP;
      const to = new URL(free.href);
      to.searchParams.set("time", clock(Math.max(from, minute)));
      free.href = to.href;
    },
    true,
  );

  document.addEventListener(
    "keydown",
    (event) => {
      const item = event.target instanceof Element ? event.target.closest("[data-moves]") : null;
      if (!lifted) {
        const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
        const isOff = document.documentElement.dataset.keys === "off";
        if (event.key.toLowerCase() !== "m" || !plain || isOff || !(item instanceof HTMLElement)) return;
        if (getComputedStyle(item).position !== "absolute") return;
        event.preventDefault();
        lifted = lift(item, form, said);
        byKeys = true;
        said.textContent = form.dataset.how ?? "";
        return;
      }
      const steps = /** @type {Record<string, () => void>} */ ({
        ArrowUp: () => lifted?.by(-STEP),
        ArrowDown: () => lifted?.by(STEP),
        ArrowLeft: () => lifted?.over(-1),
        ArrowRight: () => lifted?.over(1),
        Escape: leave,
        Tab: leave,
        Enter: () => {
          if (!lifted?.drop()) leave();
        },
      });
      const step = steps[event.key];
      if (!step) return;
      if (event.key !== "Tab") event.preventDefault();
      event.stopPropagation();
      step();
    },
    true,
  );

  // The page begins where the day is.
  for (const cal of document.querySelectorAll(".cal")) {
    const now = cal.querySelector(".cal-now");
    if (now instanceof HTMLElement) cal.scrollTop = Math.max(0, now.offsetTop - cal.clientHeight / 3);
  }
};

// A hold whose time has passed holds nothing: it goes without the page being read anew.
for (const hold of document.querySelectorAll("[data-left]")) {
  if (hold instanceof HTMLElement) setTimeout(() => hold.remove(), Number(hold.dataset.left));
}

if (form instanceof HTMLFormElement && said instanceof HTMLElement) begin(form, said);
