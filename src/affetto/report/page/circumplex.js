// The plane of valence and arousal: a point a person, a fading trail, and in a list what each channel says now.

const TRAIL = data.unit === "s" ? 10 : 5;
const LANDMARKS = [["angry", -0.62, 0.62], ["afraid", -0.3, 0.8], ["excited", 0.5, 0.75], ["happy", 0.8, 0.3], ["content", 0.7, -0.4], ["calm", 0.3, -0.75], ["tired", -0.3, -0.75], ["sad", -0.75, -0.4]];

/** Return where a person is at a moment: valence, arousal and label, or null where that is not said. */
function pointOf(person, time) {
  if (!person.degrees) return null;
  const row = rowAt(person.degrees, time);
  const valence = row < 0 ? null : valueOf(person.degrees, "valence", row);
  const arousal = row < 0 ? null : valueOf(person.degrees, "arousal", row);
  return valence === null || arousal === null ? null : { valence, arousal };
}

const labelAt = (track, time) => {
  const row = track ? rowAt(track, time) : -1;
  return row < 0 ? -1 : topOf(track, row);
};

function drawPlane(now) {
  const place = surface(byId("plane"));
  if (!place) return;
  const { pen, width, height } = place;
  const { ink, soft, line, panel } = colours();
  const margin = { x: 18, y: 18 };
  const x = (value) => width / 2 + (value * (width - 2 * margin.x)) / 2;
  const y = (value) => height / 2 - (value * (height - 2 * margin.y)) / 2;
  pen.strokeStyle = line;
  pen.beginPath();
  pen.ellipse(x(0), y(0), x(1) - x(0), y(0) - y(1), 0, 0, 7);
  pen.moveTo(x(-1), y(0)), pen.lineTo(x(1), y(0)), pen.moveTo(x(0), y(-1)), pen.lineTo(x(0), y(1));
  pen.stroke();
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `10.5px ${FONT}`;
  pen.fillStyle = soft;
  pen.globalAlpha = 0.6;
  for (const [word, a, b] of LANDMARKS) pen.fillText(word, x(a), y(b));
  pen.globalAlpha = 1;
  pen.font = `600 11px ${FONT}`;
  pen.fillStyle = soft;
  pen.fillText("activated", x(0), 8);
  pen.fillText("calm", x(0), height - 8);
  for (const [words, at, turn] of [["unpleasant", 8, -1], ["pleasant", width - 8, 1]]) {
    pen.save();
    pen.translate(at, height / 2);
    pen.rotate((turn * Math.PI) / 2);
    pen.fillText(words, 0, 0);
    pen.restore();
  }
  data.people.forEach((person, k) => {
    const away = state.focused >= 0 && state.focused !== k ? 0.2 : 1;
    const label = labelAt(person.lanes[0], now);
    const colour = label < 0 ? soft : data.labels[label].colour;
    for (let i = STILL ? 0 : 30; i > 0; i--) {
      const time = now - (TRAIL * i) / 30;
      const was = time < 0 ? null : pointOf(person, time);
      if (!was) continue;
      pen.globalAlpha = away * 0.5 * (1 - i / 31);
      pen.fillStyle = colour;
      pen.beginPath();
      pen.arc(x(was.valence), y(was.arousal), 3.2, 0, 7);
      pen.fill();
    }
    const at = pointOf(person, now);
    if (!at) return;
    pen.globalAlpha = away;
    pen.beginPath();
    pen.arc(x(at.valence), y(at.arousal), 10, 0, 7);
    pen.fillStyle = colour.startsWith("#") && colour.length === 7 ? colour : ink;
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = panel;
    pen.stroke();
    pen.lineWidth = 1;
    pen.font = `700 11px ${FONT}`;
    pen.fillStyle = label < 0 ? panel : data.labels[label].ink;
    pen.fillText(String(k + 1), x(at.valence), y(at.arousal) + 0.5);
    pen.globalAlpha = 1;
  });
  pen.globalAlpha = 1;
  pen.textAlign = "left";
}

/** List the people with what each channel says now; a click shows one alone. */
function startNow() {
  const list = byId("people-now");
  const held = data.people.map((person, k) => {
    const chips = make("span", { className: "chips" });
    const button = make("button", { type: "button", title: `Only this person (${k + 1})` }, make("span", { className: "badge" }, String(k + 1)), make("span", { className: "called" }, bdi(personName(person))), chips);
    button.addEventListener("click", () => focusPerson(k));
    list.append(make("li", {}, button));
    return { person, chips, was: "" };
  });
  if (!data.people.some((person) => person.degrees)) byId("plane").hidden = true;
  byId("plane").style.display = byId("plane").hidden ? "none" : "";
  onTime((now) => {
    drawPlane(now);
    for (const one of held) {
      const labels = one.person.lanes.map((track) => labelAt(track, now));
      if (String(labels) === one.was) continue;
      one.was = String(labels);
      one.chips.replaceChildren(...one.person.lanes.map((track, k) => nowChip(track, labels[k])).filter(Boolean));
      if (!one.chips.childElementCount) one.chips.append(make("span", { className: "soft" }, "not said"));
    }
  });
}

function nowChip(track, label) {
  if (label < 0) return null;
  const short = { fused: "all", text: "words", voice: "voice", face: "face" }[track.channel] || track.channel;
  return make("span", { className: `chip f${label}`, title: short }, make("i"), make("small", {}, short), data.labels[label].name);
}
