"use strict";
// The answer to a patient: prepared sentences, and what sending costs while one writes.
const composer = document.getElementById("composer");
if (composer) {
  const text = composer.elements.text;
  for (const button of composer.querySelectorAll("[data-reply]")) {
    button.addEventListener("click", () => {
      text.value = text.value.trim() ? `${text.value.trimEnd()}\n${button.dataset.reply}` : button.dataset.reply;
      text.focus();
    });
  }
  const clock = Number(document.body.dataset.now) * 1000 - Date.now();
  const count = () => {
    const free = document.querySelector("[data-free-until]");
    const left = free ? Math.floor(Number(free.dataset.freeUntil) - (Date.now() + clock) / 1000) : 0;
    if (free && left > 0) free.textContent = free.dataset.text.replace("{n}", left);
    else if (free) {
      const paid = document.createElement("span");
      paid.className = "paid";
      paid.textContent = document.getElementById("cost").dataset.paid;
      free.replaceWith(paid);
    }
    composer.elements.cost.value = left > 0 ? "" : "known";
  };
  setInterval(count, 500);
  count();
  const end = () => { const talk = document.querySelector(".talk"); if (talk) talk.scrollTop = talk.scrollHeight; };
  document.addEventListener("renewed", () => {
    end();
    // Taken over or handed back since the page was made: it offers the other thing now, but takes nothing that was typed.
    const now = document.getElementById("cost").dataset.talking;
    if (now !== composer.dataset.talking && !text.value.trim()) window.location.reload();
  });
  window.addEventListener("load", end); // pictures make it longer
  end();
}
