// Theme, and what lights up together: an arc, its cause, and the turn it moved. All words stand in the HTML already.

const byId = (id) => document.getElementById(id);
const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = "";
let at = -1;

function setTheme() {
  const theme = chosen || (system.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

function toggleTheme() {
  chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setTheme();
}

/** Put out all lights. */
function dim() {
  for (const one of document.querySelectorAll(".lit, .lit-felt")) one.classList.remove("lit", "lit-felt");
  for (const one of document.querySelectorAll(".spoken")) one.textContent = "";
}

/** Light an arc or a link to a cause: the cause, the turn it moved, and its words below the picture. */
function light(link) {
  dim();
  link.classList.add("lit");
  byId(link.dataset.cause)?.classList.add("lit");
  byId(link.dataset.felt)?.classList.add("lit-felt");
  const line = link.closest(".talk").querySelector(".spoken");
  if (line) line.textContent = link.getAttribute("aria-label") || link.textContent;
}

/** Go to the next turn with a shift or a cause, or to the one before. */
function jump(by) {
  const places = [...document.querySelectorAll(".said.moved")];
  if (!places.length) return;
  at = (at + by + places.length) % places.length;
  dim();
  places[at].classList.add("lit");
  places[at].scrollIntoView({ block: "center" });
  places[at].querySelector(".number").focus({ preventScroll: true });
}

const KEYS = { "]": () => jump(1), "[": () => jump(at < 0 ? 0 : -1), d: toggleTheme, Escape: dim };

for (const kind of ["pointerover", "focusin", "click"]) {
  document.addEventListener(kind, (event) => {
    const link = event.target.closest("[data-cause]");
    if (link) light(link);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
byId("theme").addEventListener("click", toggleTheme);
byId("paper").addEventListener("click", () => print());
system.addEventListener("change", setTheme);
setTheme();
document.documentElement.dataset.ready = "yes";
