// One entry of the chat as an element.

import { clock, el, local } from "./dom.js";
import { container } from "./flex.js";
import { word } from "./words.js";

const LINKS = /(https?:\/\/[^\s<>"]+)|((?:0\d{1,4}-\d{1,4}-\d{3,4})|(?:0120-\d{3}-\d{3}))/g;

export const STICKERS = [
  { id: "1988", file: "sticker-ok.svg", ja: "OK!", en: "OK!" },
  { id: "1989", file: "sticker-thanks.svg", ja: "ありがとう", en: "Thanks" },
  { id: "1990", file: "sticker-ouch.svg", ja: "いたた…", en: "Ouch" },
];

export function entry(bubble, hooks) {
  if (bubble.sender === "notice") return notice(word(bubble.message.notice));
  if (bubble.unsent) return notice(word("unsentMe"));
  const mine = bubble.sender === "person";
  const node = el("div", { class: `entry ${mine ? "mine" : "theirs"} kind-${bubble.message.type}` });
  if (!mine) node.append(el("img", { class: "avatar", src: "simulator/avatar.svg", alt: "", width: 36, height: 36 }));
  node.append(el("span", { class: "unseen", textContent: `${word(mine ? "youSay" : "botSays")}: ` }));
  node.append(content(bubble.message, hooks), meta(bubble, mine, hooks));
  return node;
}

function notice(text) {
  return el("div", { class: "notice" }, el("span", { textContent: text }));
}

function meta(bubble, mine, hooks) {
  const node = el("div", { class: "meta" });
  if (mine) {
    const take = el("button", { type: "button", class: "unsend", textContent: word("unsend") });
    take.addEventListener("click", () => hooks.unsend(bubble.id));
    node.append(take);
    if (bubble.read) node.append(el("span", { class: "read", textContent: word("read") }));
  }
  node.append(el("time", { dateTime: bubble.at, textContent: clock(bubble.at) }));
  return node;
}

function content(message, hooks) {
  switch (message.type) {
    case "text":
      return el("div", { class: "said" }, ...linked(message.text, hooks));
    case "image": {
      const picture = el("img", { src: local(message.previewImageUrl), alt: word("image"), decoding: "async" });
      return el("div", { class: "photo" }, picture);
    }
    case "sticker": {
      const sticker = STICKERS.find((one) => one.id === message.stickerId) ?? STICKERS[0];
      return el("img", { class: "sticker", src: `simulator/${sticker.file}`, alt: sticker[document.documentElement.lang], width: 120, height: 120 });
    }
    case "flex": {
      const card = container(message.contents, hooks.act);
      card.setAttribute("aria-label", message.altText);
      card.setAttribute("role", "group");
      return card;
    }
    default:
      return el("div", { class: "said", textContent: `[${message.type}]` });
  }
}

function linked(text, hooks) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(LINKS)) {
    parts.push(text.slice(last, match.index));
    const uri = match[1] ?? `tel:${match[2]}`;
    const link = el("a", { href: match[1] ? local(uri) : uri, textContent: match[0] });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      hooks.act({ type: "uri", uri }, event);
    });
    parts.push(link);
    last = match.index + match[0].length;
  }
  parts.push(text.slice(last));
  return parts;
}
