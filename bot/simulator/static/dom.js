// Building elements without markup in strings, so that no message can ever become markup.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const publicUrl = document.querySelector('meta[name="public-url"]').content;

// The bot's own pictures and pages are asked for from wherever this page was opened.
export function local(url) {
  return publicUrl && url.startsWith(`${publicUrl}/`) ? url.slice(publicUrl.length + 1) : url;
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString("ja-JP", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Tokyo" });
}

export function day(iso, language) {
  const locale = language === "ja" ? "ja-JP" : "en-GB";
  return new Date(iso).toLocaleDateString(locale, { month: "long", day: "numeric", weekday: "short", timeZone: "Asia/Tokyo" });
}
