// The desk of broadcasts: the phone's look, the number of recipients, and a progress bar that moves.

import { blocks } from "../phone/blocks.js";
import { el } from "../phone/dom.js";
import { container, fit } from "../phone/flex.js";

const LOOK_AFTER = 350;
const POLL_EVERY = 1000;
const nothing = (action, event) => event.preventDefault();

function shown(object) {
  switch (object.type) {
    case "text": return el("div", { class: "said", textContent: object.text });
    case "image": return el("div", { class: "photo" }, el("img", { src: object.previewImageUrl, alt: "" }));
    case "flex": return el("div", { role: "group", "aria-label": object.altText }, container(object.contents, nothing));
    default: return el("div", { class: "said", textContent: `[${object.type}]` });
  }
}

function draw(letter) {
  for (const screen of document.querySelectorAll("[data-screen]")) {
    const objects = letter[screen.dataset.screen];
    screen.replaceChildren(...(objects.length ? objects.map(shown) : [el("p", { textContent: screen.dataset.empty })]));
    for (const one of screen.querySelectorAll("button, [tabindex]")) one.tabIndex = -1;
    fit(screen);
  }
}

function drawSlack(letter) {
  for (const screen of document.querySelectorAll("[data-slack]")) {
    const found = letter[screen.dataset.slack];
    screen.replaceChildren(found.length ? blocks(found, () => {}) : el("p", { textContent: screen.dataset.empty }));
    for (const one of screen.querySelectorAll("a, button, input")) one.tabIndex = -1;
    screen.onclick = (event) => event.preventDefault();
  }
}

function list(node, pairs, none) {
  node.replaceChildren(...(pairs.length ? pairs : [[none, ""]]).map(([words, n]) =>
    el("li", {}, el("span", { textContent: words }), el("b", { class: "number", textContent: n }))));
}

const phones = document.querySelector("[data-letter]");
if (phones) {
  draw(JSON.parse(phones.dataset.letter));
  drawSlack(JSON.parse(phones.dataset.blocks));
}

// --- the form ---

const form = document.querySelector("form.desk");
if (form) {
  form.classList.add("ready");
  const parts = [...form.querySelectorAll("[data-part]")];
  const add = form.querySelector("[data-add]");
  const spare = () => parts.find((part) => "spare" in part.dataset);
  add.hidden = !spare();
  add.addEventListener("click", () => {
    const next = spare();
    delete next.dataset.spare;
    add.hidden = !spare();
    next.querySelector("select").focus();
  });
  form.addEventListener("change", (event) => {
    const { target } = event;
    if ("kindOf" in target.dataset) target.closest("[data-part]").dataset.kind = target.value;
    if ("doesOf" in target.dataset) named(target);
  });

  function named(select) {
    const button = select.closest("[data-button]");
    button.dataset.does = select.value;
    const chosen = select.selectedOptions[0];
    for (const language of ["ja", "en"]) {
      const label = button.querySelector(`[name$="-label-${language}"]`);
      if (!label.value && chosen.dataset[language]) label.value = chosen.dataset[language];
    }
  }

  form.querySelector("[data-find]")?.addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const one of form.querySelectorAll("[data-name]")) one.hidden = !one.dataset.name.toLowerCase().includes(wanted);
  });

  let timer = 0;
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const response = await fetch(form.dataset.look, { method: "POST", body: new FormData(form), headers: { "X-Part": "look" } });
    if (!response.ok || mine !== asked) return;
    const found = await response.json();
    draw(found.letter);
    drawSlack(found.blocks);
    const reach = form.querySelector("[data-reach]");
    reach.querySelector("[data-recipients]").textContent = found.recipients;
    reach.querySelector("[data-everybody]").textContent = reach.dataset.of.replace("{n}", found.everybody);
    list(reach.querySelector("[data-left-out]"), found.left_out, reach.dataset.none);
    const wrongs = form.querySelector("[data-problems]");
    wrongs.hidden = !found.problems.length;
    wrongs.querySelector("ul").replaceChildren(...found.problems.map((textContent) => el("li", { textContent })));
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, LOOK_AFTER);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  look();
}

// --- progress ---

const progress = document.querySelector("[data-progress]");
if (progress?.dataset.progress) {
  const before = document.querySelector("[data-status]").dataset.status;
  const poll = async () => {
    const response = await fetch(progress.dataset.progress, { headers: { "X-Part": "progress" } }).catch(() => null);
    if (response?.ok) {
      const found = await response.json();
      if (found.status !== before) return window.location.reload();
      progress.querySelector("progress").value = found.percent;
      for (const node of progress.querySelectorAll("[data-number]")) node.textContent = found[node.dataset.number];
    }
    setTimeout(poll, POLL_EVERY);
  };
  setTimeout(poll, POLL_EVERY);
}
