// The guided player. Everything it needs is in the page: once loaded it asks for nothing.
import { beep, buzz, canBuzz, keepAwake, letSleep } from "./signals.js";

const CHANGE_SECONDS = 5; // to take the other hand
const find = (id) => document.getElementById(id);
const root = find("player");
const words = root.dataset;
const slides = [...document.querySelectorAll(".slide:not(.done)")];
const dots = [...document.querySelectorAll(".path li")];

let at = 0; // the slide
let phases = []; // {side, seconds, rest}
let phase = 0;
let spent = 0; // milliseconds of the phase gone by before the last start
let since = null; // when it was last started; null while it stands

function phasesOf(slide) {
  const seconds = Number(slide.dataset.seconds);
  if (!seconds) return [];
  const sides = slide.dataset.sides.split(" ");
  const found = sides.map((side) => ({ side, seconds, rest: false }));
  if (found.length === 2) found.splice(1, 0, { side: sides[1], seconds: CHANGE_SECONDS, rest: true });
  return found;
}

function tell(text) {
  find("told").textContent = "";
  requestAnimationFrame(() => { find("told").textContent = text; });
}

function sideText({ side, seconds }) {
  const text = side === "left" ? words.nowLeft : side === "right" ? words.nowRight : "";
  return text.replace("{seconds}", seconds);
}

function left() {
  const { seconds } = phases[phase];
  const gone = spent + (since === null ? 0 : performance.now() - since);
  return Math.max(0, seconds - gone / 1000);
}

function draw() {
  const now = phases[phase];
  const running = since !== null;
  root.classList.toggle("calm", !now);
  root.classList.toggle("sided", phases.length > 1 || Boolean(now && now.side));
  root.classList.toggle("resting", Boolean(now && now.rest));
  find("go").textContent = !now ? (last() ? words.finish : words.next)
    : running ? words.pause : phase || spent ? words.goOn : words.begin;
  find("next").hidden = !now;
  find("next").textContent = last() ? words.finish : words.next;
  find("back").disabled = at === 0 && phase === 0 && spent === 0 && !running;
  find("left").classList.toggle("on", now?.side === "left");
  find("right").classList.toggle("on", now?.side === "right");
  find("mood").textContent = !now ? words.noClock : now.rest && running ? words.change
    : running ? words.running : phase || spent ? words.paused : words.ready;
  if (!now) return;
  const rest = left();
  find("seconds").textContent = Math.ceil(rest);
  find("arc").setAttribute("stroke-dashoffset", 100 * (1 - rest / now.seconds));
}

const last = () => at === slides.length - 1;

function show(index) {
  stand();
  at = index;
  slides.forEach((slide, i) => { slide.hidden = i !== index; });
  dots.forEach((dot, i) => { dot.className = i < index ? "past" : i === index ? "here" : ""; });
  const done = index >= slides.length;
  find("done").hidden = !done;
  root.classList.toggle("finished", done);
  phases = done ? [] : phasesOf(slides[index]);
  phase = 0;
  spent = 0;
  if (done) letSleep();
  else draw();
  (done ? find("done") : slides[index]).focus({ preventScroll: true });
}

function start() {
  since = performance.now();
  keepAwake();
  const now = phases[phase];
  tell([now.rest ? words.change : "", sideText(now)].filter(Boolean).join(" ") || `${now.seconds}`);
  draw();
}

function stand() {
  if (since === null) return;
  spent += performance.now() - since;
  since = null;
}

function pause() {
  stand();
  letSleep();
  tell(words.paused);
  draw();
}

function signal(strong) {
  if (find("sound").ariaPressed === "true") beep(strong);
  if (find("vibration").ariaPressed === "true") buzz(strong);
}

function tick() {
  if (since === null) return;
  if (left() > 0) { draw(); return; }
  since = null;
  spent = 0;
  phase += 1;
  if (phase < phases.length) {
    signal(false);
    start();
    return;
  }
  signal(true);
  show(at + 1);
}

function go() {
  if (!phases.length) show(at + 1);
  else if (since === null) { beep.wake(); start(); } else pause();
}

function back() {
  if (since !== null || phase || spent) show(at); // this step once more
  else if (at > 0) show(at - 1);
}

function stop() {
  if (since !== null) pause();
  find("stop").showModal();
}

const toggle = (id) => find(id).addEventListener("click", ({ currentTarget }) => {
  currentTarget.ariaPressed = currentTarget.ariaPressed === "true" ? "false" : "true";
});

find("go").addEventListener("click", go);
find("next").addEventListener("click", () => show(at + 1));
find("back").addEventListener("click", back);
find("hurts").addEventListener("click", stop);
find("stop-close").addEventListener("click", () => find("stop").close());
find("again").addEventListener("click", () => show(0));
toggle("sound");
toggle("vibration");
find("vibration").hidden = !canBuzz;
if (!canBuzz) find("vibration").ariaPressed = "false";

document.addEventListener("keydown", (event) => {
  if (find("stop").open || root.classList.contains("finished") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowRight") show(at + 1);
  else if (event.key === "ArrowLeft") back();
  else if (event.key === " " && !event.target.closest("button, a")) { event.preventDefault(); go(); }
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && since !== null) keepAwake();
});

setInterval(tick, 200);
show(Math.min(Number(words.first), slides.length - 1));
