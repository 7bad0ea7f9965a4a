// Ties the parts together: theme, patterns, paper, keys.

const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = "";

/** Take the theme that was chosen on this page, or else that of the system. */
function setTheme(theme = chosen || (system.matches ? "dark" : "light")) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  readTheme();
  redraw();
  drawPlane(clock.now);
}

function toggleTheme() {
  chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setTheme(chosen);
}

function togglePatterns() {
  paint.patterns = !paint.patterns;
  byId("patterns").setAttribute("aria-pressed", paint.patterns);
  redraw();
}

/** Draw all lanes whole, for paper, or again as they were. */
function setPaper(wanted) {
  if (paint.paper === wanted) return;
  paint.paper = wanted;
  document.documentElement.classList.toggle("paper", wanted);
  drawAll();
}

const FAR = { s: END < 60 ? [1, 5] : [5, 30], turn: [1, 10], char: [5, 50] }[data.unit];

const KEYS = {
  k: () => play(),
  " ": () => play(),
  ArrowLeft: (event) => seek(clock.now - FAR[event.shiftKey ? 1 : 0]),
  ArrowRight: (event) => seek(clock.now + FAR[event.shiftKey ? 1 : 0]),
  Home: () => seek(0),
  End: () => seek(END),
  "+": () => zoom(0.5),
  "=": () => zoom(0.5),
  "-": () => zoom(2),
  f: () => look(0, END),
  "[": () => jump(-1),
  "]": () => jump(1),
  e: () => data.people.length && prove(Math.max(0, state.focused), clock.now),
  p: () => togglePatterns(),
  d: () => toggleTheme(),
  "/": () => byId("search").focus(),
  "?": () => byId("help").showModal(),
  Escape: () => {
    if (state.focused >= 0) focusPerson(state.focused);
    shutEvidence();
  },
};

function onKey(event) {
  const field = event.target.closest("input[type=search], select, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || (field && event.key !== "Escape")) return;
  if (field) {
    if (field.type === "search") field.blur();
    return;
  }
  if (event.key === " " && event.target.closest("button, a, input[type=checkbox], summary")) return;
  const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  if (!digit && !KEYS[event.key]) return;
  event.preventDefault();
  if (digit) focusPerson(digit - 1);
  else KEYS[event.key](event);
}

readTheme();
startTransport();
startTimeline();
startLegend();
startNow();
startTranscript();
openMedia();
setTheme();
system.addEventListener("change", () => setTheme());
document.addEventListener("keydown", onKey);
addEventListener("beforeprint", () => setPaper(true));
addEventListener("afterprint", () => setPaper(false));
matchMedia("print").addEventListener("change", (event) => setPaper(event.matches));
byId("theme").addEventListener("click", toggleTheme);
byId("patterns").addEventListener("click", togglePatterns);
byId("paper").addEventListener("click", () => print());
byId("ask").addEventListener("click", () => byId("help").showModal());
byId("shut").addEventListener("click", shutEvidence);
byId("moments").addEventListener("click", (event) => {
  const peak = event.target.closest(".peak");
  if (!peak) return;
  seek(Number(peak.dataset.at));
  prove(Number(peak.closest(".moments").dataset.who), clock.now);
});
tell();
document.documentElement.dataset.ready = "yes";
if (STILL && data.people.length) prove(0, 0.5);
