// @ts-check
// A kiosk goes back to its first page when nobody has touched it for a minute; the last of it is counted
// where it is seen. Without this script the browser goes back by itself.
const main = document.querySelector("main[data-idle]");
if (main) {
  const all = Number(main.dataset.idle);
  const shown = document.getElementById("idle-left");
  let left = all;
  const stay = () => {
    left = all;
    if (shown) shown.textContent = String(left);
  };
  for (const what of ["pointerdown", "keydown", "input"]) addEventListener(what, stay, { passive: true });
  stay();
  setInterval(() => {
    left -= 1;
    if (shown) shown.textContent = String(Math.max(left, 0));
    if (left <= 0) location.replace("/kiosk");
  }, 1000);
}
