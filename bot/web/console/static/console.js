"use strict";
// Asks before what cannot be taken back, and closes the menu of a narrow screen.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm || event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

const wide = window.matchMedia("(min-width: 62rem)");
const menu = document.querySelector("details.menu");
if (menu) {
  const fit = () => { menu.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !wide.matches) menu.open = false;
  });
}
