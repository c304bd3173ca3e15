"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read("figures-data");
  const runs = read("runs-data");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const TITLES = { steps: "environment steps", seconds: "seconds of training", grams: "gCO2e of training" };
  const numeric = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // --- figures: drawn when they come into view, in the page's colours ------------------------
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const theme = () => {
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line") };
    return { ink: colour("--ink"), axis };
  };
  const layoutOf = (layout) => {
    const { ink, axis } = theme();
    return {
      ...layout,
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 12, color: ink },
      margin: { l: 60, r: 16, t: 24, b: 46, ...layout.margin },
      hoverlabel: { bgcolor: colour("--card"), font: { color: ink } },
    };
  };
  const draw = (box) => {
    const figure = figures[box.dataset.figure];
    const data = figure.data.map(({ abscissae, edge, ...trace }) => trace);
    Plotly.newPlot(box, data, layoutOf(figure.layout), { responsive: true, displaylogo: false, displayModeBar: false });
    box.on("plotly_click", (event) => {
      const target = event.points[0].customdata;
      if (typeof target === "string") window.location.href = target + "result.json";
    });
    box.dataset.drawn = "true";
  };
  const boxes = [...document.querySelectorAll(".figure")];
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { watch.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "300px" });
  boxes.forEach((box) => watch.observe(box));
  dark.addEventListener("change", () => boxes.filter((box) => box.dataset.drawn)
    .forEach((box) => Plotly.relayout(box, layoutOf({ ...figures[box.dataset.figure].layout, xaxis: { ...box.layout.xaxis, ...theme().axis }, yaxis: { ...box.layout.yaxis, ...theme().axis } }))));

  for (const group of document.querySelectorAll(".switch")) {
    const box = group.parentElement.querySelector(".figure");
    const traces = figures[box.dataset.figure].data;
    for (const button of group.children) {
      const against = button.dataset.against;
      button.disabled = traces.every((trace) => trace.abscissae[against] === null);
      if (button.disabled) button.title = "not measured";
      button.addEventListener("click", () => {
        for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
        if (!box.dataset.drawn) { watch.unobserve(box); draw(box); }
        Plotly.update(box, { x: traces.map((trace) => trace.abscissae[against] ?? []) },
          { "xaxis.title.text": TITLES[against], "xaxis.autorange": true });
      });
    }
  }

  // --- tables: a click on a head sorts -------------------------------------------------------
  const valueOf = (text) => {
    const cleaned = text.replace(/,/g, "").replace("−", "-").replace("–", "");
    const match = cleaned.match(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i);
    return match ? Number(match[0]) : null;
  };
  const compare = (a, b) => {  // what is missing comes last, whichever way
    const [x, y] = [a, b].map((v) => (typeof v === "number" ? v : null));
    if (x !== null && y !== null) return x - y;
    return numeric.compare(String(a ?? ""), String(b ?? ""));
  };
  const missing = (v) => v === null || v === "" || v === "–";
  const order = (head, values, rows) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    return rows.map((row, i) => [values[i], row, i]).sort(([a, , i], [b, , j]) => {
      if (missing(a) || missing(b)) return missing(a) - missing(b) || i - j;
      return (down ? -1 : 1) * compare(a, b) || i - j;
    }).map(([, row]) => row);
  };
  const onHead = (head, action) => {
    head.tabIndex = 0;
    head.addEventListener("click", action);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); action(); } });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => onHead(head, () => {
      const body = table.tBodies[0];
      const rows = [...body.rows];
      const values = rows.map((row) => {
        const text = row.cells[column].textContent.trim();
        return valueOf(text) ?? text;
      });
      body.append(...order(head, values, rows));
    }));
  }

  // --- all runs: filtered and sorted as data, shown a page at a time --------------------------
  const HEADS = ["problem", "protocol", "agent", "seed", "J", "gap closed", "score", "carbon", "violated", "J ood",
    "steps", "updates", "seconds", "Wh", "gCO2e", "verified", "from"];
  const PAGE = 100;
  const head = document.querySelector("#all thead tr"), body = document.querySelector("#all tbody");
  const filter = document.getElementById("filter"), more = document.getElementById("more"), count = document.getElementById("count");
  const words = runs.map((run) => [run[0], run[1], run[2], "seed" + run[3], run[15]].join(" ").toLowerCase());
  let ordered = runs.map((_, i) => i), shown = PAGE;
  const text = (value, column) => {
    if (value === null) return "–";
    if (typeof value !== "number") return value;
    if (column === 8) return (100 * value).toFixed(0) + " %";
    if (column === 3 || column === 10 || column === 11) return value.toLocaleString("en");
    if (column === 5 || column === 6) return value.toFixed(3);
    return Math.abs(value) >= 1e4 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(4)).toString();
  };
  const link = (href, label) => { const a = document.createElement("a"); a.href = href; a.textContent = label; return a; };
  const show = () => {
    const parts = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = ordered.filter((i) => parts.every((part) => words[i].includes(part)));
    body.replaceChildren(...found.slice(0, shown).map((i) => {
      const run = runs[i], row = document.createElement("tr"), address = run[16];
      for (let column = 0; column < 16; column++) {
        const cell = row.insertCell(), label = text(run[column], column);
        if (column > 2 && column < 15) cell.className = "n";
        if (column > 3 && column < 15 && run[column] !== null) cell.append(link(address + "result.json", label));
        else cell.textContent = label;
      }
      row.insertCell().append(link(address + "manifest.json", "manifest"), " ", link(address, "folder"));
      return row;
    }));
    more.hidden = found.length <= shown;
    count.textContent = `${found.length.toLocaleString("en")} of ${runs.length.toLocaleString("en")} runs`;
  };
  HEADS.forEach((name, column) => {
    const cell = document.createElement("th");
    cell.textContent = name;
    if (column > 2 && column < 15) cell.className = "n";
    if (column < 16) onHead(cell, () => { ordered = order(cell, ordered.map((i) => runs[i][column]), ordered); show(); });
    head.append(cell);
  });
  filter.addEventListener("input", () => { shown = PAGE; show(); });
  more.addEventListener("click", () => { shown += 500; show(); });
  for (const a of document.querySelectorAll("[data-filter]")) a.addEventListener("click", () => { filter.value = a.dataset.filter; shown = PAGE; show(); });
  show();
})();
