// The phone: the chat, the quick replies, the rich menu, the stickers and the line to type in.

import { STICKERS, entry } from "./bubbles.js";
import { day, el, local } from "./dom.js";
import { fit } from "./flex.js";
import { current, word } from "./words.js";

const find = (id) => document.getElementById(id);
const STICK = 120; // px from the end within which the chat follows new bubbles
const PATIENCE = 8000; // ms after which an answer is no longer expected

export class Phone {
  constructor(send) {
    this.send = send;
    this.hooks = { act: (action, event) => this.act(action, event), unsend: (id) => send({ do: "unsend", value: id }) };
    this.typing = el("div", { class: "entry theirs typing", hidden: true },
      el("img", { class: "avatar", src: "simulator/avatar.svg", alt: "", width: 36, height: 36 }),
      el("div", { class: "said", role: "status" }, el("i"), el("i"), el("i")));
    find("composer").addEventListener("submit", (event) => this.submit(event));
    find("text").addEventListener("input", () => this.composing());
    find("menu-toggle").addEventListener("click", () => this.openMenu(find("menu").hidden));
    find("sticker-toggle").addEventListener("click", () => this.openStickers(find("stickers").hidden));
    find("add-friend").addEventListener("click", () => send({ do: "follow" }));
    find("friend").addEventListener("click", () => send({ do: this.person.friend ? "block" : "follow" }));
    this.reset();
  }

  reset() {
    this.bubbles = new Map();
    this.person = null;
    this.menuKey = "";
    this.greeted = false;
    this.awaiting = 0; // when the person last did something that wants an answer; 0 when nothing is awaited
    find("log").replaceChildren(this.typing);
    find("quick").hidden = true;
    this.openStickers(false);
    this.openMenu(false);
  }

  relabel() {
    const kept = [...this.bubbles.values()].map((one) => one.bubble);
    this.bubbles = new Map();
    this.menuKey = "";
    find("log").replaceChildren(this.typing);
    this.add(kept);
    this.stickers();
  }

  show(view) {
    this.person = view.people.find((one) => one.id === view.person);
    this.add(view.bubbles);
    this.quickReplies();
    if (performance.now() - this.awaiting > PATIENCE) this.awaiting = 0;
    this.type((view.loading || this.awaiting > 0) && this.person.friend === true);
    this.menu(view.menu);
    if (!this.greeted && view.menu && [...this.bubbles.values()].some((one) => one.bubble.sender === "bot")) this.greet();
    find("stranger").hidden = this.person.friend !== null;
    const button = find("friend");
    button.hidden = this.person.friend === null;
    button.textContent = word(this.person.friend ? "block" : "unblock");
    find("phone").classList.toggle("blocked", this.person.friend === false);
  }

  // --- the chat ---

  add(bubbles) {
    if (!bubbles.length) return;
    const log = find("log");
    const follow = log.scrollHeight - log.scrollTop - log.clientHeight < STICK || bubbles.some((one) => one.sender === "person");
    for (const bubble of bubbles) {
      const node = entry(bubble, this.hooks);
      const before = this.bubbles.get(bubble.id);
      if (before) before.node.replaceWith(node);
      else {
        this.dated(bubble);
        log.insertBefore(node, this.typing);
        if (bubble.sender === "bot") this.awaiting = 0;
      }
      this.bubbles.set(bubble.id, { bubble, node });
      fit(node);
    }
    this.grouped();
    if (follow) this.toEnd();
  }

  dated(bubble) {
    const last = [...this.bubbles.values()].at(-1);
    const label = day(bubble.at, current());
    if (!last || day(last.bubble.at, current()) !== label) {
      find("log").insertBefore(el("div", { class: "notice day" }, el("span", { textContent: label })), this.typing);
    }
  }

  // The avatar stands at the first of several bubbles only.
  grouped() {
    let before = "";
    for (const { bubble, node } of this.bubbles.values()) {
      node.classList.toggle("again", bubble.sender === before && bubble.sender === "bot");
      before = bubble.sender;
    }
  }

  toEnd() {
    const log = find("log");
    const jump = () => { log.scrollTop = log.scrollHeight; };
    jump();
    for (const picture of log.querySelectorAll("img")) {
      if (!picture.complete) picture.addEventListener("load", jump, { once: true });
    }
  }

  type(on) {
    if (this.typing.hidden === !on) return;
    this.typing.hidden = !on;
    this.typing.lastElementChild.setAttribute("aria-label", word("typing"));
    if (on) this.toEnd();
  }

  // Quick replies belong to the last bubble; anything after it takes them away.
  quickReplies() {
    const bar = find("quick");
    const last = [...this.bubbles.values()].at(-1)?.bubble;
    const items = last?.sender === "bot" ? (last.message.quickReply?.items ?? []) : [];
    if (bar.dataset.of === `${last?.id}:${items.length}`) return;
    bar.dataset.of = `${last?.id}:${items.length}`;
    bar.replaceChildren(...items.map((item) => {
      const chip = el("button", { type: "button", textContent: item.action.label });
      chip.addEventListener("click", (event) => this.act(item.action, event));
      return chip;
    }));
    bar.hidden = items.length === 0;
    bar.scrollLeft = 0;
    this.toEnd();
  }

