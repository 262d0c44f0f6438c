// @ts-check
// A signature drawn on the pad of a consent: lines by pointer, kept as whole numbers in the form. The pad is
// there only with this script; who cannot draw signs the printed sheet.

/** Points that are kept: as many as the server takes. */
const POINTS_MAX = 2000;
/** Strokes that are kept. */
const STROKES_MAX = 100;
/** How far the pen moves before another point is kept. */
const STEP = 3;

/** @param {HTMLElement} field @param {SVGSVGElement} pad @param {HTMLInputElement} kept */
const sign = (field, pad, kept) => {
  /** @type {number[][][]} */
  const strokes = [];
  let points = 0;
  /** @type {Element | null} */
  let line = null;
  const box = pad.viewBox.baseVal;

  /** @param {PointerEvent} event */
  const at = (event) => {
    const seen = pad.getBoundingClientRect();
    const fit = (/** @type {number} */ value, /** @type {number} */ max) => Math.max(0, Math.min(max - 1, Math.round(value)));
    return [
      fit(((event.clientX - seen.left) / seen.width) * box.width, box.width),
      fit(((event.clientY - seen.top) / seen.height) * box.height, box.height),
    ];
  };

  const keep = () => {
    kept.value = strokes.map((stroke) => stroke.map((point) => point.join(",")).join(" ")).join(";");
  };

  const draw = () => {
    const stroke = strokes[strokes.length - 1];
    line?.setAttribute("d", `M${stroke.map((point) => point.join(" ")).join("L")}`);
  };

  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || points >= POINTS_MAX || strokes.length >= STROKES_MAX) return;
    pad.setPointerCapture(event.pointerId);
    line = pad.appendChild(document.createElementNS(pad.namespaceURI, "path"));
    strokes.push([at(event)]);
    points += 1;
    draw();
    event.preventDefault();
  });

  pad.addEventListener("pointermove", (event) => {
    if (!line || !event.isPrimary || points >= POINTS_MAX) return;
    const stroke = strokes[strokes.length - 1];
    const [x, y] = at(event);
    const [px, py] = stroke[stroke.length - 1];
    if (Math.abs(x - px) + Math.abs(y - py) < STEP) return;
    stroke.push([x, y]);
    points += 1;
    draw();
  });

  for (const name of ["pointerup", "pointercancel"]) {
    pad.addEventListener(name, () => {
      line = null;
      keep();
    });
  }

  field.querySelector("[data-clear]")?.addEventListener("click", () => {
    strokes.length = 0;
    points = 0;
    pad.replaceChildren();
    keep();
  });
  field.hidden = false;
};

for (const field of document.querySelectorAll("[data-pad]")) {
  const pad = field.querySelector("svg.draws");
  const kept = field.querySelector("input");
  if (field instanceof HTMLElement && pad instanceof SVGSVGElement && kept instanceof HTMLInputElement) sign(field, pad, kept);
}
