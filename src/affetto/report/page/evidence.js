// What each channel said of one person at one moment, how surely, and what carried it.

/** Stretches below which nobody knows what is usual. */
const FEW = 5;
const NOTHING = { text: "no words of this person here", voice: "no voice of this person here", face: "no face here" };

/** Show the evidence for a person at a moment; of a turn without a place, its words alone. */
function prove(who, time, turn = -1) {
  const person = data.people[who];
  const box = byId("proof");
  const parts = [provenPlace(who, time, turn)];
  const mark = person.marks.find(([start, end]) => start <= time && time <= end);
  if (mark) parts.push(make("p", { className: "conflict" }, `\u25c6 Conflict ${mark[2]} %: `, mark[4] || "channels differ", mark[3] ? `; ${channelName(mark[3]).toLowerCase()} ${mark[3] === "text" ? "deviate" : "deviates"}` : ""));
  const told = new Set();
  for (const track of person.lanes) {
    parts.push(provenLane(who, person, track, time, turn, !told.has(track.channel)));
    told.add(track.channel);
  }
  for (const channel of ["text", "voice", "face"]) {
    const extra = told.has(channel) ? [] : provenExtras(who, person, channel, time, turn);
    if (extra.length) parts.push(make("section", {}, make("h4", {}, channelName(channel)), ...extra));
  }
  for (const track of data.readers) {
    const row = turns.length && turn < 0 && !turnsAt(time, who).length ? -1 : rowAt(track, time);
    const words = row < 0 ? "" : wordsOfRow(track, row);
    if (words) parts.push(make("section", {}, make("h4", {}, "A reader may feel"), make("p", { className: "small" }, words)));
  }
  box.replaceChildren(...parts);
  document.documentElement.classList.add("proving");
  const aside = byId("evidence").parentElement;
  const place = byId("evidence").getBoundingClientRect();
  const bottom = Math.min(innerHeight, aside.getBoundingClientRect().bottom);
  const hidden = Math.min(place.top - byId("stage").getBoundingClientRect().bottom, place.bottom - bottom) - 12;
  if (hidden > 0) aside.scrollTop += hidden;
}

function provenPlace(who, time, turn) {
  const person = data.people[who];
  const said = make("div", {}, make("h3", {}, make("span", { className: "badge" }, String(who + 1)), " ", bdi(personName(person))), make("p", { className: "soft" }, STILL || (turn >= 0 && !data.turns[turn][0]) ? "" : `at ${moment(time)}`));
  return make("div", { className: "place" }, said, nearestPicture(who, time));
}

/** Return a copy of the small picture of a person that is nearest to a moment. */
function nearestPicture(who, time) {
  const all = [...document.querySelectorAll(`.peak img[data-person="${who}"]`)];
  if (!all.length) return null;
  const away = (picture) => Math.abs(picture.dataset.at - time);
  const best = all.reduce((a, b) => (away(b) < away(a) ? b : a));
  if (!STILL && away(best) > Math.max(2, END / 20)) return null;
  const copy = best.cloneNode();
  copy.title = `picture at ${moment(Number(best.dataset.at))}`;
  return copy;
}

function provenLane(who, person, track, time, turn, first) {
  const row = rowAt(track, time);
  const silent = row < 0 || !track.top[row].length;
  const sure = row >= 0 && track.sure && track.sure[row] !== null && !silent ? `sure ${track.sure[row]} %` : "";
  const section = make("section", {}, make("h4", {}, channelName(track.channel), make("span", { className: "soft" }, sure)));
  if (track.channel === "text" && first) section.append(...quoted(who, time, turn));
  if (silent) {
    const why = row >= 0 && track.why ? track.why[row] : "";
    section.append(make("p", { className: "small soft" }, why ? `not said: ${why}` : NOTHING[track.channel] || "nothing said here"));
  } else {
    const top = track.top[row];
    for (let k = 0; k < top.length; k += 2) section.append(bar(data.labels[top[k]].name, top[k + 1] / 100, `${top[k + 1]} %`, top[k]));
  }
  if (first && person.degrees && track.channel === person.degrees.channel) section.append(make("p", { className: "small" }, ...degreeTip(person.degrees, time)));
  if (first) section.append(...provenExtras(who, person, track.channel, time, -2));
  const step = track.step ? `, means over ${track.step.toFixed(1)} ${data.unit === "s" ? "s" : `${data.unit}s`}` : "";
  section.append(make("p", { className: "small soft" }, ...sourceLink(track.source), ` (${track.space}${step})`));
  return section;
}

function bar(name, share, words, label = -1) {
  const fill = make("i");
  fill.style.width = `${Math.round(100 * Math.min(1, Math.abs(share)))}%`;
  return make("div", { className: `row${label >= 0 ? ` f${label}` : ""}` }, make("span", { title: name }, name), make("span", { className: "track" }, fill), make("span", {}, words));
}

function quoted(who, time, turn) {
  const said = turn >= 0 ? [{ k: turn }] : turnsAt(time, who);
  return said.slice(0, 3).map(({ k }) => make("blockquote", { dir: "auto" }, wordsOf(k)));
}

