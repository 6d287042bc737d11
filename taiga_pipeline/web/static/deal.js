// Rows of contacts and roles grow as they are filled, and roles are drawn over the weeks.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";

  function grow(body) {
    const last = body.rows[body.rows.length - 1];
    const filled = [...last.querySelectorAll("input")].some((each) => each.value && each.name !== "role_start");
    if (!filled) return;
    const next = last.cloneNode(true);
    for (const each of next.querySelectorAll("input")) each.value = each.name === "role_start" ? "0" : "";
    body.append(next);
  }

  function draw(body) {
    const picture = document.getElementById("drawn");
    const value = (row, name) => Number(row.querySelector(`[name=${name}]`).value.replace(",", ".")) || 0;
    const roles = [...body.rows]
      .filter((row) => row.querySelector("[name=role_name]").value.trim())
      .map((row) => [value(row, "role_start"), value(row, "role_weeks"), value(row, "role_hours")])
      .filter(([start, weeks]) => start >= 0 && weeks > 0 && start + weeks <= 520);
    const end = Math.max(1, ...roles.map(([start, weeks]) => start + weeks));
    const most = Math.max(1, ...roles.map((each) => each[2]));
    picture.setAttribute("viewBox", `0 0 ${end * 10} ${Math.max(1, roles.length) * 22}`);
    picture.setAttribute("height", roles.length * 22);
    picture.replaceChildren(
      ...roles.map(([start, weeks, hours], n) => {
        const bar = document.createElementNS(SVG, "rect");
        const height = Math.max(1, (20 * hours) / most);
        const places = { x: start * 10, width: weeks * 10, y: n * 22 + 20 - height, height };
        for (const [name, place] of Object.entries(places)) bar.setAttribute(name, place);
        return bar;
      }),
    );
  }

  for (const body of document.querySelectorAll("[data-rows]")) {
    body.addEventListener("input", () => {
      grow(body);
      if ("draw" in body.dataset) draw(body);
    });
    if ("draw" in body.dataset) draw(body);
  }
})();
