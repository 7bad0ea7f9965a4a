// The lanes of all people along one axis: zoom, pan, ruler, minimap, playhead, what lies under the pointer.

const view = { from: 0, to: END };
const lanes = [];
const state = { focused: -1, dirty: false };
const minimap = { key: "", picture: null };
const SHORTEST = data.unit === "s" ? 1 : data.unit === "turn" ? 4 : 20;

/** Show a stretch of the record. */
function look(from, to) {
  const long = Math.min(END, Math.max(Math.min(SHORTEST, END), to - from));
  view.from = Math.min(Math.max(0, from), END - long);
  view.to = view.from + long;
  redraw();
}

/** Show less or more around a moment. */
function zoom(factor, around = inView(clock.now) ? clock.now : (view.from + view.to) / 2) {
  const long = (view.to - view.from) * factor;
  const share = (around - view.from) / (view.to - view.from);
  look(around - share * long, around + (1 - share) * long);
}

const inView = (time) => time >= view.from && time <= view.to;
const laneWidth = () => byId("ruler").clientWidth || 1;
const timeAt = (x) => view.from + (x / laneWidth()) * (view.to - view.from);
const placeOf = (time) => ((time - view.from) / (view.to - view.from)) * laneWidth();

/** Draw what is on the screen, once, before the next frame. */
function redraw() {
  if (state.dirty) return;
  state.dirty = true;
  requestAnimationFrame(drawAll);
}

function drawAll() {
  state.dirty = false;
  for (const lane of lanes) if (lane.seen || paint.paper) drawLane(lane);
  if (!STILL) {
    drawRuler();
    if (!paint.paper) drawMap();
    movePlayhead(clock.now);
  }
}

function drawLane(lane) {
  const place = surface(lane.canvas);
  if (place) lane.draw(place, paint.paper ? { from: 0, to: END } : view);
}

const STEPS = {
  s: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000],
  turn: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
  char: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
};

function drawRuler() {
  const place = surface(byId("ruler"));
  if (!place) return;
  const { pen, width, height } = place;
  const shown = paint.paper ? { from: 0, to: END } : view;
  const scale = width / (shown.to - shown.from);
  const step = STEPS[data.unit].find((one) => one * scale >= 72) || STEPS[data.unit].at(-1);
  pen.font = `11px ${FONT}`;
  pen.textBaseline = "middle";
  for (let k = Math.ceil(shown.from / step - 1e-9); k * step <= shown.to + 1e-9; k++) {
    const x = (k * step - shown.from) * scale;
    pen.fillStyle = colours().line;
    pen.fillRect(Math.round(x), height - 6, 1, 6);
    const words = data.unit === "s" ? moment(k * step, step < 1) : String(k * step + (data.unit === "turn" ? 1 : 0));
    const wide = pen.measureText(words).width;
    pen.fillStyle = colours().soft;
    if (x + 3 + wide <= width) pen.fillText(words, x + 3, height / 2);
  }
}

