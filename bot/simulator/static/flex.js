// Flex Messages, a faithful subset: "Flex Message elements" and "Flex Message layout" (developers.line.biz).

import { el, local } from "./dom.js";

const SPACE = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const FONT = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, "3xl": 35, "4xl": 48, "5xl": 74 };
const IMAGE = { xxs: 40, xs: 60, sm: 80, md: 100, lg: 120, xl: 140, xxl: 160, "3xl": 180, "4xl": 200, "5xl": 220, full: "100%" };
const RADIUS = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const BORDER = { none: 0, light: 0.5, normal: 1, medium: 2, "semi-bold": 3, bold: 4 };
const SIDES = { Top: "top", Bottom: "bottom", Start: "left", End: "right" };
const JUSTIFY = { start: "flex-start", center: "center", end: "flex-end", top: "flex-start", bottom: "flex-end" };

const length = (value, table) => {
  if (value === undefined) return "";
  const known = table[value];
  return typeof known === "number" ? `${known}px` : (known ?? value);
};

export function container(flex, act) {
  if (flex.type === "carousel") {
    return el("div", { class: "carousel" }, ...flex.contents.map((one) => bubble(one, act)));
  }
  return bubble(flex, act);
}

function bubble(flex, act) {
  const node = el("div", { class: `flex-bubble size-${flex.size ?? "mega"}` });
  if (flex.direction) node.dir = flex.direction;
  for (const block of ["header", "hero", "body", "footer"]) {
    const part = flex[block];
    if (!part) continue;
    const style = flex.styles?.[block] ?? {};
    const wrap = el("div", { class: `block block-${block} is-${part.type}` });
    if (style.separator) {
      wrap.classList.add("ruled");
      if (style.separatorColor) wrap.style.borderTopColor = style.separatorColor;
    }
    if (style.backgroundColor) wrap.style.backgroundColor = style.backgroundColor;
    const inner = component(part, "vertical", act);
    wrap.append(inner);
    node.append(wrap);
  }
  if (flex.action) tappable(node, flex.action, act);
  return node;
}

function component(part, layout, act) {
  const node = (KINDS[part.type] ?? KINDS.filler)(part, act);
  place(node, part, layout);
  if (part.action && part.type !== "button") tappable(node, part.action, act);
  return node;
}

const KINDS = {
  box: boxOf,
  button: buttonOf,
  text: textOf,
  image: imageOf,
  icon: iconOf,
  separator: (part) => {
    const node = el("hr", { class: "fx-separator" });
    if (part.color) node.style.borderColor = part.color;
    return node;
  },
  filler: () => el("div", { class: "fx-filler" }),
};

function boxOf(part, act) {
  const node = el("div", { class: `fx-box fx-${part.layout}` });
  const style = node.style;
  if (part.backgroundColor) style.backgroundColor = part.backgroundColor;
  if (part.background) {
    const { angle, startColor, centerColor, endColor } = part.background;
    style.backgroundImage = `linear-gradient(${angle}, ${[startColor, centerColor, endColor].filter(Boolean).join(", ")})`;
  }
  if (part.borderWidth || part.borderColor) {
    style.borderStyle = "solid";
    style.borderWidth = length(part.borderWidth ?? "normal", BORDER);
    style.borderColor = part.borderColor ?? "#00000000";
  }
  style.borderRadius = length(part.cornerRadius, RADIUS);
  for (const side of ["width", "maxWidth", "height", "maxHeight"]) if (part[side]) style[side] = part[side];
  if (part.paddingAll) style.padding = length(part.paddingAll, SPACE);
  for (const side of Object.keys(SIDES)) {
    const value = part[`padding${side}`];
    if (value) style[`padding${SIDES[side][0].toUpperCase()}${SIDES[side].slice(1)}`] = length(value, SPACE);
  }
  if (part.justifyContent) style.justifyContent = part.justifyContent;
  if (part.alignItems) style.alignItems = part.alignItems;
  part.contents.forEach((inner, index) => {
    const child = component(inner, part.layout, act);
    const gap = inner.margin ?? (index ? part.spacing : undefined);
    if (gap) child.style[part.layout === "vertical" ? "marginTop" : "marginLeft"] = length(gap, SPACE);
    node.append(child);
  });
  return node;
}

