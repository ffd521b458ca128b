"use strict";
// Parts of a page that renew themselves, and times that tell how long somebody has waited. The server's clock counts.
const skew = Number(document.body.dataset.now) * 1000 - Date.now();

function tell() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.round((Date.now() + skew) / 1000 - Number(time.dataset.since)));
    const [unit, n] = seconds < 60 ? ["seconds", seconds] : seconds < 3600 ? ["minutes", Math.floor(seconds / 60)]
      : seconds < 172800 ? ["hours", Math.floor(seconds / 3600)] : ["days", Math.floor(seconds / 86400)];
    time.textContent = time.dataset[unit].replace("{n}", n);
  }
}

function busy(part) {
  const typed = [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((one) => one.value !== one.defaultValue);
  return typed || part.contains(document.activeElement) || part.querySelector("details[open]") !== null;
}

async function renew(part) {
  let answer;
  try {
    answer = await fetch(part.dataset.part, { headers: { "X-Part": "1" }, redirect: "manual" });
  } catch {
    lost(part, true);
    return;
  }
  if (answer.status === 403) { window.location.reload(); return; }
  lost(part, !answer.ok);
  const stamp = answer.headers.get("X-Stamp");
  if (!answer.ok || stamp === part.dataset.stamp || busy(part)) return;
  const html = await answer.text();
  if (busy(part)) return;
  part.dataset.stamp = stamp;
  part.innerHTML = html;
  part.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
  tell();
}

function lost(part, is) {
  let note = part.previousElementSibling;
  if (!note?.classList.contains("lost")) {
    if (!is) return;
    note = document.createElement("p");
    note.className = "lost unread";
    note.setAttribute("role", "alert");
    note.textContent = part.dataset.lost;
    part.before(note);
  } else if (!is) note.remove();
}

for (const part of document.querySelectorAll("[data-part]")) {
  setInterval(() => { if (!document.hidden) renew(part); }, Number(part.dataset.every) * 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(part); });
}
setInterval(tell, 1000);
tell();
