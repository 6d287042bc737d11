// What every page adds for those who have scripts; without them, forms post and links lead on.
"use strict";

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf"]');
  if (token) event.detail.headers["X-CSRF-Token"] = token.content;
});

// A form or a list with data-send is sent as soon as something in it is chosen.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-send]");
  if (form) form.requestSubmit();
});

// A form is sent once: a second click while it is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

document.addEventListener("htmx:sendError", () => {
  const place = document.getElementById("messages");
  const said = document.createElement("p");
  said.className = "message wrong";
  said.textContent = document.body.dataset.unreachable || "The server does not answer. Nothing was changed.";
  if (place) place.replaceChildren(said);
});
