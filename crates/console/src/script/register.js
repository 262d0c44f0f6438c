// @ts-check
// Registering: who may be here already is shown while one types, and a picture of a card is made smaller
// before it is sent. What is typed goes in the body of a POST; an answer that comes late is not shown.

/** A pause in typing after which is asked. */
const PAUSE_MS = 350;
/** Pixels of the longer side of a picture: a card is read well. */
const SIDE_MAX = 1600;
/** How much of a picture is kept when it is made smaller. */
const QUALITY = 0.82;

/** @param {HTMLFormElement} form @param {HTMLElement} place */
const watch = (form, place) => {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  let asked = 0;

  const ask = () => {
    asked += 1;
    const mine = asked;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
    // A document is asked for, so that no text of it is made markup here.
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-Fragment", "1");
    request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.responseType = "document";
    request.addEventListener("load", () => {
      const found = request.status === 200 ? request.response?.getElementById("possible-list") : null;
      if (mine === asked && found) place.replaceChildren(document.adoptNode(found));
    });
    request.send(body.toString());
  };

  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(ask, PAUSE_MS);
  });
};

/** @param {HTMLInputElement} input */
const shrink = async (input) => {
  const file = input.files?.[0];
  if (!file) return;
  try {
    const picture = await createImageBitmap(file);
    const by = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * by);
    canvas.height = Math.round(picture.height * by);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    /** @type {Blob | null} */
    const small = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (!small || small.size >= file.size) return;
    const files = new DataTransfer();
    files.items.add(new File([small], "card.jpg", { type: "image/jpeg" }));
    input.files = files.files;
  } catch {
    // No picture, as far as this browser knows: the server says so beside the field.
  }
};

const form = document.querySelector("[data-intake]");
const place = document.getElementById("possible");
if (form instanceof HTMLFormElement && place) watch(form, place);
for (const input of document.querySelectorAll("input[data-shrink]")) {
  if (input instanceof HTMLInputElement) input.addEventListener("change", () => void shrink(input));
}