function drawMap() {
  const place = surface(byId("map"));
  if (!place) return;
  const { pen, width, height, ratio } = place;
  const key = `${width} ${height} ${ratio} ${colours().sunk}`;
  if (minimap.key !== key) Object.assign(minimap, { key, picture: wholeRecord(width, height, ratio) });
  pen.drawImage(minimap.picture, 0, 0, width, height);
  const from = (view.from / END) * width;
  const to = (view.to / END) * width;
  pen.fillStyle = colours().panel;
  pen.globalAlpha = 0.72;
  pen.fillRect(0, 0, from, height);
  pen.fillRect(to, 0, width - to, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = colours().ink;
  pen.lineWidth = 1.5;
  pen.strokeRect(from + 0.75, 0.75, Math.max(3, to - from - 1.5), height - 1.5);
  pen.fillStyle = colours().ink;
  pen.fillRect((clock.now / END) * width - 0.5, 0, 1.5, height);
}

/** Draw the first lane of each person over the whole record, once for a size and a theme. */
function wholeRecord(width, height, ratio) {
  const picture = make("canvas", { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const pen = picture.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = colours().sunk;
  pen.fillRect(0, 0, width, height);
  const shown = data.people.filter((person) => person.lanes.length).slice(0, 12);
  const tall = (height - 2) / Math.max(1, shown.length);
  shown.forEach((person, k) => {
    for (const piece of pieces(person.lanes[0], { from: 0, to: END }, width)) {
      if (piece.label === SILENT) continue;
      pen.fillStyle = data.labels[piece.label].colour;
      const from = Math.round(piece.from);
      pen.fillRect(from, 1 + k * tall, Math.max(1, Math.round(piece.to) - from), Math.max(1, tall - 0.75));
    }
  });
  return picture;
}

function movePlayhead(now) {
  const head = byId("playhead");
  head.style.display = inView(now) ? "block" : "none";
  head.style.transform = `translateX(${placeOf(now).toFixed(1)}px)`;
  head.dataset.at = now.toFixed(3);
}

/** Add a lane to a group. */
function addLane(group, person, kind, title, label, draw, tip) {
  const canvas = make("canvas", { tabIndex: 0 });
  canvas.setAttribute("role", "button");
  canvas.setAttribute("aria-label", `${label}. Enter shows the evidence at the playhead.`);
  const head = title instanceof Node ? title : make("span", { title }, title);
  const row = make("div", { className: `lane ${kind}` }, head, canvas);
  group.append(row);
  const lane = { canvas, row, draw, tip, person, seen: false };
  lanes.push(lane);
  watchPointer(lane);
  return lane;
}

/** Build the group of one person. */
function addPerson(person, number) {
  const name = personName(person);
  const head = make("h3", {}, make("span", { className: "badge" }, String(number + 1)), bdi(name));
  const group = make("div", { className: "group", id: `person-${number}`, tabIndex: -1 }, head);
  byId("groups").append(group);
  if (person.speaking.length) {
    const tip = (time) => {
      const one = person.speaking.find(([start, end]) => start <= time && time < end);
      return one ? [bold("speaks"), ` ${moment(one[0])} to ${moment(one[1])}`] : ["silent"];
    };
    addLane(group, number, "speaking", "Speaks", `${name} speaks`, (place, at) => drawSpeaking(place, person.speaking, at), tip);
  }
  const twice = (channel) => person.lanes.filter((lane) => lane.channel === channel).length > 1;
  for (const track of person.lanes) {
    const title = channelName(track.channel) + (twice(track.channel) ? ` \u00b7 ${track.source}` : "");
    addLane(group, number, track.channel, title, `${name}, ${title}`, (place, at) => drawLabels(place, track, at), (time) => labelTip(track, time));
  }
  if (person.marks.length) {
    addLane(group, number, "marks", "Conflict", `${name}, conflicts`, (place, at) => drawMarks(place, person.marks, at), (time) => markTip(person, time));
  }
  if (person.degrees && saysAny(person.degrees)) {
    const track = person.degrees;
    const title = "Valence" + (track.channel === "fused" ? "" : ` (${channelName(track.channel).toLowerCase()})`);
    addLane(group, number, "degrees", title, `${name}, ${title}`, (place, at) => drawDegrees(place, track, at), (time) => degreeTip(track, time));
  }
  const silent = ["face", "voice", "text"].filter((one) => !person.lanes.some((lane) => lane.channel === one));
  if (silent.length) {
    const never = { face: "no face", voice: "no voice", text: "no words" };
    head.append(make("span", { className: "soft" }, `not said: ${silent.map((one) => never[one]).join(", ")}`));
  }
  addDetails(group, head, person, number, name);
}

const saysAny = (track) => track.v.some((column) => column.some((value) => value !== null));

/** Add action units and pitch, which a button hides and shows. */
function addDetails(group, head, person, number, name) {
  const added = [];
  if (person.units && person.units.axes.length) {
    const track = person.units;
    const names = track.axes.map((axis, k) => make("div", { title: `${axis} ${track.called[k]}` }, bold(axis), ` ${track.called[k]}`));
    const lane = addLane(group, number, "units", make("div", { className: "names" }, ...names), `${name}, action units`, (place, at) => drawUnits(place, track, at), (time) => unitTip(track, time));
    lane.canvas.style.height = `${track.axes.length * UNIT_HEIGHT}px`;
    added.push(lane);
  }
  if (person.prosody && person.prosody.axes.includes("pitch") && saysAny(person.prosody)) {
    const track = person.prosody;
    added.push(addLane(group, number, "prosody", "Pitch", `${name}, pitch`, (place, at) => drawPitch(place, track, at), (time) => prosodyTip(track, time)));
  }
  if (!added.length) return;
  const button = make("button", { type: "button" }, "");
  const show = (shown) => {
    added.forEach((lane) => (lane.row.hidden = !shown));
    button.textContent = shown ? "Hide movements and pitch" : "Show movements and pitch";
    button.setAttribute("aria-expanded", shown);
    added.forEach((lane) => (lane.row.style.display = shown ? "" : "none"));
    redraw();
  };
  button.addEventListener("click", () => show(added[0].row.hidden));
  head.append(button);
  show(data.people.length <= 2);
}

function labelTip(track, time) {
  const row = rowAt(track, time);
  if (row < 0) return ["nothing here"];
  const top = track.top[row];
  const why = track.why && track.why[row];
  if (!top.length) return [bold("not said"), why ? `: ${why}` : ""];
  const parts = [bold(`${data.labels[top[0]].name} ${top[1]} %`)];
  for (let k = 2; k < top.length; k += 2) parts.push(`, ${data.labels[top[k]].name} ${top[k + 1]} %`);
  if (track.sure && track.sure[row] !== null) parts.push(make("span", {}, ` \u00b7 sure ${track.sure[row]} %`));
  return parts;
}

function markTip(person, time) {
  const mark = person.marks.find(([start, end]) => start <= time && time <= end);
  return mark ? [bold(`conflict ${mark[2]} %`), ` ${mark[4]}`] : ["no conflict"];
}

function degreeTip(track, time) {
  const row = rowAt(track, time);
  const said = row < 0 ? [] : track.axes.filter((axis) => valueOf(track, axis, row) !== null);
  if (!said.length) return ["not said"];
  const off = track.off && track.off[row] ? ` \u00b1 ${(track.off[row] / 100).toFixed(2)}` : "";
  return said.map((axis, k) => `${k ? ", " : ""}${axis} ${signed(valueOf(track, axis, row))}${axis === "valence" ? off : ""}`);
}

function unitTip(track, time) {
  const row = rowAt(track, time);
  const said = row < 0 ? [] : track.axes.filter((axis) => valueOf(track, axis, row) >= 0.5);
  if (row >= 0 && track.why && track.why[row]) return [`not said: ${track.why[row]}`];
  return [said.length ? said.map((axis) => `${axis} ${valueOf(track, axis, row).toFixed(1)}`).join(", ") : "at rest"];
}

function prosodyTip(track, time) {
  const row = rowAt(track, time);
  const pitch = row < 0 ? null : valueOf(track, "pitch", row);
  return [pitch === null ? "no voice" : `pitch ${Math.round(pitch)} Hz`];
}

/** Let the pointer show, seek, drag and ask for evidence on a lane. */
function watchPointer(lane) {
  const { canvas } = lane;
  const at = (event) => timeAt(event.clientX - canvas.getBoundingClientRect().left);
  let held = null;
  canvas.addEventListener("pointerdown", (event) => (held = { x: event.clientX, from: view.from, moved: false }));
  canvas.addEventListener("pointermove", (event) => {
    const time = Math.min(END, Math.max(0, at(event)));
    if (held && event.buttons && !STILL && (held.moved || Math.abs(event.clientX - held.x) > 4)) {
      if (!held.moved) canvas.setPointerCapture(event.pointerId);
      held.moved = true;
      const long = view.to - view.from;
      look(held.from - ((event.clientX - held.x) / laneWidth()) * long, held.from - ((event.clientX - held.x) / laneWidth()) * long + long);
      return;
    }
    showTip(event, [...(STILL ? [] : [make("span", {}, `${moment(time)}  `)]), ...lane.tip(time)]);
    const line = byId("hover");
    line.style.display = "block";
    line.style.transform = `translateX(${placeOf(time).toFixed(1)}px)`;
  });
  canvas.addEventListener("pointerleave", () => {
    byId("tip").hidden = true;
    byId("hover").style.display = "none";
  });
  canvas.addEventListener("pointerup", (event) => {
    const dragged = held && held.moved;
    held = null;
    if (dragged || event.button) return;
    seek(at(event));
    prove(lane.person, clock.now);
  });
  canvas.addEventListener("pointercancel", () => (held = null));
  canvas.addEventListener("keydown", (event) => event.key === "Enter" && prove(lane.person, clock.now));
}

function showTip(event, parts) {
  const tip = byId("tip");
  tip.replaceChildren(...parts);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18}px`;
}

/** Show one person, or all again. */
function focusPerson(number) {
  if (number >= data.people.length) return;
  state.focused = state.focused === number ? -1 : number;
  data.people.forEach((_, k) => byId(`person-${k}`).classList.toggle("away", state.focused >= 0 && k !== state.focused));
  document.querySelectorAll("#people-now button").forEach((button, k) => button.setAttribute("aria-pressed", k === state.focused));
  if (state.focused >= 0) {
    const group = byId(`person-${number}`);
    group.focus({ preventScroll: true });
    group.scrollIntoView({ block: "nearest" });
  }
  tell();
}

/** The moments worth a look, in order: conflicts and peaks, each with its person. */
const moments = data.people
  .flatMap((person, k) => [...person.marks.map(([start]) => [start, k]), ...(person.peaks || []).map(([at]) => [at, k])])
  .sort((a, b) => a[0] - b[0]);

/** Go to the next of them, or the one before. */
function jump(way) {
  const chosen = state.focused < 0 ? moments : moments.filter(([, who]) => who === state.focused);
  const next = way > 0 ? chosen.find(([at]) => at > clock.now + 0.05) : chosen.findLast(([at]) => at < clock.now - 0.05);
  if (!next) return;
  seek(next[0]);
  if (!inView(next[0])) look(next[0] - (view.to - view.from) / 2, next[0] + (view.to - view.from) / 2);
  prove(next[1], next[0]);
}

/** Wheel, ruler, minimap and buttons. */
function startTimeline() {
  data.people.forEach(addPerson);
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const lane = lanes.find((one) => one.canvas === entry.target);
      lane.seen = entry.isIntersecting;
      if (lane.seen) drawLane(lane);
    }
  }, { rootMargin: "200px" });
  lanes.forEach((lane) => watcher.observe(lane.canvas));
  new ResizeObserver(redraw).observe(byId("tracks"));
  byId("tracks").addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (STILL || !(event.ctrlKey || event.metaKey || event.altKey || sideways)) return;
    event.preventDefault();
    const long = view.to - view.from;
    const left = byId("ruler").getBoundingClientRect().left;
    if (sideways && !event.ctrlKey) look(view.from + ((event.deltaX || event.deltaY) / laneWidth()) * long, view.to + ((event.deltaX || event.deltaY) / laneWidth()) * long);
    else zoom(Math.exp(event.deltaY * 0.004), timeAt(event.clientX - left));
  }, { passive: false });
  const drag = (canvas, act) => {
    canvas.addEventListener("pointerdown", (event) => (canvas.setPointerCapture(event.pointerId), act(event)));
    canvas.addEventListener("pointermove", (event) => event.buttons && act(event));
  };
  const share = (event) => (event.clientX - event.target.getBoundingClientRect().left) / laneWidth();
  drag(byId("ruler"), (event) => seek(view.from + share(event) * (view.to - view.from)));
  drag(byId("map"), (event) => {
    const long = view.to - view.from;
    if (long > END * 0.999) seek(share(event) * END);
    else look(share(event) * END - long / 2, share(event) * END + long / 2);
  });
  byId("in").addEventListener("click", () => zoom(0.5));
  byId("out").addEventListener("click", () => zoom(2));
  byId("fit").addEventListener("click", () => look(0, END));
  byId("jump").addEventListener("click", () => jump(1));
  byId("jump").hidden = !moments.length;
  onTime((now) => {
    const long = view.to - view.from;
    if (clock.playing && !inView(now)) look(now - long * 0.05, now + long * 0.95);
    movePlayhead(now);
    if (!STILL) drawMap();
  });
}

/** Name the colours that the lanes use. */
function startLegend() {
  const used = new Map();
  for (const person of data.people) {
    for (const track of person.lanes) {
      track.top.forEach((top, i) => top.length && used.set(top[0], (used.get(top[0]) || 0) + track.end[i] - track.start[i]));
    }
  }
  const items = [...used].sort((a, b) => b[1] - a[1]).slice(0, 12);
  const legend = byId("legend");
  for (const [label] of items) legend.append(make("li", { className: `f${label}` }, make("i"), data.labels[label].name));
  if (used.size > items.length) legend.append(make("li", { className: "soft" }, `and ${used.size - items.length} more`));
  legend.append(make("li", { className: "gap" }, make("i"), "not said"));
  if (data.people.some((person) => person.marks.length)) legend.append(make("li", { className: "diamond" }, make("i", {}, "\u25c6"), "conflict"));
  const steps = data.people.flatMap((person) => person.lanes.map((lane) => lane.step || 0));
  const step = Math.max(0, ...steps);
  byId("hint").textContent =
    "The taller a block, the surer." + (step ? ` Rows are means over up to ${step.toFixed(1)} ${data.unit === "s" ? "s" : `${data.unit}s`}.` : "") + " Click for evidence; ctrl + wheel or + zooms, dragging pans.";
}
