/* Charts, drawn by Observable Plot from the numbers that stand in the tables too. Tips hold text, never HTML. */
const INK = { className: "plot", style: { fontSize: "12px" } };
const ROLES = { // sign, colour, place above or below the line
  one: { symbol: "circle", fill: "var(--blue)", r: 4 },
  other: { symbol: "circle", fill: "var(--other)", r: 3.5 },
  reference: { symbol: "diamond", fill: "var(--ink)", r: 4.5 },
  best: { symbol: "triangle", fill: "var(--blue)", r: 4, dy: 8 },
  worst: { symbol: "triangle", rotate: 180, fill: "var(--red)", r: 4, dy: -8 },
  selected: { symbol: "square", stroke: "var(--green)", strokeWidth: 2, r: 7 },
};
const told = (row) => [row.name, `${row.what} ${two(row.value)}${row.low === undefined ? "" : ` ${limits(row)}`}`, row.more].filter(Boolean).join("\n");
const tip = (rows, places) => Plot.tip(rows, Plot.pointer({ ...places, title: told, pointerEvents: "none", textPadding: 6, lineWidth: 40 }));
const widest = (names) => Math.max(...names.map((name) => name.length));

/* Values with intervals, a line for each name; panels side by side; ticks are what a value must beat. */
const ranges = ({ rows, ticks, domain, label, panels }, width) => {
  const names = [...new Set(rows.map((row) => row.name))], roles = [...new Set(rows.map((row) => row.role || "one"))];
  const at = { x: "value", y: "name", fx: panels ? "what" : undefined };
  const marginLeft = Math.min(0.4 * width, 7 * widest(names) + 16), tall = roles.length > 1 ? 30 : 20;
  const dots = (role) => Plot.dot(rows.filter((row) => (row.role || "one") === role && row.value !== null), { ...at, ...ROLES[role] });
  return Plot.plot({
    ...INK, width, marginLeft, marginRight: 14, marginTop: panels ? 28 : 12, height: tall * names.length + 64, marginBottom: 42,
    x: { domain, label, grid: true, ticks: panels ? 3 : 5 }, y: { domain: names, label: null }, fx: { domain: panels, label: null, padding: 0.12 },
    marks: [
      Plot.axisY({ tickSize: 0, lineWidth: marginLeft / 13, textOverflow: "ellipsis" }),
      Plot.tickX(ticks, { ...at, stroke: "var(--red)", strokeWidth: 2 }),
      Plot.ruleY(rows.filter(({ low }) => typeof low === "number"), { ...at, x: undefined, x1: "low", x2: "high", stroke: "var(--blue)", strokeWidth: 4, strokeOpacity: 0.45 }),
      ...roles.map(dots),
      tip([...rows, ...ticks].filter(({ value }) => value !== null), at),
    ],
  });
};

/* Small panels, one for each name: points with intervals, a line through them, the diagonal or a level to compare with. */
const panels = ({ rows, names, label, domain, below, course, ideal, level }, width) => {
  const columns = Math.max(1, Math.min(names.length, Math.floor(width / (course && names.length === 1 ? width : 190)))), across = width / columns;
  const cell = (name) => ({ fx: names.indexOf(name) % columns, fy: Math.floor(names.indexOf(name) / columns) });
  const placed = rows.map((row) => ({ ...row, ...cell(row.name) })), heads = names.map((name) => ({ name, ...cell(name) }));
  const at = { x: "x", y: "value", fx: "fx", fy: "fy" }, each = { fx: "fx", fy: "fy" };
  return Plot.plot({
    ...INK, width, height: Math.ceil(names.length / columns) * Math.min(190, across) + 60, marginTop: 30, marginLeft: 52, marginBottom: 42,
    x: { domain: [0, below.most], label: below.label, ticks: 3, grid: true }, y: { domain, label, labelAnchor: "center", ticks: 3, grid: true },
    fx: { axis: null, padding: 0.15 }, fy: { axis: null, padding: 0.22 },
    marks: [
      Plot.frame({ stroke: "var(--line)" }),
      Plot.text(heads, { ...each, text: "name", frameAnchor: "top-left", dy: -16, fontWeight: 600 }),
      ideal ? Plot.line(heads.flatMap((head) => [0, 1].map((v) => ({ ...head, v }))), { ...each, x: "v", y: "v", z: "name", stroke: "var(--edge)", strokeDasharray: "3 2" }) : null,
      level ? Plot.ruleY(heads, { ...each, y: () => level, stroke: "var(--red)" }) : null,
      course ? Plot.line(placed.filter((row) => row.best !== false), { ...at, z: "name", curve: course, stroke: "var(--blue)" }) : null,
      Plot.ruleX(placed.filter(({ low }) => typeof low === "number"), { ...each, x: "x", y1: "low", y2: "high", stroke: "var(--blue)", strokeWidth: 2, strokeOpacity: 0.5 }),
      Plot.dot(placed.filter(({ r }) => r), { ...at, r: "r", fill: (row) => `var(--${row.fill || "blue"})`, stroke: (row) => `var(--${row.stroke || "blue"})` }),
      tip(placed, at),
    ],
    r: { type: "identity" },
  });
};

const drawn = new Set();
const draw = (figure) => {
  const chart = data.charts[figure.dataset.chart], width = Math.round(Math.min(Math.max(figure.clientWidth || 900, 320), chart.wide ? 1200 : 820));
  const svg = (chart.kind === "ranges" ? ranges : panels)({ domain: [0, 1], ticks: [], ...chart }, width);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", chart.title);
  svg.setAttribute("aria-description", chart.rows.map((row) => told(row).replaceAll("\n", ", ")).join("; "));
  figure.replaceChildren(svg, ...(chart.kind === "panels" ? [make("figcaption", chart.title, "small")] : []));
  drawn.add(figure);
};
/* Charts in closed parts of the page are drawn when these open, or before printing. */
const drawCharts = (all) => {
  for (const figure of document.querySelectorAll("figure[data-chart]")) if (!drawn.has(figure) && (all || figure.checkVisibility())) draw(figure);
};
document.addEventListener("toggle", () => drawCharts(false), true);
window.addEventListener("beforeprint", () => drawCharts(true));
drawCharts(false);
