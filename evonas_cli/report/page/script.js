"use strict";
(() => {
const $ = id => document.getElementById(id), all = (q, e = document) => [...e.querySelectorAll(q)];
const data = JSON.parse($("data").textContent), runs = data.runs, tip = $("tip"), several = runs.length > 1;
const make = (tag, text, css) => { const e = document.createElement(tag); e.textContent = text; if (css) e.className = css; return e; };
const svg = (tag, attributes, text) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const key in attributes) e.setAttribute(key, attributes[key]);
  if (text) e.textContent = text;
  return e;
};
const short = v => v == null ? "\u2013" : Number.isInteger(v) || Math.abs(v) >= 999.95 ? Math.round(v).toLocaleString("en") : String(+v.toPrecision(4));
const role = (run, i) => run.badge[i] || (run.front.includes(i) ? "front" : "");
const part = key => { const [r, i] = key.split(":"); return [runs[r], +i, +r]; };

// Theme: a press turns round what is shown.
$("theme").onclick = () => {
  const set = document.documentElement.dataset;
  set.theme = (set.theme || (matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "")) === "dark" ? "light" : "dark";
};

// Legends: runs and operators on and off.
const hidden = new Set();
const cover = () => {
  for (const e of all(".chart [class], tbody tr[class]")) e.classList.toggle("off", [...e.classList].some(c => hidden.has(c)));
};
for (const button of all(".toggle")) button.onclick = () => {
  const off = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!off));
  hidden[off ? "add" : "delete"](button.dataset.t);
  cover();
};

// A candidate under the pointer is lit everywhere, and told in words.
let hot = null;
const light = key => {
  if (key === hot) return;
  for (const e of all(".hot")) e.classList.remove("hot");
  hot = key;
  if (key) for (const e of all(`[data-k="${key}"]`)) e.classList.add("hot");
};
const tell = key => {
  const [run, i] = part(key), badge = role(run, i);
  tip.replaceChildren(make("b", `candidate ${run.id[i]}${badge ? ` (${badge})` : ""}`));
  if (several) tip.append(make("div", run.name));
  if (run.status[i] !== "ok") tip.append(make("div", `failed: ${run.status[i]}`));
  data.metrics.forEach((name, m) => {
    const value = run.metrics[m][i];
    if (value != null && (run.objectives.includes(name) || m < 7)) { const row = make("div", ""); row.append(make("i", `${name} `), short(value)); tip.append(row); }
  });
  const from = run.parents[i].length ? ` of ${run.parents[i].join(", ")}` : "";
  tip.append(make("div", `${run.operator[i]}${from}`), make("code", run.genome[i]));
};
const show = event => {
  const at = event.target.closest("[data-k]");
  light(at ? at.dataset.k : null);
  if (!at || at.closest("#table,.side")) { tip.hidden = true; return; }
  tell(at.dataset.k);
  tip.hidden = false;
  const box = tip.getBoundingClientRect(), x = event.clientX + 14, y = event.clientY + 14;
  tip.style.left = `${Math.max(4, x + box.width > innerWidth - 4 ? innerWidth - box.width - 4 : x)}px`;
  tip.style.top = `${y + box.height > innerHeight - 4 ? Math.max(4, event.clientY - box.height - 12) : y}px`;
};
document.addEventListener("pointerover", show);
document.addEventListener("click", event => {
  show(event);
  const at = event.target.closest("svg [data-k]"), row = at && $("table").querySelector(`tr[data-k="${at.dataset.k}"]`);
  if (row) row.closest(".tall").scrollTop = row.offsetTop - 80;
});
document.addEventListener("keydown", event => { if (event.key === "Escape") { tip.hidden = true; light(null); } });

