/* The heat map: a table of buttons in all but name, whose cells open their numbers; arrow keys move in it. */
const heat = $("heat");
const cellOf = ({ dataset }) => data.cells[dataset.run][dataset.feature];
const heatCells = (selector) => tables.get(heat).nodes.flatMap((row) => [...row.querySelectorAll(selector)]);
const showMetric = () => {
  for (const cell of heatCells("td[data-run]")) {
    const each = cellOf(cell).metrics[$("metric").value];
    const kept = ["part", "other", "at"].filter((name) => cell.classList.contains(name));
    cell.className = [each.style, ...kept].join(" ");
    cell.dataset.value = each.value === null ? "" : each.value;
    cell.querySelector(".v").textContent = two(each.value);
  }
  filterHeat();
};
const filterHeat = () => {
  const others = $("others")?.checked, group = $("group").value;
  for (const cell of [...heat.tHead.querySelectorAll(".other"), ...heatCells(".other")]) cell.hidden = !others;
  const clears = (cell) => !cell.hidden && /\bh\d\b/.test(cell.className);
  keep(heat, "filter", (row) => (!group || row.dataset.group === group) && (!$("only").checked || [...row.cells].some(clears)));
};
const choose = (cell) => {
  for (const other of heat.querySelectorAll(".at, td[tabindex='0']")) { other.classList.remove("at"); other.tabIndex = -1; }
  cell.classList.add("at");
  cell.tabIndex = 0;
  const detail = $("celldetail");
  if (!cell.dataset.run) { detail.textContent = "Not asked."; return; }
  const each = cellOf(cell), run = runs.get(cell.dataset.run);
  const scores = Object.entries(data.metrics).map(([name, title]) => `${title} ${two(each.metrics[name].value)} ${limits(each.metrics[name])}`);
  detail.replaceChildren(
    make("h3", `${plain(cell.dataset.feature)} · ${run.label}`),
    ...marked(run),
    make("p", `${scores.join("; ")}; always-yes ${two(each.always_yes)}: ${each.verdict}.`),
    make("p", each.told),
    linked("List its errors", `#errors?run=${run.key}&feature=${cell.dataset.feature}`),
  );
};
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const moveInHeat = (event) => {
  const cell = event.target.closest("td[tabindex]"), move = MOVES[event.key];
  if (!cell || !move) return;
  event.preventDefault();
  const cellsIn = (row) => [...row.cells].filter((each) => each.hasAttribute("tabindex") && !each.hidden);
  const within = (items, at) => items[Math.min(items.length - 1, Math.max(0, at))];
  const row = within([...heat.tBodies[0].rows], cell.parentNode.sectionRowIndex + move[0]);
  const next = within(cellsIn(row), cellsIn(cell.parentNode).indexOf(cell) + move[1]);
  choose(next);
  next.focus();
};
if (heat) {
  $("metric").addEventListener("change", showMetric);
  listen(["only", "group", "others"], "change", filterHeat);
  heat.querySelector("td[data-run]").tabIndex = 0;
  heat.addEventListener("click", (event) => { const cell = event.target.closest("td[tabindex]"); if (cell) choose(cell); });
  heat.addEventListener("keydown", moveInHeat);
}
