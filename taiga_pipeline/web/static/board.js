// Cards that are dragged, or moved by keys. What the server answers is put in its place: lanes that
// changed, a form that asks for more, or why a move was refused.
"use strict";

(() => {
  const board = document.getElementById("board");
  const dialog = document.getElementById("dialog");
  const messages = document.getElementById("messages");
  if (!board) return;
  const address = board.dataset.move;
  const token = document.querySelector('meta[name="csrf"]').content;

  function parsed(text) {
    return new DOMParser().parseFromString(text, "text/html").body;
  }

  async function ask(url, options = {}) {
    const headers = { "HX-Request": "true", "X-CSRF-Token": token };
    try {
      return await fetch(url, { ...options, headers, credentials: "same-origin" });
    } catch {
      document.dispatchEvent(new CustomEvent("htmx:sendError"));
      return null;
    }
  }

  async function take(answer, key) {
    if (!answer) return false;
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) {
      location.assign(elsewhere);
      return true;
    }
    const content = parsed(await answer.text());
    if (content.querySelector("form[data-dialog]")) {
      dialog.replaceChildren(...content.childNodes);
      if (!dialog.open) dialog.showModal();
      return false;
    }
    if (dialog.open) dialog.close();
    const said = content.querySelectorAll(".message");
    messages.replaceChildren(...said);
    if (!answer.ok) return false;
    for (const fresh of content.querySelectorAll("section.lane, #totals")) {
      const old = document.getElementById(fresh.id);
      if (old) old.replaceWith(fresh);
    }
    arrange();
    const card = key && [...board.querySelectorAll(".card")].find((each) => each.dataset.key === key);
    if (card) card.focus();
    return true;
  }

  async function send(form) {
    form.set("at", location.search);
    return take(await ask(address, { method: "POST", body: new URLSearchParams(form) }), form.get("key"));
  }

  function move(card, stage) {
    const form = new FormData();
    form.set("key", card.dataset.key);
    form.set("stage", stage);
    form.set("seen_stage", card.dataset.stage);
    return send(form);
  }

  function arrange() {
    if (!address || !window.Sortable) return;
    for (const list of board.querySelectorAll("ul.cards")) {
      if (Sortable.get(list)) continue;
      Sortable.create(list, {
        group: "deals", sort: false, animation: 120, filter: "a", preventOnFilter: false,
        delay: 150, delayOnTouchOnly: true,
        onEnd: async ({ item, from, to, oldIndex }) => {
          if (from === to) return;
          // The card goes back until the server has agreed: a gate may be closed.
          const wanted = to.dataset.stage;
          from.insertBefore(item, from.children[oldIndex] || null);
          await move(item, wanted);
        },
      });
    }
  }

  document.addEventListener("live:changed", arrange);

  board.addEventListener("keydown", (event) => {
    const card = event.target.closest(".card");
    if (!card || event.target !== card) return;
    const lanes = [...board.querySelectorAll(".lane")];
    const at = lanes.indexOf(card.closest(".lane"));
    if (event.shiftKey && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      const next = lanes[at + (event.key === "ArrowRight" ? 1 : -1)];
      event.preventDefault();
      if (next && address) move(card, next.dataset.stage);
    } else if (!event.shiftKey && ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      walk(card, lanes, at, event.key);
    } else if (event.key === "Enter") {
      card.querySelector("a").click();
    }
  });

  function walk(card, lanes, at, key) {
    if (key === "ArrowDown" || key === "ArrowUp") {
      const next = key === "ArrowDown" ? card.nextElementSibling : card.previousElementSibling;
      if (next) next.focus();
      return;
    }
    const step = key === "ArrowRight" ? 1 : -1;
    for (let n = at + step; lanes[n]; n += step) {
      const first = lanes[n].querySelector(".card");
      if (first) return first.focus();
    }
  }

  board.addEventListener("click", async (event) => {
    const link = event.target.closest("a.move");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await take(await ask(link.href));
  });

  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    send(new FormData(event.target, event.submitter));
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });

  // Others changed something: the board is asked for again, unless somebody is in the middle of a move.
  async function refresh() {
    if (dialog.open || document.querySelector(".sortable-chosen")) return;
    const answer = await ask(location.href, {});
    if (!answer || !answer.ok) return;
    const focused = document.activeElement?.closest?.(".card")?.dataset.key;
    const content = parsed(await answer.text());
    const fresh = content.querySelector("#board");
    if (!fresh) return;
    board.replaceChildren(...fresh.childNodes);
    const totals = content.querySelector("#totals");
    if (totals) document.getElementById("totals").replaceWith(totals);
    arrange();
    const card = focused && [...board.querySelectorAll(".card")].find((each) => each.dataset.key === focused);
    if (card) card.focus();
  }
  document.addEventListener("pipeline:changed", refresh);

  arrange();
})();
