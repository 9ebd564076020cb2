"use strict";
// Sorts and filters the table, opens a cell's panel, and chooses the scheme. Without it all is there but the panels.
(() => {
  const root = document.documentElement;
  const schemes = ["system", "light", "dark"];
  const scheme = document.getElementById("scheme");
  const choose = (name) => {
    if (name === "system") root.removeAttribute("data-scheme");
    else root.dataset.scheme = name;
    scheme.textContent = `Scheme: ${name}`;
    scheme.dataset.name = name;
  };
  const remember = (name) => {
    // A page from disk may be refused any storage.
    try {
      if (name === undefined) return localStorage.getItem("scheme");
      localStorage.setItem("scheme", name);
    } catch {
      return null;
    }
    return name;
  };
  choose(schemes.includes(remember()) ? remember() : "system");
  scheme.addEventListener("click", () => {
    const next = schemes[(schemes.indexOf(scheme.dataset.name) + 1) % schemes.length];
    choose(next);
    remember(next);
  });

  const table = document.getElementById("results");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const search = document.getElementById("search");
  const host = document.getElementById("host");
  const outcome = document.getElementById("outcome");
  const count = document.getElementById("count");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits =
        words.every((word) => texts.get(row).includes(word)) &&
        (!host || !host.value || row.dataset.host === host.value) &&
        (!outcome.value || row.dataset.outcome === outcome.value);
      row.hidden = !fits;
      shown += fits;
    }
    // The control says which host, where it is one.
    table.classList.toggle("one", Boolean(host && host.value));
    count.textContent = `${shown} of ${rows.length} results`;
  };
  for (const control of [search, host, outcome]) control?.addEventListener("input", filter);
  search.form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("all").addEventListener("input", (event) => {
    table.classList.toggle("few", !event.target.checked);
  });
  filter();

  const value = (row, place) => {
    const cell = row.cells[place];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    // What has no figure says why in small letters alone.
    return cell.firstElementChild?.tagName === "SMALL" ? null : cell.textContent.trim().toLowerCase() || null;
  };
  const compare = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
  };
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, place) => {
    heading.firstElementChild.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((row) => [value(row, place), row]);
      keyed.sort(([one], [other]) => {
        if (one === null || other === null) return (one === null) - (other === null);
        return down ? compare(other, one) : compare(one, other);
      });
      body.append(...keyed.map(([, row]) => row));
    });
  });

  const open = () => {
    let cell = location.hash.slice(1);
    try {
      cell = decodeURIComponent(cell);
    } catch {
      return;
    }
    for (const shown of document.querySelectorAll("dialog[open]")) if (shown.id !== cell) shown.close();
    const panel = document.getElementById(cell);
    if (!(panel instanceof HTMLDialogElement) || panel.open) return;
    panel.showModal();
    panel.scrollTop = 0;
  };
  for (const panel of document.querySelectorAll("dialog")) {
    panel.querySelector(".close").addEventListener("click", () => panel.close());
    // A click on what is around the panel is on the panel itself.
    panel.addEventListener("click", (event) => {
      if (event.target === panel) panel.close();
    });
    panel.addEventListener("close", () => {
      if (decodeURIComponent(location.hash.slice(1)) === panel.id) history.replaceState(null, "", "#table");
    });
  }
  addEventListener("hashchange", open);
  open();
})();
