// Colours of the theme and of paper, patterns, and canvases that are sharp on any screen. Knows no record.

const PAPER = { ink: "#111111", soft: "#444444", line: "#cccccc", sunk: "#eeeeee", hatch: "#8a8a8a", panel: "#ffffff" };
const paint = { theme: {}, patterns: false, paper: false, made: new Map() };
const FONT = 'ui-sans-serif, system-ui, "Segoe UI", "Helvetica Neue", "Noto Sans", Arial, sans-serif';
const PAPER_WIDTH = 540;

/** Read the colours of the theme from the style sheet. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of Object.keys(PAPER)) paint.theme[name] = style.getPropertyValue(`--${name}`).trim();
  paint.made.clear();
}

const colours = () => (paint.paper ? PAPER : paint.theme);
const patterned = () => paint.patterns || paint.paper;

/** Give a canvas the pixels of its place and return its context and size; null where it has no place. */
function surface(canvas) {
  const width = paint.paper ? PAPER_WIDTH : canvas.clientWidth;
  const height = canvas.clientHeight || parseFloat(canvas.style.height) || 0;
  if (!width || !height) return null;
  const ratio = paint.paper ? 2 : window.devicePixelRatio || 1;
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineWidth = 1;
  return { pen, width, height, ratio };
}

const STROKES = {
  gap: [[0, 6, 6, 0], [-1, 1, 1, -1], [5, 7, 7, 5]],
  1: [[3, 0, 3, 6]],
  2: [[0, 3, 6, 3]],
  3: [[0, 0, 6, 6], [-1, 5, 1, 7], [5, -1, 7, 1]],
  4: [[0, 3, 6, 3], [3, 0, 3, 6]],
  5: "dots",
  6: [[0, 6, 3, 0], [3, 0, 6, 6]],
  7: [[0, 0, 6, 6], [0, 6, 6, 0]],
  8: "rings",
};

/** Return the fill of a pattern, or of the gaps, in a colour. */
function fillOf(pen, ratio, kind, colour) {
  const key = `${kind} ${colour} ${ratio}`;
  if (!paint.made.has(key)) {
    const tile = make("canvas", { width: Math.round(6 * ratio), height: Math.round(6 * ratio) });
    const ink = tile.getContext("2d");
    ink.scale(tile.width / 6, tile.height / 6);
    ink.strokeStyle = ink.fillStyle = colour;
    ink.beginPath();
    if (STROKES[kind] === "dots") ink.arc(3, 3, 1.1, 0, 7);
    else if (STROKES[kind] === "rings") ink.arc(3, 3, 1.8, 0, 7);
    else for (const [a, b, c, d] of STROKES[kind] || []) ink.moveTo(a, b), ink.lineTo(c, d);
    if (STROKES[kind] === "dots") ink.fill();
    else ink.stroke();
    const pattern = pen.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(6 / tile.width));
    paint.made.set(key, pattern);
  }
  return paint.made.get(key);
}

/** Return black or white, whichever is read better on a colour (WCAG 2.2, relative luminance). */
function inkOn(colour) {
  const parts = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255);
  const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) / 0.0556 >= 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05)
    ? "#111111"
    : "#ffffff";
}
data.labels.forEach((label) => (label.ink = inkOn(label.colour)));
