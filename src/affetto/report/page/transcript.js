// The transcript, which stands in the page: the turn of the moment, clicks, and the search.

const turns = [...document.querySelectorAll("#turns .turn")];
const placed = data.turns.map(([place], k) => ({ place, k })).filter((turn) => turn.place).sort((a, b) => a.place[0] - b.place[0]);

/** Turns that may begin while one of them still lasts. */
const OVERLAPPING = 40;

/** Return the turns at a moment, of one person if asked for. */
function turnsAt(time, who = -1) {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle].place[0] <= time + 1e-6) low = middle + 1;
    else high = middle;
  }
  const near = placed.slice(Math.max(0, low - OVERLAPPING), low);
  return near.filter(({ place, k }) => time < place[1] && (who < 0 || data.turns[k][1] === who));
}

const wordsOf = (k) => turns[k].querySelector("p").textContent;

function startTranscript() {
  const box = byId("turns");
  let shown = null;
  let over = false;
  box.addEventListener("pointerenter", () => (over = true));
  box.addEventListener("pointerleave", () => (over = false));
  box.addEventListener("click", (event) => {
    const turn = event.target.closest(".turn");
    if (!turn || (String(getSelection()) && event.target.tagName !== "BUTTON")) return;
    const [place, who] = data.turns[turn.dataset.k];
    if (place) seek(place[0]);
    prove(who, place ? Math.min(place[0] + 1e-3, (place[0] + place[1]) / 2) : clock.now, Number(turn.dataset.k));
  });
  onTime((now) => {
    const at = turnsAt(now)[0];
    const turn = at ? turns[at.k] : null;
    if (turn === shown) return;
    shown?.classList.remove("now");
    shown?.removeAttribute("aria-current");
    shown = turn;
    if (!turn) return;
    turn.classList.add("now");
    turn.setAttribute("aria-current", "true");
    if (!over && !turn.hidden) box.scrollTop = turn.offsetTop - box.clientHeight / 2 + turn.offsetHeight / 2;
  });
  byId("search").addEventListener("input", filterTurns);
  byId("differing").addEventListener("change", filterTurns);
  byId("differing").closest("label").hidden = !document.querySelector(".turn .flag");
  byId("differing").closest("label").style.display = document.querySelector(".turn .flag") ? "" : "none";
}

/** Show the turns that hold what is searched for, and mark it in them. */
function filterTurns() {
  const wanted = byId("search").value.trim().toLocaleLowerCase();
  const differing = byId("differing").checked;
  let count = 0;
  turns.forEach((turn, k) => {
    const text = wordsOf(k);
    const who = personName(data.people[data.turns[k][1]]).toLocaleLowerCase();
    const at = wanted ? text.toLocaleLowerCase().indexOf(wanted) : -1;
    const right = (!wanted || at >= 0 || who.includes(wanted)) && (!differing || turn.querySelector(".flag"));
    turn.hidden = !right;
    turn.style.display = right ? "" : "none";
    count += right ? 1 : 0;
    const line = turn.querySelector("p");
    if (at >= 0) line.replaceChildren(text.slice(0, at), make("mark", {}, text.slice(at, at + wanted.length)), text.slice(at + wanted.length));
    else if (line.childElementCount) line.textContent = text;
  });
  byId("found").textContent = wanted || differing ? `${count} of ${turns.length}` : "";
}
