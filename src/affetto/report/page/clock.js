// What time it is: that of the recording, where there is one that plays, or else of a clock of its own.

const clock = { now: 0, playing: false, rate: 1, media: null, heard: [] };

/** Ask to be told whenever the time changes. */
const onTime = (listener) => clock.heard.push(listener);
const tell = () => clock.heard.forEach((listener) => listener(clock.now));

/** Go to a moment. */
function seek(time) {
  clock.now = Math.min(Math.max(time, 0), END);
  if (clock.media) clock.media.currentTime = Math.min(clock.now, clock.media.duration || clock.now);
  tell();
}

/** Play, or stop. */
function play(wanted = !clock.playing) {
  if (STILL) return;
  if (wanted && clock.now >= END - 1e-3) seek(0);
  clock.playing = wanted;
  document.documentElement.classList.toggle("playing", wanted);
  byId("play").setAttribute("aria-label", wanted ? "Pause" : "Play");
  if (clock.media) {
    clock.media.playbackRate = clock.rate;
    const over = clock.now >= clock.media.duration - 0.01;
    if (wanted && !over) clock.media.play().catch(() => play(false));
    else if (!wanted) clock.media.pause();
  }
  if (wanted) run(performance.now());
}

function run(before) {
  requestAnimationFrame((at) => {
    if (!clock.playing) return;
    if (clock.media && !clock.media.ended) clock.now = clock.media.currentTime;
    else clock.now += ((at - before) / 1000) * clock.rate;
    if (clock.now >= END) {
      clock.now = END;
      play(false);
    }
    tell();
    run(at);
  });
}

/** Decode the recording that the page carries; an address that only this page knows. */
function carried() {
  const coded = byId("media").textContent.trim();
  if (!coded) return "";
  byId("media").textContent = "";
  const letters = atob(coded);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return URL.createObjectURL(new Blob([bytes], { type: data.mime }));
}

/** Show the recording, if there is one. One that cannot be played leaves the clock running by itself. */
function openMedia() {
  const address = carried() || data.url;
  if (!data.media || !address) return;
  const tag = data.media === "image" ? "img" : data.media;
  const element = make(tag, { src: address });
  if (tag === "img") element.alt = data.title;
  else {
    element.preload = "auto";
    element.playsInline = true;
    clock.media = element;
    element.addEventListener("click", () => play());
    element.addEventListener("ended", () => (END - clock.now > 0.5 ? tell() : play(false)));
    element.addEventListener("seeked", () => !clock.playing && tell());
  }
  element.addEventListener("error", () => {
    clock.media = null;
    element.remove();
    byId("medianote").hidden = false;
    byId("medianote").textContent = "This browser cannot play the recording; the clock runs without it.";
  });
  byId("screen").append(element);
}

/** Make the buttons below the picture work. */
function startTransport() {
  const scrub = byId("scrub");
  scrub.max = 10000;
  scrub.addEventListener("input", () => seek((scrub.value / 10000) * END));
  byId("play").addEventListener("click", () => play());
  byId("speed").addEventListener("change", (event) => {
    clock.rate = Number(event.target.value);
    if (clock.media) clock.media.playbackRate = clock.rate;
  });
  onTime((now) => {
    scrub.value = Math.round((now / END) * 10000);
    scrub.setAttribute("aria-valuetext", moment(now));
    byId("time").textContent = data.unit === "s" ? `${moment(now)} / ${moment(END)}` : moment(now);
  });
}
