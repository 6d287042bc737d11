// What others and runs change appears without loading the page again. A part of the page with
// data-live and an id is replaced by what the server shows now, unless somebody is at work in it;
// of any other change, a line says that there is one.
"use strict";

(() => {
  const address = document.querySelector('meta[name="live"]');
  const main = document.getElementById("main");
  if (!address || !main || !window.EventSource) return;
  let shown = text(main);
  let seen = address.dataset.seen;
  let source = null;
  let dirty = false;

  function text(place) {
    const copy = place.cloneNode(true);
    for (const each of copy.querySelectorAll("#messages, dialog")) each.remove();
    return copy.textContent.replace(/\s+/g, " ");
  }

  function atWork() {
    const at = document.activeElement;
    return dirty || document.querySelector("dialog[open], .sortable-chosen") !== null
      || (at && main.contains(at) && at.matches("input, textarea, select"));
  }

  function tell() {
    const messages = document.getElementById("messages");
    if (!messages || document.getElementById("changed")) return;
    const line = document.createElement("p");
    line.id = "changed";
    line.className = "message";
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = address.dataset.reload;
    line.append(address.dataset.changed, " ", link);
    messages.append(line);
  }

  async function look() {
    let answer;
    try {
      answer = await fetch(location.href, { credentials: "same-origin", headers: { "X-Live": "1" } });
    } catch {
      return;
    }
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    const now = fresh && text(fresh);
    if (!fresh || now === shown) return;
    const parts = [...main.querySelectorAll("[data-live][id]")];
    if (!parts.length || atWork()) {
      tell();
      return;
    }
    const focused = document.activeElement && document.activeElement.closest("[data-key]");
    for (const old of parts) {
      const part = fresh.querySelector(`#${CSS.escape(old.id)}`);
      if (part && !part.isEqualNode(old)) old.replaceWith(document.adoptNode(part));
    }
    if (focused && !focused.isConnected) {
      const again = [...main.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused.dataset.key);
      if (again) again.focus();
    }
    shown = now;
    if (text(main) !== shown) tell();
    if (window.htmx) window.htmx.process(main);
    document.dispatchEvent(new CustomEvent("live:changed"));
  }

  main.addEventListener("input", () => { dirty = true; });
  main.addEventListener("submit", () => { dirty = false; });
  document.addEventListener("htmx:afterSwap", () => { shown = text(main); });

  // A browser keeps few connections to one server, for all its windows: a hidden page holds none.
  function listen() {
    if (source) source.close();
    source = null;
    if (document.hidden) return;
    // What changed before this connection stands is told at once.
    source = new EventSource(`${address.content}?seen=${encodeURIComponent(seen)}`);
    source.addEventListener("changed", (event) => {
      seen = event.lastEventId || seen;
      look();
    });
  }

  document.addEventListener("visibilitychange", () => {
    listen();
    if (!document.hidden) look();
  });
  window.addEventListener("pagehide", () => { if (source) source.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
})();