function place(node, part, layout) {
  const style = node.style;
  const byDefault = layout !== "vertical" && ["box", "text", "button", "image", "filler"].includes(part.type) ? 1 : 0;
  const flex = part.flex ?? (part.type === "filler" ? 1 : part.width && layout !== "vertical" ? 0 : byDefault);
  if (layout === "vertical") style.flex = flex > 0 && part.flex !== undefined ? `${flex} 0 auto` : part.type === "filler" ? "1 0 auto" : "0 0 auto";
  else style.flex = flex > 0 ? `${flex} 0 0` : "0 0 auto";
  if (part.gravity && layout === "horizontal") style.alignSelf = JUSTIFY[part.gravity];
  if (part.position === "absolute") style.position = "absolute";
  for (const [name, css] of Object.entries(SIDES)) if (part[`offset${name}`]) style[css] = length(part[`offset${name}`], SPACE);
}

function textOf(part) {
  const node = el("p", { class: "fx-text" });
  letters(node, part);
  node.style.textAlign = part.align ?? "";
  if (part.lineSpacing) node.style.lineHeight = `calc(1.35em + ${part.lineSpacing})`;
  if (part.adjustMode) node.classList.add("shrinks");
  if (!part.wrap) node.classList.add("one-line");
  if (part.maxLines) {
    node.classList.add("clamped");
    node.style.webkitLineClamp = part.maxLines;
  }
  if (part.contents?.length) {
    for (const span of part.contents) {
      const child = el("span", { textContent: span.text });
      letters(child, span);
      node.append(child);
    }
  } else node.textContent = part.text;
  return node;
}

function letters(node, part) {
  const style = node.style;
  if (part.size) style.fontSize = length(part.size, FONT);
  if (part.weight) style.fontWeight = part.weight === "bold" ? "700" : "400";
  if (part.color) style.color = part.color;
  if (part.style) style.fontStyle = part.style;
  if (part.decoration) style.textDecoration = part.decoration;
}

function buttonOf(part, act) {
  const style = part.style ?? "link";
  const node = el("button", { type: "button", class: `fx-button fx-${style} height-${part.height ?? "md"}`, textContent: part.action.label });
  if (part.color) node.style[style === "link" ? "color" : "backgroundColor"] = part.color;
  if (part.adjustMode) node.classList.add("shrinks");
  node.addEventListener("click", (event) => act(part.action, event));
  return node;
}

// adjustMode "shrink-to-fit", once the browser knows the widths.
export function fit(node) {
  for (const one of node.querySelectorAll(".shrinks")) {
    for (let size = parseFloat(getComputedStyle(one).fontSize); one.scrollWidth > one.clientWidth && size > 10; size -= 0.5) {
      one.style.fontSize = `${size}px`;
    }
  }
}

function imageOf(part) {
  const node = el("div", { class: "fx-image" });
  const picture = el("img", { src: local(part.url), alt: part.action?.label ?? "", decoding: "async" });
  const [width, height] = (part.aspectRatio ?? "1:1").split(":").map(Number);
  picture.style.aspectRatio = `${width} / ${height}`;
  picture.style.width = length(part.size ?? "md", IMAGE);
  picture.style.objectFit = part.aspectMode === "cover" ? "cover" : "contain";
  if (part.backgroundColor) picture.style.backgroundColor = part.backgroundColor;
  node.style.justifyContent = JUSTIFY[part.align ?? "center"];
  node.append(picture);
  return node;
}

function iconOf(part) {
  const picture = el("img", { src: local(part.url), alt: "", class: "fx-icon" });
  const [width, height] = (part.aspectRatio ?? "1:1").split(":").map(Number);
  picture.style.height = length(part.size ?? "md", FONT);
  picture.style.aspectRatio = `${width} / ${height}`;
  return picture;
}

function tappable(node, action, act) {
  node.classList.add("tappable");
  node.tabIndex = 0;
  node.setAttribute("role", "button");
  if (action.label) node.setAttribute("aria-label", action.label);
  node.addEventListener("click", (event) => act(action, event));
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter") act(action, event);
  });
}
