// Asks the demo what is new, shows it, and passes on what is tapped.

import { clock, el } from "./dom.js";
import { Inspector } from "./inspector.js";
import { Phone } from "./phone.js";
import { current, speak, word } from "./words.js";

const CALM = 700; // ms between two questions while nothing is expected
const EAGER = 150; // ms while an answer is on its way

const find = (id) => document.getElementById(id);
let person = new URLSearchParams(location.search).get("person") ?? "";
let after = 0;
let timer = 0;
let asking = false;
let again = false; // asked to ask while asking
let peopleKey = "";

const phone = new Phone(send);
const inspector = new Inspector(find("inspector"), { send, clock: (hours) => post("clock", { hours }) });

async function ask() {
  clearTimeout(timer);
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  const whose = person;
  try {
    const response = await fetch(`simulator/view?person=${encodeURIComponent(person)}&after=${after}`);
    if (!response.ok) throw new Error(String(response.status));
    const view = await response.json();
    document.body.classList.remove("offline");
    if (whose === person) show(view);
  } catch {
    document.body.classList.add("offline");
    document.body.dataset.offline = word("offline");
  } finally {
    asking = false;
    timer = setTimeout(ask, again ? 0 : phone.awaiting ? EAGER : CALM);
  }
}

function show(view) {
  person = view.person;
  after = view.seq;
  phone.show(view);
  inspector.show(view);
  people(view.people);
  find("status-time").textContent = clock(view.now);
}

function people(list) {
  const key = JSON.stringify([list, person]);
  if (key === peopleKey) return;
  peopleKey = key;
  find("people").replaceChildren(...list.map((one) => {
    const chip = el("button", { type: "button", class: "chip", textContent: one.name });
    chip.setAttribute("aria-pressed", String(one.id === person));
    chip.addEventListener("click", () => turnTo(one.id));
    return el("li", {}, chip);
  }));
  find("people").querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function turnTo(id) {
  person = id;
  after = 0;
  history.replaceState(null, "", `?person=${id}`);
  phone.reset();
  ask();
}

async function post(path, body) {
  const response = await fetch(`simulator/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
  ask();
  return response?.ok && response.status !== 204 ? response.json() : null;
}

function send(body) {
  return post("act", { person, ...body });
}

function say(language) {
  speak(language);
  try {
    localStorage.setItem("language", language);
  } catch { /* a private window keeps nothing, and need not */ }
  find("language").textContent = word("otherLanguage");
  find("language").lang = language === "ja" ? "en" : "ja";
  phone.relabel();
  inspector.relabel();
  peopleKey = "";
}

function remembered() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

find("language").addEventListener("click", () => {
  say(current() === "ja" ? "en" : "ja");
  ask();
});
find("new-person").addEventListener("click", async () => {
  const made = await post("people", { language: current() });
  if (made) turnTo(made.id);
});
for (const tab of document.querySelectorAll("[data-tab-to]")) {
  tab.addEventListener("click", () => {
    document.body.dataset.tab = tab.dataset.tabTo;
    for (const one of document.querySelectorAll("[data-tab-to]")) one.setAttribute("aria-pressed", String(one === tab));
  });
}
document.querySelector('[data-tab-to="phone"]').setAttribute("aria-pressed", "true");

say(remembered() ?? (navigator.language.startsWith("ja") ? "ja" : "en"));
ask();
