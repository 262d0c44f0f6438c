// @ts-check
// What changes is seen as it happens: a part of a page names the topics it shows, and is fetched again when
// one stirs. One connection for all windows of a browser: the window that holds the lock listens and tells
// the others. What comes names records and says nothing of them; each window fetches under its own sign-in,
// and says that nobody pressed anything, so that a screen left alone is signed out all the same.

/** A pause before fetching: changes come in bunches, and many desks see the same one. */
const PAUSE_MS = 250;
/** And no oftener than this. */
const REST_MS = 2000;
/** A stream says that it is there every fifteen seconds. */
const SILENT_MS = 45_000;
/** How long what was told is told again to windows that come later. */
const TOLD_MS = 10_000;
/** Before a stream that was refused is asked for again; twice as long each time. */
const RETRY_MS = [5_000, 300_000];

/** @typedef {{ topics: string[], at: number } | { asks: true } | { is: "on" | "off" }} Told */

const parts = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-live]")]);
const channel = new BroadcastChannel("plummer-live");
let wants = false;
let fetched = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

/** Whether somebody is about to do something in a part. @param {HTMLElement} part */
const isBusy = (part) => {
  const at = document.activeElement;
  const types = at instanceof HTMLElement && part.contains(at) && at.matches("input, select, textarea");
  return types || part.querySelector("details.stay-more[open]") !== null;
};

/** The part as it is now. A document made this way runs nothing, whatever is in it. @param {HTMLElement} part */
const fetchPart = (part) =>
  new Promise((done) => {
    const asking = new XMLHttpRequest();
    asking.open("GET", part.dataset.from ?? location.href);
    asking.setRequestHeader("X-Fragment", "1");
    asking.setRequestHeader("X-Live", "1");
    asking.responseType = "document";
    asking.onloadend = () => {
      const found = asking.status === 200 ? asking.response?.getElementById(part.id) : null;
      if (asking.status === 401) off();
      if (found && document.contains(part) && !isBusy(part)) {
        const held = part.contains(document.activeElement) ? document.activeElement?.id : "";
        const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
        part.replaceWith(document.adoptNode(found));
        if (held) document.getElementById(held)?.focus();
        for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      } else if (found) wants = true;
      done(undefined);
    };
    asking.send();
  });

const look = async () => {
  waiting = undefined;
  if (document.hidden) return;
  const busy = parts().filter(isBusy);
  wants = busy.length > 0;
  fetched = Date.now();
  await Promise.all(parts().filter((part) => !busy.includes(part)).map(fetchPart));
  tick();
  if (wants) soon();
};

const soon = () => {
  wants = true;
  if (waiting !== undefined || document.hidden) return;
  const rest = Math.max(0, fetched + REST_MS - Date.now());
  waiting = setTimeout(() => void look(), Math.max(PAUSE_MS + Math.random() * PAUSE_MS, rest));
};

/** @param {string[]} topics */
const stirred = (topics) => {
  const shown = parts().flatMap((part) => (part.dataset.live ?? "").split(" "));
  if (topics.includes("*") || shown.some((topic) => topics.includes(topic))) soon();
};

/** Says that the page is not live any more, once. */
const off = () => {
  for (const part of parts()) {
    if (!part.dataset.off || document.getElementById("live-off")) continue;
    const say = document.createElement("p");
    say.id = "live-off";
    say.className = "notice is-warning";
    say.setAttribute("role", "status");
    say.textContent = part.dataset.off;
    part.before(say);
  }
};
const on = () => document.getElementById("live-off")?.remove();

/** Minutes go on without asking anybody; the clock is the server's. */
const tick = () => {
  for (const part of parts()) {
    const mine = Number((part.dataset.mine ??= String(Date.now())));
    const now = Number(part.dataset.now) + Date.now() - mine;
    for (const one of /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll("[data-since]"))) {
      const minutes = Math.max(0, Math.floor((now - Number(one.dataset.since)) / 60_000));
      const text = one.querySelector(".number");
      if (text) text.textContent = (part.dataset.minutes ?? "{}").replace("{}", String(minutes));
      const waits = one.hasAttribute("data-waits");
      one.classList.toggle("is-long", waits && minutes >= 15 && minutes < 30);
      one.classList.toggle("is-very-long", waits && minutes >= 30);
    }
  }
};

/** Listens for all windows, until this one closes. */
const listen = () => {
  /** @type {{ topics: string[], at: number }[]} */
  let recent = [];
  let retry = RETRY_MS[0];
  let heard = Date.now();
  /** @type {EventSource | undefined} */
  let source;
  const is = (/** @type {"on" | "off"} */ what) => {
    channel.postMessage({ is: what });
    (what === "on" ? on : off)();
  };
  /** @param {MessageEvent} event */
  const told = (event) => {
    heard = Date.now();
    const { topics } = JSON.parse(event.data);
    const one = { topics, at: heard };
    recent = [...recent.filter((old) => old.at > heard - TOLD_MS), one];
    channel.postMessage(one);
    stirred(topics);
  };
  const open = () => {
    const after = parts()[0]?.dataset.after ?? "";
    source = new EventSource(`/events?after=${encodeURIComponent(after)}`);
    source.addEventListener("change", told);
    source.addEventListener("reload", told);
    source.addEventListener("beat", () => {
      heard = Date.now();
      retry = RETRY_MS[0];
      is("on");
    });
    // A stream that broke off is opened again by the browser; one that was refused is not.
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      is("off");
      setTimeout(open, retry + Math.random() * retry);
      retry = Math.min(retry * 2, RETRY_MS[1]);
    };
  };
  open();
  setInterval(() => {
    if (Date.now() - heard < SILENT_MS || source?.readyState === EventSource.CLOSED) return;
    heard = Date.now();
    is("off");
    source?.close();
    open();
  }, SILENT_MS / 3);
  channel.addEventListener("message", ({ data }) => {
    if (!data.asks) return;
    for (const one of recent) if (one.at > Date.now() - TOLD_MS) channel.postMessage(one);
  });
};

if (parts().length && navigator.locks && globalThis.EventSource) {
  channel.addEventListener("message", (/** @type {MessageEvent<Told>} */ { data }) => {
    if ("topics" in data) stirred(data.topics);
    if ("is" in data) (data.is === "on" ? on : off)();
  });
  channel.postMessage({ asks: true });
  // The lock is held until the window goes; then the next one has it.
  void navigator.locks.request("plummer-live", () => new Promise(() => listen()));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && wants) soon();
  });
}
setInterval(tick, 15_000);
tick();

const full = document.querySelector("[data-full]");
if (full && document.fullscreenEnabled) {
  full.removeAttribute("hidden");
  full.addEventListener("click", () => void document.documentElement.requestFullscreen());
}
