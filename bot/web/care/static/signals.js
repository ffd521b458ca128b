// A soft tone, a short buzz, and a screen that stays on. Where a phone cannot, nothing happens.
let sound = null;

export function beep(strong) {
  if (!sound) return;
  const from = sound.currentTime;
  (strong ? [0, 0.28] : [0]).forEach((later, index) => {
    const tone = sound.createOscillator();
    const level = sound.createGain();
    tone.frequency.value = strong && index ? 784 : 587;
    level.gain.setValueAtTime(0.0001, from + later);
    level.gain.exponentialRampToValueAtTime(0.25, from + later + 0.03);
    level.gain.exponentialRampToValueAtTime(0.0001, from + later + 0.5);
    tone.connect(level).connect(sound.destination);
    tone.start(from + later);
    tone.stop(from + later + 0.55);
  });
}

// A browser lets a page sound only after a touch: called with each one that starts the clock.
beep.wake = () => {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (Context) sound ??= new Context();
  sound?.resume();
};

export const canBuzz = "vibrate" in navigator;

export function buzz(strong) {
  if (canBuzz) navigator.vibrate(strong ? [250, 120, 250] : 200);
}

let lock = null;
let film = null;

export async function keepAwake() {
  try {
    lock ??= await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => { lock = null; });
  } catch {
    playNothing();
  }
}

export function letSleep() {
  lock?.release();
  lock = null;
  film?.pause();
}

// Without Wake Lock: most phones stay awake while a film plays, be it a still one.
function playNothing() {
  if (!film) {
    const canvas = document.createElement("canvas");
    canvas.getContext("2d")?.fillRect(0, 0, 1, 1);
    if (!canvas.captureStream) return;
    film = document.createElement("video");
    film.muted = true;
    film.playsInline = true;
    film.srcObject = canvas.captureStream(1);
  }
  film.play().catch(() => {});
}
