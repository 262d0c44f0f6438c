// Measures of a page that no picture is needed for: what is cut, what lies over something else, what is
// too small to hit, and how the focus is shown. Evaluated by the tests in the page; no part of it.
(() => {
  "use strict";
  const shown = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  // What is there for assistive technology alone is one pixel large.
  const tiny = (r) => r.width <= 1 || r.height <= 1;
  const named = (e) => {
    const words = (e.getAttribute("aria-label") || e.innerText || e.value || e.id || "").trim();
    return e.tagName.toLowerCase() + " “" + words.slice(0, 40) + "”";
  };
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [role=button], [role=link], [role=checkbox], [role=tab], [role=menuitem], [role=option]";
  const controls = () => [...document.querySelectorAll(CONTROLS)]
    .filter((e) => shown(e) && !tiny(e.getBoundingClientRect()) && !e.disabled);

  // WCAG 1.4.10: in one column nobody scrolls in two directions.
  function sideways() {
    const root = document.documentElement;
    const over = root.scrollWidth - root.clientWidth;
    if (over <= 1) return [];
    const wide = [...document.body.querySelectorAll("*")]
      .filter((e) => shown(e) && e.getBoundingClientRect().right > root.clientWidth + 1);
    const who = wide.length ? named(wide[wide.length - 1]) : "the page";
    return [`it scrolls sideways by ${over} px, with ${who}`];
  }

  function cut() {
    const found = [];
    for (const e of document.body.querySelectorAll("*")) {
      const words = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
      if (!words || !shown(e) || tiny(e.getBoundingClientRect())) continue;
      // An element, or a box around it, that shows no more than its own size.
      for (let box = e; box && box !== document.body; box = box.parentElement) {
        const style = getComputedStyle(box);
        const hides = (way) => way === "hidden" || way === "clip";
        const whole = box.title || box.getAttribute("aria-label");
        const told = style.textOverflow === "ellipsis" && whole;
        const range = document.createRange();
        range.selectNodeContents(e);
        const text = range.getBoundingClientRect(), frame = box.getBoundingClientRect();
        const x = hides(style.overflowX) && !told && (text.right > frame.right + 1 || text.left < frame.left - 1);
        const y = hides(style.overflowY) && (text.bottom > frame.bottom + 1 || text.top < frame.top - 1);
        if (x || y) { found.push(`its text is cut: ${named(e)}`); break; }
      }
    }
    return found;
  }

  function overlaps() {
    const all = controls().map((e) => [e, e.getBoundingClientRect()]);
    const found = [];
    for (const [i, [a, p]] of all.entries()) {
      for (const [b, q] of all.slice(i + 1)) {
        if (a.contains(b) || b.contains(a)) continue;
        const fixed = (e) => { for (; e; e = e.parentElement) if (/fixed|sticky/.test(getComputedStyle(e).position)) return true; return false; };
        const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        // A bar that stays lies over what is scrolled; whether it hides the focus is asked elsewhere.
        if (wide > 1 && high > 1 && fixed(a) === fixed(b)) found.push(`${named(a)} lies over ${named(b)}`);
      }
    }
    return found;
  }

  // WCAG 2.5.8: 24 by 24, but for links within a sentence; a label is a part of what it labels.
  function small(least) {
    const found = [];
    for (const e of controls()) {
      const inSentence = e.tagName === "A" && getComputedStyle(e).display === "inline";
      if (inSentence || e.tabIndex < 0) continue;
      let { left, right, top, bottom } = e.getBoundingClientRect();
      for (const label of e.labels || []) {
        const r = label.getBoundingClientRect();
        left = Math.min(left, r.left); right = Math.max(right, r.right);
        top = Math.min(top, r.top); bottom = Math.max(bottom, r.bottom);
      }
      const [width, height] = [right - left, bottom - top];
      if (width < least - 0.5 || height < least - 0.5) {
        found.push(`${named(e)} is ${Math.round(width)} by ${Math.round(height)} px`);
      }
    }
    return found;
  }

  // WCAG 1.4.12: a reader sets these, and nothing may be lost.
  function spaced(on) {
    const sheets = document.adoptedStyleSheets.filter((s) => !s.ofTests);
    if (on) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }");
      sheet.ofTests = true;
      sheets.push(sheet);
    }
    document.adoptedStyleSheets = sheets;
  }

  function moving() {
    const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
    return [...document.body.querySelectorAll("*")].filter((e) => {
      const s = getComputedStyle(e);
      return shown(e) && (lasts(s.transitionDuration) || s.animationName !== "none" && lasts(s.animationDuration));
    }).map((e) => `${named(e)} moves although less motion is asked for`);
  }

  // The looks of an element that a ring can show by.
  const LOOKS = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "backgroundColor", "borderTopColor", "textDecorationLine"];
  const look = (e) => { const s = getComputedStyle(e); return LOOKS.map((l) => s[l]); };
  const resting = new Map();
  // Before anything has the focus: how each that may have it looks. The next Tab begins at the top: what
  // lies behind the last stop is the browser's, and it comes back from there when it likes.
  function rest() {
    resting.clear();
    const body = document.body, had = body.getAttribute("tabindex");
    body.tabIndex = -1;
    body.focus({ preventScroll: true });
    if (had === null) body.removeAttribute("tabindex"); else body.setAttribute("tabindex", had);
    for (const e of controls()) resting.set(e, look(e));
  }

  const channels = (colour) => {
    const all = colour.match(/-?[\d.]+/g);
    return all && /^rgba?\(/.test(colour) ? all.map(Number) : null;
  };
  function luminance([r, g, b]) {
    const part = (c) => { const s = c / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  }
  function behind(e) {
    for (; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour && (colour[3] === undefined || colour[3] === 1)) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  }

  // WCAG 2.4.7, 2.4.11, 1.4.11: it is shown, not hidden, and can be told from what is behind it.
  function focused() {
    const e = document.activeElement, found = [];
    const r = e.getBoundingClientRect();
    const ring = tiny(r) && e.labels && e.labels.length ? e.labels[0] : e;
    const box = ring.getBoundingClientRect();
    if (tiny(box)) return ["nothing of it is seen"];
    const [w, h] = [innerWidth, innerHeight];
    if (box.bottom < 1 || box.right < 1 || box.top > h - 1 || box.left > w - 1) found.push("it is outside the window");
    else {
      const within = (low, high, most) => Math.min(Math.max((low + high) / 2, 1), most - 2);
      const top = document.elementFromPoint(within(box.left, box.right, w), within(box.top, box.bottom, h));
      const own = top && (ring.contains(top) || top.contains(ring) || [...(e.labels || [])].some((l) => l.contains(top)));
      if (!own) found.push("it is hidden behind " + (top ? named(top) : "nothing"));
    }
    const now = look(e), before = resting.get(e);
    const outline = now[0] !== "none" && parseFloat(now[1]) > 0;
    // The ring of the browser itself is of two colours, made to be seen on any.
    if (outline && now[0] !== "auto") {
      if (parseFloat(now[1]) < 2) found.push(`its ring is ${now[1]} wide`);
      const a = channels(now[2]), b = behind(e.parentElement);
      if (a) {
        const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
        const contrast = (x + 0.05) / (y + 0.05);
        if (contrast < 3) found.push(`its ring has a contrast of ${contrast.toFixed(1)}`);
      }
    }
    const differs = before && now.some((l, i) => i > 2 && l !== before[i]);
    if (!outline && !differs && ring === e) found.push("nothing shows that it has the focus");
    return found;
  }

  return { sideways, cut, overlaps, small, spaced, moving, rest, focused };
})()
