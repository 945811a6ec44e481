/* Right and wrong: the list of answers, of which DataTables shows a page at a time, and the counts above it. */
const kindOf = (feature, truth, answer) => {
  if (answer === "u") return "unparsed";
  if (answer === "a" && truth !== "a") return "na";
  if (!isWrong(feature, truth, answer)) return "right";
  return truth === "y" ? "miss" : answer === "y" ? "false" : "other";
};
/* What was written about the first window that gave the recording its answer; failing that, about any. */
const spoken = ({ key, name, at }) => {
  const found = ((data.texts[key] || {})[name] || {})[at], windows = windowsOf(key, name, at);
  return found ? found[windows.indexOf(answersOf(key, name)[at])] || (windows ? "" : Object.values(found)[0]) : "";
};
const isChosen = (chosen, key) => !chosen || (chosen === "main" ? runs.get(key).main : key === chosen);
/* All answers of the runs, features and kinds that are chosen; a page may hold millions, so they are read when asked for. */
const listed = () => {
  const feature = $("errfeature").value, kind = $("errkind").value, found = [];
  const text = $("errtext").value.trim().toLowerCase(), words = searched();
  for (const { key, label } of data.runs.filter((each) => isChosen($("errrun").value, each.key))) {
    for (const [name, answers] of Object.entries(data.answers[key] || {})) {
      if (feature && name !== feature) continue;
      const about = ` ${plain(name)} ${name} ${label} errors`;
      [...answers].forEach((answer, at) => {
        const truth = truthOf(name, at), is = kindOf(name, truth, answer), rec = data.recordings[at];
        const wanted = kind === "all" || (truth !== "." && (kind === "wrong" ? is !== "right" : is === kind));
        if (answer === "." || !wanted || (words.length && !holdsAll(words, rec + about))) return;
        if (text && !rec.toLowerCase().includes(text) && !spoken({ key, name, at }).toLowerCase().includes(text)) return;
        found.push({ rec, at, name, key, run: label, truth, answer });
      });
    }
  }
  return found;
};
const ERROR_COLUMNS = [
  { name: "rec", show: ({ rec, key }) => recordingLink(rec, rec, key) },
  { name: "name", show: ({ name }) => make("span", plain(name)) },
  { name: "run", show: ({ key, run }) => { const who = make("span", `${run} `); who.append(...marked(runs.get(key))); return who; } },
  { name: "truth", show: ({ truth }) => WORD[truth] },
  { name: "answer", show: ({ answer }) => WORD[answer] },
  { name: "at", show: (each) => Object.assign(make("span", spoken(each).slice(0, 160)), { dir: "auto" }) },
];
let answers = [], errorList = null;
const showPage = ({ draw, start, length, order: [by] }, give) => {
  const field = by && ERROR_COLUMNS[by.column].name, sign = by?.dir === "desc" ? -1 : 1;
  const rows = field ? [...answers].sort((a, b) => (a[field] < b[field] ? -sign : a[field] > b[field] ? sign : 0)) : answers;
  give({ draw, recordsTotal: rows.length, recordsFiltered: rows.length, data: rows.slice(start, start + length) });
};
const showErrors = () => {
  answers = listed();
  $("errcount").textContent = counted(answers.length, "answer");
  if (errorList) errorList.draw();
};
const filterCounts = () => {
  const run = $("errrun").value, feature = $("errfeature").value;
  keep($("confusions"), "filter", ({ dataset }) => isChosen(run, dataset.run) && (!feature || dataset.feature === feature));
};
if ($("errlist")) {
  const labels = [...$("errlist").tHead.rows[0].cells].map((cell) => cell.textContent);
  errorList = new DataTable("#errlist", {
    ...QUIET, serverSide: true, ajax: showPage, paging: true, pageLength: 50, layout: { ...QUIET.layout, bottomEnd: "paging" },
    language: { zeroRecords: "No such answer.", emptyTable: "No such answer." },
    columns: ERROR_COLUMNS.map(({ name, show }) => ({
      data: null, name, orderable: name !== "at", orderSequence: ["asc", "desc"], render: (each, kind) => (kind === "display" ? show(each) : ""),
      createdCell: (cell, value, row, at, column) => { cell.dataset.label = labels[column]; },
    })),
  });
  listen(["errrun", "errfeature", "errkind"], "change", () => {
    const [run, feature, kind] = ["errrun", "errfeature", "errkind"].map((id) => $(id).value);
    filterCounts();
    showErrors();
    remember("errors", { run, feature, kind: kind === "wrong" ? "" : kind });
  });
  listen(["errtext"], "input", showErrors);
  lists.push(showErrors);
  views.push((section, query) => {
    if (section === "errors") {
      for (const [id, value] of [["errrun", ""], ["errfeature", ""], ["errkind", "wrong"]]) $(id).value = value;
      for (const name of ["run", "feature", "kind"]) pick(`err${name}`, query.get(name));
    }
    filterCounts();
    showErrors();
  });
}