  // --- what a tap does ---

  act(action, event) {
    event?.stopPropagation();
    switch (action.type) {
      case "postback":
        this.openMenu(false);
        this.sent({ do: "tap", value: action.data, shown: action.displayText ?? null });
        break;
      case "datetimepicker":
        this.pick(action);
        break;
      case "message":
        this.sent({ do: "say", value: action.text });
        break;
      case "uri":
        this.open(action.uri);
        break;
      case "clipboard":
        navigator.clipboard?.writeText(action.clipboardText);
        break;
    }
    if (event?.detail === 0) find("log").focus();
  }

  // LINE slides a wheel or a calendar up from below; here it is the browser's own field.
  pick(action) {
    const field = find("time-field");
    field.type = action.mode;
    field.min = action.min ?? "";
    field.max = action.max ?? "";
    field.value = action.initial ?? (action.mode === "time" ? "21:00" : "");
    find("time-title").textContent = word(action.mode === "time" ? "timeLabel" : "dayLabel");
    find("time-form").onsubmit = () => {
      if (field.value) this.sent({ do: action.mode, value: action.data, [action.mode]: field.value });
    };
    find("time").showModal();
  }

  // A number is shown and never dialled: a demo must not ring the ambulance.
  open(uri) {
    if (uri.startsWith("tel:")) {
      find("call-number").textContent = decodeURIComponent(uri.slice(4));
      find("call").showModal();
    } else window.open(local(uri), "_blank", "noopener");
  }

  sent(body) {
    this.awaiting = performance.now();
    this.send(body);
  }

  submit(event) {
    event.preventDefault();
    const text = find("text").value.trim();
    if (!text) return;
    find("text").value = "";
    this.composing();
    this.sent({ do: "say", value: text });
  }

  composing() {
    find("composer").classList.toggle("writing", find("text").value.trim() !== "");
  }

  // --- stickers and the rich menu ---

  openStickers(open) {
    find("stickers").hidden = !open;
    find("sticker-toggle").setAttribute("aria-expanded", String(open));
    if (open) {
      this.openMenu(false);
      this.stickers();
    }
  }

  stickers() {
    find("stickers").replaceChildren(...STICKERS.map((one) => {
      const button = el("button", { type: "button" }, el("img", { src: `simulator/${one.file}`, alt: one[current()], width: 88, height: 88 }));
      button.addEventListener("click", () => {
        this.openStickers(false);
        this.sent({ do: "sticker", value: one.id });
      });
      return button;
    }));
  }

  openMenu(open) {
    find("menu").hidden = !open;
    const toggle = find("menu-toggle");
    toggle.setAttribute("aria-expanded", String(open));
    toggle.setAttribute("aria-label", word(open ? "closeMenu" : "openMenu"));
    if (open) this.openStickers(false);
    if (find("log").isConnected) this.toEnd();
  }

  menu(menu) {
    const toggle = find("menu-toggle");
    toggle.hidden = !menu;
    const key = JSON.stringify(menu);
    if (!menu || key === this.menuKey) return;
    this.menuKey = key;
    toggle.querySelector(".bar-text").textContent = menu.chatBarText;
    find("menu").replaceChildren(menu.picture ? this.uploaded(menu) : this.drawn(menu));
  }

  // LINE opens the menu at first; here only while it hides nothing of the greeting.
  greet() {
    this.greeted = true;
    if (this.touched()) return;
    this.openMenu(true);
    const log = find("log");
    if (log.scrollHeight > log.clientHeight + 1) this.openMenu(false);
  }

  touched() {
    return [...this.bubbles.values()].some((one) => one.bubble.sender === "person");
  }

  uploaded(menu) {
    const { width, height } = menu.size;
    const fields = menu.areas.map(({ bounds, action }) => {
      const field = el("button", { type: "button", class: "field-area" });
      field.setAttribute("aria-label", action.label ?? action.displayText ?? "");
      Object.assign(field.style, {
        left: `${(100 * bounds.x) / width}%`, top: `${(100 * bounds.y) / height}%`,
        width: `${(100 * bounds.width) / width}%`, height: `${(100 * bounds.height) / height}%`,
      });
      field.addEventListener("click", (event) => this.act(action, event));
      return field;
    });
    const frame = el("div", { class: "menu-picture" }, el("img", { src: menu.picture, alt: "" }), ...fields);
    frame.style.aspectRatio = `${width} / ${height}`;
    return frame;
  }

  drawn(menu) {
    const grid = el("div", { class: "menu-drawn" });
    grid.style.backgroundColor = menu.background;
    grid.style.color = menu.ink;
    grid.append(...menu.areas.map((area) => {
      const field = el("button", { type: "button" }, el("img", { src: `media/${area.icon}`, alt: "", width: 56, height: 56 }), el("span", { textContent: area.label }));
      field.addEventListener("click", (event) => this.act({ type: "postback", data: area.data, displayText: area.label }, event));
      return field;
    }));
    return grid;
  }
}
