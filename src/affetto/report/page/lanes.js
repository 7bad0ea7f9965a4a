// How each kind of lane is drawn on its canvas. Each takes the surface, the track and the stretch in view.

const SILENT = -1;
const MIN_SHARE = 0.5;

/** Return the pieces of a label track in view: runs of pixels with label and sureness, merged where rows are many. */
function pieces(track, view, width) {
  const scale = width / (view.to - view.from);
  const found = [];
  const weights = new Float64Array(data.labels.length + 1);
  const sures = new Float64Array(data.labels.length + 1);
  let touched = [];
  let cell = -1;
  const flush = () => {
    if (!touched.length) return;
    const best = touched.reduce((a, b) => (weights[b + 1] > weights[a + 1] ? b : a));
    found.push({ from: cell, to: cell + 1, label: best, sure: sures[best + 1] / weights[best + 1] });
    for (const label of touched) weights[label + 1] = sures[label + 1] = 0;
    touched = [];
  };
  for (let i = firstRow(track, view.from); i < track.start.length && track.start[i] < view.to; i++) {
    const from = (track.start[i] - view.from) * scale;
    const to = (track.end[i] - view.from) * scale;
    const label = topOf(track, i);
    const sure = label === SILENT ? 0 : sureOf(track, i);
    const x = Math.floor(from);
    if (x !== cell || to - from >= 1) flush();
    if (to - from >= 1) {
      found.push({ from, to, label, sure });
      continue;
    }
    cell = x;
    const weight = Math.max(to - from, 1e-3);
    if (!weights[label + 1]) touched.push(label);
    weights[label + 1] += weight;
    sures[label + 1] += sure * weight;
  }
  flush();
  return found;
}

/** Draw a gap: hatched, so that it is taken neither for neutral nor for zero. */
function drawGap({ pen, ratio }, from, to, top, height) {
  pen.globalAlpha = 0.55;
  pen.fillStyle = fillOf(pen, ratio, "gap", colours().hatch);
  pen.fillRect(from, top, to - from, height);
  pen.globalAlpha = 1;
}

/** Draw labels: each block as tall as it is sure, over a tint of its colour; names where there is room. */
function drawLabels(place, track, view) {
  const { pen, width, height, ratio } = place;
  pen.fillStyle = colours().sunk;
  pen.fillRect(0, height - 1, width, 1);
  const runs = [];
  for (const piece of pieces(track, view, width)) {
    const from = Math.max(-2, Math.round(piece.from));
    const to = Math.min(width + 2, Math.max(from + 1, Math.round(piece.to)));
    const last = runs[runs.length - 1];
    const joined = last && last.label === piece.label && from - last.to <= 1;
    if (piece.label === SILENT) drawGap(place, from, to, 3, height - 3);
    else {
      const label = data.labels[piece.label];
      const tall = (MIN_SHARE + (1 - MIN_SHARE) * piece.sure) * height;
      pen.fillStyle = label.colour;
      pen.globalAlpha = 0.2;
      pen.fillRect(from, 0, to - from, height);
      pen.globalAlpha = 1;
      pen.fillRect(from, height - tall, to - from, tall);
      if (patterned() && label.pattern) {
        pen.globalAlpha = 0.45;
        pen.fillStyle = fillOf(pen, ratio, label.pattern, label.ink);
        pen.fillRect(from, height - tall, to - from, tall);
        pen.globalAlpha = 1;
      }
    }
    if (joined) last.to = to;
    else runs.push({ from, to, label: piece.label });
  }
  pen.textBaseline = "middle";
  for (const [k, run] of runs.entries()) {
    const wide = Math.min(run.to, width) - Math.max(run.from, 0);
    if (run.label === SILENT) continue;
    const label = data.labels[run.label];
    if (k && runs[k - 1].to >= run.from && wide > 6) {
      pen.fillStyle = colours().panel;
      pen.fillRect(run.from, 0, 1, height);
    }
    pen.font = `600 11px ${FONT}`;
    const words = pen.measureText(label.name).width + 10 <= wide ? label.name : wide >= 20 ? label.short : "";
    if (!words) continue;
    pen.fillStyle = label.ink;
    const at = Math.max(run.from, 0) + 5;
    if (patterned() && label.pattern) {
      pen.fillStyle = label.colour;
      pen.fillRect(at - 3, height - 14, pen.measureText(words).width + 6, 13);
      pen.fillStyle = label.ink;
    }
    pen.fillText(words, at, height - 7);
  }
}

