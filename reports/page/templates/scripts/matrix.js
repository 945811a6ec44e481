/* Matrix: recordings by runs, for one feature; a cell opens the question, the reply and pictures. */
let matrix = null;
const matrixRuns = () => data.runs.filter((run) => (run.main || $("matrixothers")?.checked) && answersOf(run.key, $("matrixfeature").value));
const openCell = (run, { rec, at, truth }) => {
  const feature = $("matrixfeature").value, answer = answersOf(run.key, feature)[at];
  const window = Math.max(0, windowsOf(run.key, feature, at).indexOf(answer)), times = timesOf(run.key, at)[window];
  const question = (data.prompts || {})[`${run.prompt}\n${feature}`], said = textOf(run.key, feature, at, window);
  const replied = times ? `Replied, ${clock(times[0])} to ${clock(times[1])}` : "Replied";
  $("matrixsaid").replaceChildren(
    make("h3", `${rec} · ${plain(feature)} · ${run.label}`),
    ...marked(run),
    make("p", `answer ${WORD[answer]}, truth ${truth === "." ? "not given" : WORD[truth]}`),
    ...(question ? [make("h4", "Asked"), quoted(question)] : []),
    ...(said ? [make("h4", replied), quoted(said)] : []),
    pictures(at, times),
    recordingLink("Open the recording", rec, run.key),
  );
};
const matrixCell = (run, feature) => (row) => {
  const answer = row[run.key], wrong = isWrong(feature, row.truth, answer);
  if (answer === ".") return "";
  const button = Object.assign(make("button", SIGN[answer], `a${answer}${wrong ? " iswrong" : ""}`), { type: "button" });
  button.setAttribute("aria-label", `${row.rec}, ${run.label}: ${WORD[answer]}${wrong ? ", wrong" : ""}`);
  button.addEventListener("click", () => openCell(run, row));
  return button;
};
const matrixRows = (feature, shown) => data.recordings.map((rec, at) => ({
  rec, at, truth: truthOf(feature, at), ...Object.fromEntries(shown.map(({ key }) => [key, answersOf(key, feature)[at]])),
})).filter((row) => shown.some(({ key }) => row[key] !== "."));
const filterMatrix = () => {
  const feature = $("matrixfeature").value, kind = $("matrixkind").value, shown = matrixRuns(), words = searched();
  const name = $("matrixname").value.trim().toLowerCase(), about = ` ${feature} ${plain(feature)} matrix ${shown.map((run) => run.label).join(" ")}`;
  const fits = (row) => {
    const given = shown.map((run) => row[run.key]).filter((answer) => answer !== ".");
    if (!row.rec.toLowerCase().includes(name) || !holdsAll(words, row.rec + about)) return false;
    return kind === "all" || (kind === "differ" ? new Set(given).size > 1 : given.some((answer) => isWrong(feature, row.truth, answer)));
  };
  matrix.search.fixed("filter", (text, row) => fits(row)).draw();
  $("matrixcount").textContent = `${matrix.rows({ search: "applied" }).count()} of ${counted(data.recordings.length, "recording")}`;
};
const showMatrix = () => {
  const feature = $("matrixfeature").value, shown = matrixRuns(), table = make("table", undefined, "matrix"), head = make("tr");
  const sorted = (value, show) => ({ data: null, searchable: false, type: "string", render: (row, kind) => (kind === "display" ? show(row) : value(row)) });
  head.append(...["recording", "truth", ...shown.map((run) => run.label)].map((name) => Object.assign(make("th", name), { scope: "col" })));
  table.createTHead().append(head);
  matrix?.destroy();
  $("matrixtable").replaceChildren(table);
  matrix = new DataTable(table, {
    ...QUIET, paging: true, pageLength: 100, deferRender: true, layout: { ...QUIET.layout, topEnd: "paging" },
    language: { zeroRecords: "No such recording.", emptyTable: "No such recording." },
    data: matrixRows(feature, shown),
    columns: [
      { ...sorted(({ rec }) => rec, ({ rec }) => make("span", rec)), cellType: "th" },
      sorted(({ truth }) => truth, ({ truth }) => (truth === "." ? "" : WORD[truth])),
      ...shown.map((run) => sorted((row) => row[run.key], matrixCell(run, feature))),
    ],
  });
  filterMatrix();
};
if ($("matrixtable")) {
  listen(["matrixfeature", "matrixothers"], "change", showMatrix);
  listen(["matrixkind"], "change", filterMatrix);
  listen(["matrixname"], "input", filterMatrix);
  lists.push(filterMatrix);
  views.push((section, query) => { if (section === "matrix") pick("matrixfeature", query.get("feature")); showMatrix(); });
}
