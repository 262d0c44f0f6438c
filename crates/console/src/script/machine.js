// @ts-check
// Pages about the machine look again by themselves: a piece of the page is fetched anew, while it is seen
// and nobody works in it. Where one reads and what has the focus stay.

/** Between two looks. */
const EVERY_MS = 15000;

/** @param {HTMLElement} live */
const look = async (live) => {
  const where = live.dataset.refresh ?? "";
  if (document.hidden || live.contains(document.activeElement)) return;
  const selected = getSelection();
  if (selected && !selected.isCollapsed && live.contains(selected.anchorNode)) return;
  try {
    const answer = await fetch(where, { headers: { "X-Fragment": "1" } });
    // Who was signed out is led to the page of signing in: that is no piece of this one.
    if (!answer.ok || answer.redirected) return;
    const text = await answer.text();
    if (live.contains(document.activeElement)) return;
    live.dispatchEvent(new CustomEvent("piece", { detail: text, bubbles: true }));
  } catch {
    // The server is away; the next look may find it.
  }
};

for (const live of document.querySelectorAll("[data-refresh]")) {
  if (live instanceof HTMLElement) setInterval(() => look(live), EVERY_MS);
}