/** Draw when somebody speaks. */
function drawSpeaking({ pen, width, height }, stretches, view) {
  const scale = width / (view.to - view.from);
  pen.fillStyle = colours().sunk;
  pen.fillRect(0, height / 2 - 0.5, width, 1);
  pen.fillStyle = colours().ink;
  for (const [start, end, sure] of stretches) {
    if (end < view.from || start > view.to) continue;
    pen.globalAlpha = 0.35 + 0.5 * (sure / 100);
    const from = (start - view.from) * scale;
    pen.fillRect(from, 1, Math.max(1, (end - start) * scale - 0.5), height - 2);
  }
  pen.globalAlpha = 1;
}

/** Draw conflicts: a line as long as each lasts, and a diamond with the letter of the channel that deviates. */
function drawMarks({ pen, width, height }, marks, view) {
  const scale = width / (view.to - view.from);
  const { ink, panel } = colours();
  const middle = height / 2;
  let free = -1e9;
  for (const [start, end, , channel] of marks) {
    if (end < view.from || start > view.to) continue;
    const from = (start - view.from) * scale;
    const to = Math.max(from + 2, (end - view.from) * scale);
    pen.fillStyle = ink;
    pen.fillRect(from, middle - 1, to - from, 2);
    const x = Math.min(Math.max((from + to) / 2, 9), width - 9);
    if (x - free < 12) {
      pen.fillRect(from, middle - 4, 2, 8);
      continue;
    }
    free = x;
    pen.beginPath();
    pen.moveTo(x, middle - 9.5), pen.lineTo(x + 9.5, middle), pen.lineTo(x, middle + 9.5), pen.lineTo(x - 9.5, middle);
    pen.closePath();
    pen.fill();
    pen.fillStyle = panel;
    pen.font = `700 9.5px ${FONT}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(LETTERS[channel] || "!", x, middle + 0.5);
    pen.textAlign = "left";
  }
}

/** Draw valence as a line with its band; gaps are hatched. */
function drawDegrees(place, track, view) {
  const { pen, width, height } = place;
  const scale = width / (view.to - view.from);
  const { ink, line, soft } = colours();
  const y = (value) => height / 2 - value * (height / 2 - 3);
  pen.fillStyle = line;
  pen.fillRect(0, Math.round(y(0)), width, 1);
  const column = track.v[track.axes.indexOf("valence")] || track.v[0];
  const parts = [];
  let part = [];
  for (let i = Math.max(0, firstRow(track, view.from) - 1); i < track.start.length; i++) {
    if (track.start[i] > view.to && part.length > 1) break;
    const from = (track.start[i] - view.from) * scale;
    const to = (track.end[i] - view.from) * scale;
    const last = part[part.length - 1];
    if (column[i] === null || (last && from - last.to > 3)) {
      if (part.length) parts.push(part);
      part = [];
    }
    if (column[i] === null) drawGap(place, from, to, 3, height - 6);
    else part.push({ from, to, value: column[i] / 100, off: track.off ? track.off[i] / 100 : 0 });
  }
  if (part.length) parts.push(part);
  for (const points of parts) {
    const path = (offset) =>
      points.flatMap((p) => {
        const at = Math.min(1, Math.max(-1, p.value + offset * p.off));
        return p.to - p.from > 8 ? [[p.from, y(at)], [p.to, y(at)]] : [[(p.from + p.to) / 2, y(at)]];
      });
    if (points.length === 1 && points[0].to - points[0].from <= 8) points[0].to = points[0].from + 9;
    if (track.off) {
      pen.beginPath();
      path(1).forEach(([a, b], k) => (k ? pen.lineTo(a, b) : pen.moveTo(a, b)));
      path(-1).reverse().forEach(([a, b]) => pen.lineTo(a, b));
      pen.globalAlpha = 0.16;
      pen.fillStyle = ink;
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.beginPath();
    path(0).forEach(([a, b], k) => (k ? pen.lineTo(a, b) : pen.moveTo(a, b)));
    pen.strokeStyle = ink;
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.stroke();
  }
  pen.font = `10px ${FONT}`;
  pen.fillStyle = soft;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "right";
  for (const [word, at] of [["pleasant", 10], ["unpleasant", height - 4]]) {
    pen.lineWidth = 4;
    pen.strokeStyle = colours().panel;
    pen.strokeText(word, width - 3, at);
    pen.fillText(word, width - 3, at);
  }
  pen.textAlign = "left";
}

const UNIT_HEIGHT = 15;

/** Draw action units as rows of heat: the darker, the stronger, of 0 to 5. */
function drawUnits(place, track, view) {
  const { pen, width } = place;
  const scale = width / (view.to - view.from);
  const { ink, sunk } = colours();
  track.axes.forEach((_, row) => {
    pen.globalAlpha = 1;
    pen.fillStyle = sunk;
    pen.fillRect(0, row * UNIT_HEIGHT + 1, width, UNIT_HEIGHT - 2);
  });
  let i = firstRow(track, view.from);
  while (i < track.start.length && track.start[i] < view.to) {
    const first = i;
    const from = Math.round((track.start[i] - view.from) * scale);
    let to = Math.round((track.end[i] - view.from) * scale);
    while (to <= from && i + 1 < track.start.length) to = Math.round((track.end[++i] - view.from) * scale);
    i++;
    to = Math.max(to, from + 1);
    if (track.v.length && track.v[0][first] === null) {
      drawGap(place, from, to, 1, track.axes.length * UNIT_HEIGHT - 2);
      continue;
    }
    pen.fillStyle = ink;
    track.v.forEach((column, row) => {
      let strongest = 0;
      for (let k = first; k < i; k++) if (column[k] > strongest) strongest = column[k];
      strongest /= track.scale;
      pen.globalAlpha = Math.min(1, Math.max(0, strongest - 0.25) / 4.25);
      pen.fillRect(from, row * UNIT_HEIGHT + 1, to - from, UNIT_HEIGHT - 2);
    });
    pen.globalAlpha = 1;
  }
}

/** Draw pitch: a short bar for each stretch, on a logarithmic scale as the ear has it. */
function drawPitch(place, track, view) {
  const { pen, width, height } = place;
  const scale = width / (view.to - view.from);
  const { ink, soft, line } = colours();
  const column = track.v[track.axes.indexOf("pitch")] || track.v[0];
  const said = column.filter((value) => value !== null && value > 0);
  const low = Math.log(Math.min(...said.slice(0, 1e4), 1e9));
  const high = Math.log(Math.max(...said.slice(0, 1e4), 1));
  pen.fillStyle = line;
  pen.fillRect(0, height - 1, width, 1);
  for (let i = firstRow(track, view.from); i < track.start.length && track.start[i] < view.to; i++) {
    const from = (track.start[i] - view.from) * scale;
    const to = (track.end[i] - view.from) * scale;
    if (column[i] === null) drawGap(place, from, to, 3, height - 5);
    else {
      const share = high > low ? (Math.log(column[i]) - low) / (high - low) : 0.5;
      pen.fillStyle = ink;
      pen.fillRect(from, height - 6 - share * (height - 11), Math.max(2, to - from - 1), 2.5);
    }
  }
  if (!said.length) return;
  pen.font = `10px ${FONT}`;
  pen.fillStyle = soft;
  pen.textAlign = "right";
  pen.textBaseline = "alphabetic";
  pen.fillText(`${Math.round(Math.exp(high) / track.scale)} Hz`, width - 3, 9);
  pen.fillText(`${Math.round(Math.exp(low) / track.scale)} Hz`, width - 3, height - 4);
  pen.textAlign = "left";
}
