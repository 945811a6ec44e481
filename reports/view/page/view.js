"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const clock = (seconds) => `${Math.floor(seconds / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const STATES = { running: "running", stopped: "stopped early", finished: "finished", faulty: "unreadable", rating: "to rate" };
  let runs = [];
  const link = (text, address) => {
    const node = make("a", text);
    node.href = address;
    return node;
  };
  const row = (run) => {
    const line = make("tr"), cells = [make("th", run.name), make("td", STATES[run.state], `state-${run.state}`), make("td", run.model), make("td", run.date), make("td"), make("td")];
    cells[0].scope = "row";
    if (run.note) cells[1].append(make("span", run.note, "small"));
    const told = run.progress;
    if (told) {
      const bar = make("progress");
      bar.max = told.questions || 1;
      bar.value = told.answered;
      bar.setAttribute("aria-label", `${told.answered} of ${told.questions} ${told.noun}`);
      const left = told.remaining_s === null ? "" : `, ${clock(told.remaining_s)} left`;
      cells[4].append(bar, make("span", `${told.answered} of ${told.questions} ${told.noun}, ${told.failed} without a reply${left}`, "small"));
    } else if (run.questions) {
      cells[4].append(`${run.questions}`, make("span", `${run.tasks} tasks${run.seconds === null ? "" : `, ${clock(run.seconds)}`}`, "small"));
    }
    if (run.state === "finished") cells[5].append(link(run.has_page ? "report" : "make the report", `report/${run.key}`), " · ", link("matrix", `report/${run.key}#matrix`));
    line.append(...cells);
    return line;
  };
  const draw = () => {
    const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const shown = runs.filter((run) => words.every((word) => `${run.name} ${run.model} ${STATES[run.state]}`.toLowerCase().includes(word)));
    $("rows").replaceChildren(...shown.map(row));
    const going = runs.filter((run) => run.state === "running").length;
    $("told").textContent = `${runs.length} found, ${going} running${shown.length < runs.length ? `; ${runs.length - shown.length} hidden by the search` : ""}`;
  };
  const renew = async () => {
    try {
      const answer = await fetch("api/runs");
      if (!answer.ok) throw new Error(answer.statusText);
      const told = await answer.json();
      $("folder").textContent = told.folder;
      runs = told.runs;
      draw();
    } catch {
      $("told").textContent = "The viewer does not answer: it was ended. Start `semiology view` again.";
    }
    setTimeout(renew, 3000);
  };
  $("search").addEventListener("input", draw);
  renew().then(() => { document.documentElement.dataset.ready = "1"; });
})();