/** Name a source, linked to its card. */
function sourceLink(source) {
  const full = Object.keys(data.cards).find((one) => source.includes(one));
  return [full ? make("a", { href: `#${data.cards[full]}` }, source) : source || "source not named"];
}

/** Return what else is known of a channel: other answers, prosody, action units, explanations. */
function provenExtras(who, person, channel, time, turn) {
  const found = [];
  if (channel === "text" && turn !== -2) found.push(...quoted(who, time, turn));
  for (const track of person.also.filter((one) => one.channel === channel)) {
    const row = rowAt(track, time);
    const words = row < 0 ? "" : wordsOfRow(track, row);
    if (words) found.push(make("p", { className: "small" }, words, make("span", { className: "soft" }, ` ${track.space}`)));
  }
  if (channel === "voice" && person.prosody) found.push(...provenProsody(person.prosody, time));
  if (channel === "face" && person.units) found.push(...provenUnits(person.units, time));
  const near = data.reasons.filter((one) => one.subject === person.name && one.channel === channel && covers(one.about, time));
  for (const reason of near.slice(0, 4)) found.push(provenReason(reason));
  return found;
}

const covers = (about, time) => !about || STILL || (about[2] === data.unit && about[0] <= time + 1e-3 && time <= about[1] + 1e-3);

function wordsOfRow(track, row) {
  if (track.top) {
    const top = track.top[row];
    return top.map((label, k) => (k % 2 ? "" : `${data.labels[label].name} ${top[k + 1]} %`)).filter(Boolean).join(", ");
  }
  const said = track.axes.map((axis) => [axis, valueOf(track, axis, row)]).filter(([, value]) => value !== null);
  return said.map(([axis, value]) => `${axis} ${track.space.startsWith("va") ? signed(value) : value.toFixed(2)}`).join(", ");
}

/** Tell how the voice sounds, and how it usually does. */
function provenProsody(track, time) {
  const row = rowAt(track, time);
  if (row < 0) return [];
  const told = [["pitch", "Hz", 0], ["loudness", "dBFS", 0], ["rate", "syllables/s", 1], ["harmonicity", "dB", 1]];
  const items = told.flatMap(([axis, unit, digits]) => {
    const value = valueOf(track, axis, row);
    if (value === null) return [];
    const said = track.v[track.axes.indexOf(axis)].filter((one) => one !== null).sort((a, b) => a - b);
    const write = (number) => number.toFixed(digits).replace("-", "\u2212");
    const usual = said.length < FEW ? "" : `usually ${write(said[said.length >> 1] / track.scale)}`;
    return [make("li", {}, `${axis} ${write(value)} ${unit} `, make("span", { className: "soft" }, usual))];
  });
  return items.length ? [make("ul", { className: "small" }, ...items)] : [];
}

/** Tell which action units stand out from what this person usually shows. */
function provenUnits(track, time) {
  const row = rowAt(track, time);
  if (row < 0) return [];
  const told = track.axes.map((axis, k) => ({ axis, k, value: valueOf(track, axis, row), usual: (track.usual[k] || 0) / 10 }));
  const out = told.filter((one) => one.value !== null && one.value - one.usual >= 0.3);
  out.sort((a, b) => b.value - b.usual - (a.value - a.usual));
  const items = out.slice(0, 4).map(({ axis, k, value, usual }) => {
    const before = track.usual[k] === null ? "of 5" : `usually ${usual.toFixed(1)}`;
    return make("li", {}, bold(axis), ` ${track.called[k]} ${value.toFixed(1)} `, make("span", { className: "soft" }, before));
  });
  return items.length ? [make("ul", { className: "small" }, ...items)] : [];
}

/** Show an explanation: words as they weigh, or the weightiest facts with bars. */
function provenReason(reason) {
  const said = reason.parts.filter(([, value]) => value !== null);
  const most = Math.max(1, ...said.map(([, value]) => Math.abs(value)));
  const head = make("p", { className: "small soft" }, "What carried it: ", ...sourceLink(reason.source));
  if (reason.channel === "text") {
    const words = said.flatMap(([word, value]) => {
      const span = make("span", { title: `${value > 0 ? "for" : "against"} ${Math.abs(value)} %` }, word);
      const share = Math.abs(value) / most;
      if (value > 0) span.style.background = `color-mix(in srgb, var(--ink) ${Math.round(34 * share)}%, transparent)`;
      else if (share > 0.15) span.style.textDecoration = "underline dotted";
      return [span, " "];
    });
    return make("div", {}, head, make("p", { className: "weigh", dir: "auto" }, ...words));
  }
  const strongest = [...said].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 5);
  const items = strongest.map(([words, value]) => make("li", {}, `${value > 0 ? "for" : "against"}: ${words} `, make("span", { className: "soft" }, `${Math.abs(value)} %`)));
  return make("div", {}, head, make("ul", {}, ...items));
}

function shutEvidence() {
  document.documentElement.classList.remove("proving");
  byId("proof").replaceChildren(make("p", { className: "soft" }, "Click any ribbon, mark or turn to see what each channel said there."));
}
