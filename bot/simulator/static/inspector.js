// What is behind the phone: the clock, the bill, what is remembered, what came in and what went out.

import { clock, day, el } from "./dom.js";
import { current, word } from "./words.js";

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

export class Inspector {
  constructor(root, hooks) {
    this.root = root;
    this.hooks = hooks;
    this.open = new Set(["state", "answers", "alerts", "deliveries"]);
    this.key = "";
  }

  relabel() {
    this.key = "";
  }

  show(view) {
    this.time(view);
    const { now, ahead, seq, bubbles, loading, people, menu, ...rest } = view;
    const key = JSON.stringify(rest);
    if (key === this.key) return;
    this.key = key;
    const memory = view.memory;
    this.root.replaceChildren(el("div", { class: "cards" },
      this.clockCard(view),
      this.billCard(view),
      this.violations(view.violations),
      this.rows("alerts", memory.alerts ?? [], (row) => [tag(row.level ?? row.kind, "alert"), row.what, row.at && clock(row.at)]),
      this.tree("answers", memory.answers),
      this.tree("state", memory.state),
      this.rows("deliveries", memory.deliveries ?? [], (row) => [tag(row.status, row.status), row.what, row.at && clock(row.at)]),
      this.rows("events", memory.events ?? [], (row) => [tag(row.status, row.status), row.what, row.at && clock(row.at)]),
      this.webhooks(view.webhooks),
      el("p", { class: "advice", textContent: word("advice") }),
    ));
    this.time(view);
  }

  time(view) {
    const node = this.root.querySelector(".now");
    if (!node) return;
    const text = `${day(view.now, current())} ${clock(view.now)}`;
    if (node.textContent !== text) node.textContent = text;
    this.root.querySelector(".ahead").textContent = view.ahead ? `+${Math.round(view.ahead)} ${word("ahead")}` : "";
  }

  clockCard() {
    const buttons = [["hour", 1], ["day", 24]].map(([name, hours]) => {
      const button = el("button", { type: "button", class: "act", textContent: word(name) });
      button.addEventListener("click", () => this.hooks.clock(hours));
      return button;
    });
    return card(word("clock"), el("p", { class: "clock" }, el("strong", { class: "now" }), el("span", { class: "ahead" })), el("div", { class: "acts" }, ...buttons));
  }

  billCard(view) {
    const figure = (value, label) => el("div", {}, el("dd", { textContent: value }), el("dt", { textContent: label }));
    return card(word("bill"), el("dl", { class: "figures" },
      figure(view.billed, word("billed")), figure(view.free, word("free")), figure(view.quota, word("quota"))));
  }

  violations(list) {
    const body = list.length
      ? el("ul", { class: "violations" }, ...list.slice(-5).map((one) => el("li", { textContent: `${one.where}: ${one.problem}` })))
      : el("p", { class: "good", textContent: word("none") });
    return card(word("violations"), body);
  }

  rows(name, rows, cells) {
    const list = rows.length
      ? el("ul", { class: "rows" }, ...rows.map((row) => el("li", {}, ...cells(row).map((cell) => (typeof cell === "string" ? el("span", { textContent: cell }) : cell)))))
      : el("p", { class: "quiet", textContent: word("none") });
    return this.folding(name, list);
  }

  tree(name, value) {
    const empty = !value || Object.keys(value).length === 0;
    return this.folding(name, empty ? el("p", { class: "quiet", textContent: word("noState") }) : this.branch(value, name));
  }

  branch(value, path) {
    const list = el("ul", { class: "tree" });
    for (const [key, one] of Object.entries(value)) {
      if (one === null || one === "" || (typeof one === "object" && !Object.keys(one).length)) continue;
      if (typeof one === "object") {
        const inner = this.fold(`${path}.${key}`, el("span", { class: "key", textContent: key }), this.branch(one, `${path}.${key}`));
        inner.querySelector("summary").append(el("span", { class: "count", textContent: String(Object.keys(one).length) }));
        list.append(el("li", {}, inner));
      } else {
        list.append(el("li", {}, el("span", { class: "key", textContent: key }), el("span", { class: `value of-${typeof one}`, textContent: plain(one) })));
      }
    }
    return list;
  }

  webhooks(rows) {
    const again = el("button", { type: "button", class: "act", textContent: word("redeliver") });
    again.addEventListener("click", () => this.hooks.send({ do: "redeliver" }));
    const list = el("ul", { class: "rows" }, ...rows.map((row) => el("li", {},
      tag(String(row.status), row.status === 200 ? "done" : "failed"), el("span", { textContent: row.type }),
      el("span", { textContent: clock(new Date(row.at).toISOString()) }))));
    return this.folding("webhooks", el("div", {}, list, el("div", { class: "acts" }, again)));
  }

  folding(name, body) {
    const node = this.fold(name, el("h2", { textContent: word(name) }), body);
    node.classList.add("card", `card-${name}`);
    return node;
  }

  fold(name, title, body) {
    const node = el("details", { open: this.open.has(name) }, el("summary", {}, title), body);
    node.addEventListener("toggle", () => this.open[node.open ? "add" : "delete"](name));
    return node;
  }
}

function plain(value) {
  return MOMENT.test(value) ? `${day(value, current())} ${clock(value)}` : String(value);
}

function card(title, ...body) {
  return el("section", { class: "card" }, el("h2", { textContent: title }), ...body);
}

function tag(text, kind) {
  return el("span", { class: `tag tag-${kind}`, textContent: text });
}
