// @ts-check
// A wall fetches its board again and again. While nobody answers it says so and tries on; when it is told that
// it is no wall any more, or shows no board yet, it asks for its whole page.
const REST_MS = 30_000;

const look = () => {
  const board = /** @type {HTMLElement | null} */ (document.querySelector("[data-wall]"));
  const asking = new XMLHttpRequest();
  asking.open("GET", "/wall");
  if (board) asking.setRequestHeader("X-Fragment", "1");
  asking.responseType = "document";
  asking.onloadend = () => {
    const found = asking.status === 200 ? asking.response?.getElementById("flow") : null;
    document.getElementById("wall-off")?.remove();
    if (board && found) board.replaceWith(document.adoptNode(found));
    else if (found || asking.status === 403) location.reload();
    else if (board) {
      const say = document.createElement("p");
      say.id = "wall-off";
      say.className = "notice is-warning";
      say.setAttribute("role", "status");
      say.textContent = board.dataset.off ?? "";
      board.before(say);
    }
    setTimeout(look, REST_MS);
  };
  asking.send();
};
setTimeout(look, REST_MS);
