// The data block, unpacked: times as arrays, rows found by a moment; and how numbers and moments are written.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const STILL = !(data.end > 0);
const END = STILL ? 1 : data.end;
const CHANNELS = { fused: "All together", text: "Words", voice: "Voice", face: "Face" };
const LETTERS = { text: "W", voice: "V", face: "F" };

/** Make an element: properties of the object are set, children appended; strings become text, never markup. */
function make(tag, properties = {}, ...children) {
  const { dataset = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Turn the packed times of a track, ticks after the one before, into starts and ends. */
function unpack(track) {
  const n = track.t.length;
  track.start = new Float64Array(n);
  track.end = new Float64Array(n);
  let at = 0;
  for (let i = 0; i < n; i++) {
    at += track.t[i];
    track.start[i] = at / 1000;
    track.end[i] = STILL ? 1 : (at + track.d[i]) / 1000;
  }
}

for (const person of data.people) {
  for (const track of [...person.lanes, ...person.also, person.degrees, person.units, person.prosody]) {
    if (track) unpack(track);
  }
}
data.readers.forEach(unpack);

/** Return the first row that ends after a moment. */
function firstRow(track, time) {
  let low = 0;
  let high = track.start.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.end[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the row at a moment, or -1. */
function rowAt(track, time) {
  const i = firstRow(track, STILL ? 0.5 : time);
  if (i < track.start.length && track.start[i] <= time + 1e-6) return i;
  const last = track.start.length - 1;
  return last >= 0 && time >= END && track.end[last] >= END - 1e-3 ? last : -1;
}

/** Return the number of the strongest label of a row, or -1 where nothing is said. */
const topOf = (track, row) => (track.top[row] && track.top[row].length ? track.top[row][0] : -1);

/** Return how sure a row is, 0..1: its confidence, or else the probability of its label. */
function sureOf(track, row) {
  const sure = track.sure ? track.sure[row] : null;
  if (sure !== null && sure !== undefined) return sure / 100;
  return track.top[row].length ? track.top[row][1] / 100 : 0;
}

/** Return the value of an axis of a row, or null where nothing is said. */
function valueOf(track, axis, row) {
  const column = track.v[track.axes.indexOf(axis)];
  const value = column ? column[row] : null;
  return value === null || value === undefined ? null : value / track.scale;
}

const signed = (value) => (Math.abs(value) < 0.005 ? "" : value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(2);
const channelName = (channel) => CHANNELS[channel] || channel[0].toUpperCase() + channel.slice(1);
const personName = (person) => person.name.trim() || "without a name";
const bold = (text) => make("b", {}, text);
const bdi = (text) => make("bdi", {}, text);

/** Write a moment: 1:02:03, 0:12.3, turn 4, character 120. */
function moment(time, fine = END < 600) {
  if (data.unit === "turn") return `turn ${Math.min(Math.floor(time) + 1, Math.max(1, Math.ceil(END)))}`;
  if (data.unit === "char") return `character ${Math.round(time)}`;
  const tenths = fine ? Math.round(time * 10) : Math.floor(time) * 10;
  const seconds = Math.floor(tenths / 10);
  const two = (x) => String(x).padStart(2, "0");
  const rest = two(seconds % 60) + (fine ? `.${tenths % 10}` : "");
  const minutes = Math.floor(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}` : `${minutes}:${rest}`;
}