// The front, with the scales and ticks of the program (scale.py, charts.py).
const ticks = (low, high, log, whole) => {
  if (log) {
    const found = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++)
      for (const m of high / low < 1000 ? [1, 2, 5] : [1]) if (m * 10 ** p >= low && m * 10 ** p <= high) found.push(m * 10 ** p);
    if (found.length > 1) return found;
  }
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough)), found = [];
  let step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= rough * .999);
  if (whole) step = Math.max(1, power < 10 && step === power * 2.5 ? power * 5 : step);
  for (let k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9); k++) found.push(k * step);
  return found;
};
const label = v => {
  for (const [size, by, unit] of [[1e9, 1e9, "G"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]]) if (Math.abs(v) >= size) return +(v / by).toPrecision(4) + unit;
  return String(Math.abs(v) < 1e-12 ? 0 : +v.toPrecision(4));
};
const scale = (values, m, start, end) => {
  let [low, high, log, whole] = data.ranges[m];
  if (values.length) {
    low = Math.min(...values); high = Math.max(...values) || +!low;
    if (log) { const margin = high > low ? (high / low) ** .04 : 1.2; low /= margin; high *= margin; }
    else { const margin = .05 * (high - low) || Math.abs(high) * .05; low -= margin; high += margin; }
  }
  const f = log ? Math.log10 : v => v, held = v => Math.min(Math.max(v, low), high), by = (end - start) / (f(high) - f(low));
  return { log, holds: v => v === held(v), at: v => start + (f(held(v)) - f(low)) * by, ticks: ticks(low, high, log, whole) };
};
const draw = () => {
  const chart = $("front"), mx = +$("fx").value, my = +$("fy").value, [left, right, bottom, top] = chart.dataset.box.split(" ").map(Number), near = $("focus").checked;
  const signs = [mx, my].map(m => data.directions[m] === "max" ? -1 : 1), xs = [], ys = [], stairs = [];
  runs.forEach(run => {
    const own = [];
    run.id.forEach((_, i) => {
      const x = run.metrics[mx][i], y = run.metrics[my][i];
      if (x != null && y != null && run.counts[i] && run.objectives.length > 1) own.push([x, y]);
    });
    own.sort((a, b) => signs[0] * (a[0] - b[0]) || signs[1] * (a[1] - b[1]));
    let best = Infinity;
    stairs.push(own.filter(p => signs[1] * p[1] < best && ((best = signs[1] * p[1]), true)));
    if (near) for (const [x, y] of [...stairs.at(-1), ...run.front.map(i => [run.metrics[mx][i], run.metrics[my][i]])])
      if (x != null && y != null) { xs.push(x); ys.push(y); }
  });
  const x = scale(xs, mx, left, right), y = scale(ys, my, bottom, top), grid = chart.querySelector(".grid"), n = v => v.toFixed(1);
  grid.replaceChildren(
    ...x.ticks.flatMap(v => [svg("path", { d: `M${n(x.at(v))} ${top}V${bottom}` }), svg("text", { x: n(x.at(v)), y: bottom + 17 }, label(v))]),
    ...y.ticks.flatMap(v => [svg("path", { d: `M${left} ${n(y.at(v))}H${right}` }), svg("text", { class: "y", x: left - 7, y: n(y.at(v) + 4) }, label(v))]),
    svg("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }), svg("text", { class: "title", x: (left + right) / 2, y: bottom + 37 }, data.titles[mx][x.log]),
    svg("text", { class: "start name", x: 4, y: top - 14 }, data.titles[my][y.log]));
  all(".stairs path", chart).forEach((path, r) =>
    path.setAttribute("d", stairs[r].map((p, k) => (k ? `H${n(x.at(p[0]))}V` : `M${n(x.at(p[0]))} `) + n(y.at(p[1]))).join("")));
  for (const dot of all("circle", chart)) {
    const [run, i] = part(dot.dataset.k), a = run.metrics[mx][i], b = run.metrics[my][i];
    const known = a != null && b != null, inside = known && x.holds(a) && y.holds(b), shown = near ? inside : known;
    dot.setAttribute("visibility", shown ? "visible" : "hidden");
    dot.classList.toggle("beyond", !inside);
    if (shown) { dot.setAttribute("cx", n(x.at(a))); dot.setAttribute("cy", n(y.at(b))); }
  }
  const name = `${data.metrics[my]} against ${data.metrics[mx]}`;
  chart.querySelector("title").textContent = $("front-title").textContent = name;
};
if ($("front")) for (const id of ["fx", "fy", "focus"]) $(id).onchange = draw;

// The table, sorted by the column pressed.
const body = $("table").tBodies[0], heads = all("#table button"), keys = runs.flatMap((run, r) => run.id.map((_, i) => `${r}:${i}`));
let whole = false;
const value = (key, by) => {
  const [run, i, r] = part(key);
  return by === "run" ? r : by[0] === "m" ? run.metrics[by.slice(1)][i] : run[by][i];
};
const fill = () => {
  const head = heads.find(b => b.classList.contains("sorted")), by = head.dataset.s, sign = head.classList.contains("down") ? -1 : 1;
  const failed = key => { const [run, i] = part(key); return by[0] === "m" && run.status[i] !== "ok"; };
  const order = keys.map(key => [failed(key) || value(key, by) == null, value(key, by), key]).sort((a, b) =>
    a[0] - b[0] || sign * (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  body.replaceChildren(...order.slice(0, whole ? keys.length : 200).map(([, , key]) => {
    const [run, i, r] = part(key), row = make("tr", "", `r${r}${run.front.includes(i) ? " f" : ""}`);
    row.dataset.k = key;
    const status = run.status[i] !== "ok" ? run.status[i] : role(run, i);
    if (several) { const cell = make("td", ""), mark = make("span", "", `swatch r${r}`); cell.append(mark, run.name); row.append(cell); }
    row.append(make("td", run.id[i], "n"), make("td", run.operator[i]), make("td", status));
    for (const b of heads) if (b.dataset.s[0] === "m") row.append(make("td", short(value(key, b.dataset.s)), "n"));
    row.append(make("td", short(run.seconds[i]), "n"), make("td", run.genome[i], "g"));
    return row;
  }));
  $("count").textContent = `${body.rows.length.toLocaleString("en")} of ${keys.length.toLocaleString("en")} candidates`;
  cover();
};
for (const head of heads) head.onclick = () => {
  const again = head.classList.contains("sorted");
  for (const b of heads) if (b !== head) b.classList.remove("sorted", "down");
  head.classList.toggle("down", again ? !head.classList.contains("down") : head.dataset.s[0] === "m" && data.directions[head.dataset.s.slice(1)] === "max");
  head.classList.add("sorted");
  fill();
};
if ($("all")) $("all").onclick = () => { whole = !whole; $("all").textContent = whole ? "show the first 200" : "show all"; fill(); };
})();
