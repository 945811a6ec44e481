"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  for (const [key, times] of Object.entries(data.times)) {
    if (typeof times === "string") data.times[key] = data.times[times]; // as those of another run
  }
  for (const features of Object.values(data.windows)) {
    for (const feature of Object.keys(features)) features[feature] = features[feature].split(",");
  }
  const WORD = { y: "yes", n: "no", a: "NA", u: "unparsed", ".": "not asked" };
  const SIGN = { y: "Y", n: "N", a: "–", u: "?", ".": "" };
  const plain = (name) => name.replaceAll("_", " ");
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const quoted = (text) => {
    const node = make("blockquote", text);
    node.dir = "auto";
    return node;
  };
  const runs = new Map(data.runs.map((run) => [run.key, run]));

  /* Deep links: #section, or #recordings?rec=…&run=… and #errors?run=…&feature=… */
  const place = () => {
    let hash = location.hash.slice(1);
    try { hash = decodeURI(hash); } catch { hash = ""; } // a broken address leads to the top
    const [section, query] = hash.split("?");
    return { section, query: new URLSearchParams(query || "") };
  };
  const remember = (section, values) => {
    const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    history.replaceState(null, "", `#${section}${query.size ? `?${query}` : ""}`);
  };

  /* Sorting of any table. */
  const value = (row, column, kind) => {
    const cell = row.cells[column];
    if (kind !== "number") return cell.textContent.trim().toLowerCase();
    const text = cell.dataset.value;
    return text === undefined || text === "" || text === "None" ? null : Number(text);
  };
  const mark = (header, direction) => {
    for (const other of header.parentNode.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", direction);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.sort");
    if (!button) return;
    const header = button.closest("th");
    const body = header.closest("table").tBodies[0];
    const numeric = button.dataset.kind === "number";
    const down = header.getAttribute("aria-sort") === (numeric ? "none" : "ascending");
    mark(header, down ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [value(row, header.cellIndex, button.dataset.kind), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    });
    body.append(...rows.map(([, row]) => row));
  });

  /* Filters: each row is shown if no filter hides it. */
  let matrix = null;
  const hide = (row, why, hidden) => {
    row.dataset[why] = hidden ? "1" : "";
    row.hidden = Boolean(row.dataset.bySearch || row.dataset.byFilter || row.dataset.byRule || row.dataset.byPart);
  };
  const search = $("search");
  const searched = () => search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const applySearch = () => {
    const words = searched();
    let shown = 0, all = 0;
    for (const row of document.querySelectorAll("[data-search]")) {
      const text = (row.dataset.search + " " + (row.closest("section")?.id || "")).toLowerCase();
      const fits = words.every((word) => text.includes(word));
      hide(row, "bySearch", !fits);
      all += 1;
      shown += fits;
    }
    if (matrix) showMatrix();
    if ($("errlist")) collect();
    $("searchcount").textContent = words.length ? `${shown} of ${all} rows shown, ${all - shown} hidden; lists: by recording` : "";
  };
  search.addEventListener("input", applySearch);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && event.target === search) { search.value = ""; applySearch(); }
    if (!typing && event.key === "[") step(-1);
    if (!typing && event.key === "]") step(1);
  });

  /* Heatmap. */
  const heat = $("heat");
  const cells = data.cells || {};
  const two = (number) => (number === null || number === undefined ? "–" : number.toFixed(2).replace("-", "−"));
  const limits = (each) => (each.low === null ? "[no interval]" : `[${two(each.low)}, ${two(each.high)}]`);
  const showMetric = () => {
    const metric = $("metric").value;
    for (const cell of heat.querySelectorAll("td[data-run]")) {
      const each = cells[cell.dataset.run][cell.dataset.feature].metrics[metric];
      const keep = ["part", "other", "at"].filter((name) => cell.classList.contains(name));
      cell.className = [each.style, ...keep].join(" ");
      cell.dataset.value = each.value === null ? "" : each.value;
      cell.querySelector(".v").textContent = two(each.value);
    }
    showOnly();
  };
  const showOnly = () => {
    const only = $("only").checked;
    const group = $("group").value;
    const others = $("others") && $("others").checked;
    for (const cell of heat.querySelectorAll(".other")) cell.hidden = !others;
    for (const row of heat.tBodies[0].rows) {
      const clear = [...row.cells].some((cell) => !cell.hidden && /\bh\d\b/.test(cell.className));
      hide(row, "byFilter", (only && !clear) || (group !== "" && row.dataset.group !== group));
    }
  };
  const choose = (cell) => {
    for (const other of heat.querySelectorAll(".at")) other.classList.remove("at");
    for (const other of heat.querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
    cell.classList.add("at");
    cell.tabIndex = 0;
    const detail = $("celldetail");
    detail.replaceChildren();
    if (!cell.dataset.run) { detail.textContent = "Not asked."; return; }
    const each = cells[cell.dataset.run][cell.dataset.feature];
    const run = runs.get(cell.dataset.run);
    detail.append(make("h3", `${plain(cell.dataset.feature)} · ${run.label}`));
    if (run.marks.length) detail.append(make("p", run.marks.join(", "), "stamp"));
    const names = Object.entries(data.metrics).map(([name, title]) => `${title} ${two(each.metrics[name].value)} ${limits(each.metrics[name])}`);
    detail.append(make("p", `${names.join("; ")}; always-yes ${two(each.always_yes)}: ${each.verdict}.`));
    const why = each.metrics.f1.reason;
    const reason = why ? ` ${why[0].toUpperCase()}${why.slice(1)}.` : "";
    detail.append(make("p", `${counted(each.n, "recording")} of ${counted(each.patients, "patient")}; ${each.positive} with the feature (of ${counted(each.positive_patients, "patient")}); ${each.unparsed} unparsed.${each.partial ? ` Asked about only ${each.n} of ${counted(each.asked, "recording")}.` : ""}${reason}`));
    const link = make("a", "List its errors");
    link.href = `#errors?run=${cell.dataset.run}&feature=${cell.dataset.feature}`;
    detail.append(link);
  };
  if (heat) {
    $("metric").addEventListener("change", showMetric);
    for (const id of ["only", "group", "others"]) if ($(id)) $(id).addEventListener("change", showOnly);
    const first = heat.querySelector("td[data-run]");
    if (first) first.tabIndex = 0;
    heat.addEventListener("click", (event) => {
      const cell = event.target.closest("td[tabindex]");
      if (cell) choose(cell);
    });
    heat.addEventListener("keydown", (event) => {
      const cell = event.target.closest("td[tabindex]");
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!cell || !move) return;
      event.preventDefault();
      const rows = [...heat.tBodies[0].rows].filter((row) => !row.hidden);
      const columns = (row) => [...row.cells].filter((each) => each.hasAttribute("tabindex") && !each.hidden);
      const at = rows.indexOf(cell.parentNode), column = columns(cell.parentNode).indexOf(cell);
      const row = rows[Math.min(rows.length - 1, Math.max(0, at + move[0]))];
      const next = columns(row)[Math.min(columns(row).length - 1, Math.max(0, column + move[1]))];
      choose(next);
      next.focus();
    });
  }

  /* Prompts. */
  const showPrompts = () => {
    const feature = $("promptfeature").value, kind = $("promptkind").value;
    for (const each of document.querySelectorAll(".prompt")) {
      hide(each, "byFilter", (feature && each.dataset.feature !== feature) || (kind && each.dataset.kind !== kind));
    }
  };
  for (const id of ["promptfeature", "promptkind"]) if ($(id)) $(id).addEventListener("change", showPrompts);

  /* S3 tasks. */
  const showFigures = () => {
    for (const row of document.querySelectorAll("table.s3 tbody tr")) {
      hide(row, "byRule", $("soundonly").checked && row.dataset.rule !== "sound");
      hide(row, "byPart", Boolean(row.dataset.part) && !$("signs").checked);
    }
  };
  for (const id of ["soundonly", "signs"]) if ($(id)) { $(id).addEventListener("change", showFigures); showFigures(); }

  /* Recording view. */
  let player = null;
  const usable = (key, feature) => (data.answers[key] || {})[feature];
  const isWrong = (truth, answer) => answer !== "." && truth !== "." && truth !== "a" && truth !== answer;
  const fixed = { verbal_responsiveness: true };
  const wrong = (feature, truth, answer) => (fixed[feature] ? answer !== "." && truth !== "." && truth !== answer : isWrong(truth, answer));
  const textOf = (key, feature, at, window) => (((data.texts[key] || {})[feature] || {})[at] || {})[window];
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  /* Pictures of a window from the linked film: evenly spaced, since the page does not know which frames a model took. */
  const PICTURES = 6;
  const pictures = (at, times) => {
    const address = (data.videos || {})[at], box = make("div", undefined, "pictures");
    if (!address || !times) return box;
    for (let i = 0; i < PICTURES; i += 1) {
      const second = times[0] + ((i + 0.5) * (times[1] - times[0])) / PICTURES, figure = make("figure"), still = make("video");
      still.muted = true;
      still.preload = "metadata";
      still.src = `${address}#t=${second.toFixed(2)}`;
      still.setAttribute("aria-label", `Picture at ${clock(second)}`);
      figure.append(still, make("figcaption", clock(second), "small"));
      box.append(figure);
    }
    return box;
  };
  const tell = (key, feature, at, window, button) => {
    for (const other of document.querySelectorAll("#timeline .sel")) other.classList.remove("sel");
    button.classList.add("sel");
    const said = $("said");
    said.replaceChildren();
    said.classList.add("chosen");
    const times = ((data.times[key] || {})[at] || [])[window];
    const span = times ? `, ${clock(times[0])} to ${clock(times[1])}` : "";
    said.append(make("h3", `${plain(feature)}${span}`));
    for (const run of data.runs) {
      const strings = (data.windows[run.key] || {})[feature];
      const packed = usable(run.key, feature);
      const same = strings && JSON.stringify(((data.times[run.key] || {})[at] || [])[window]) === JSON.stringify(times);
      const answer = run.key === key && !strings ? packed[at] : same ? (strings[at] || "")[window] : packed && run.main ? packed[at] : undefined;
      if (answer === undefined || answer === "." || (run.key !== key && !run.main)) continue;
      const line = make("p");
      line.append(make("strong", run.label), ` ${WORD[answer]}${same ? "" : " (whole recording)"} `);
      for (const text of run.marks) line.append(make("span", text, "mark"));
      said.append(line);
      const text = textOf(run.key, feature, at, same ? window : 0);
      if (text) said.append(quoted(text));
    }
    said.append(pictures(at, times));
    if (player && times) { player.preload = "metadata"; player.currentTime = times[0]; }
  };
  const agreement = (feature, at) => {
    const answers = data.runs.filter((run) => run.main).map((run) => (usable(run.key, feature) || [])[at]).filter((a) => a && a !== ".");
    if (answers.length < 2) return "";
    return `${answers.filter((a) => a === "y").length} of ${answers.length} say yes`;
  };
  const lane = (key, feature, at, length) => {
    const box = make("div", undefined, "lane");
    const strings = (data.windows[key] || {})[feature];
    const times = (data.times[key] || {})[at] || [];
    const add = (answer, window, left, width, whole) => {
      const button = make("button", whole ? WORD[answer] : SIGN[answer], `a${answer === "." ? "x" : answer}${whole ? " whole" : ""}`);
      button.type = "button";
      if (!whole) { button.style.left = `${left}%`; button.style.width = `${width}%`; }
      const span = whole ? "whole recording" : `${clock(times[window][0])} to ${clock(times[window][1])}`;
      button.setAttribute("aria-label", `${plain(feature)}, ${span}: ${WORD[answer]}`);
      button.title = `${span}: ${WORD[answer]}`;
      button.addEventListener("click", () => tell(key, feature, at, window, button));
      box.append(button);
    };
    if (strings && strings[at]) {
      [...strings[at]].forEach((answer, window) => {
        const [start] = times[window];
        const end = window + 1 < times.length ? Math.min(times[window][1], times[window + 1][0] || times[window][1]) : times[window][1];
        if (answer !== ".") add(answer, window, (100 * start) / length, (100 * (end - start)) / length, false);
      });
    } else add(usable(key, feature)[at], 0, 0, 100, true);
    const bar = ((data.bars || {})[feature] || {})[at];
    if (bar) {
      const truth = make("span", undefined, "truth");
      const end = bar[1] === null ? length : bar[1];
      truth.style.left = `${(100 * bar[0]) / length}%`;
      truth.style.width = `${Math.max(0.6, (100 * (end - bar[0])) / length)}%`;
      truth.title = `seen by the expert from ${clock(bar[0])}${bar[1] === null ? "" : ` to ${clock(bar[1])}`}`;
      box.append(truth);
    }
    return box;
  };
  const showRecording = (keep) => {
    const at = $("rec").selectedIndex, key = $("recrun").value;
    const windows = (data.times[key] || {})[at] || [];
    let length = Number((data.lengths || {})[at] || 0);
    for (const [, end] of windows) length = Math.max(length, end);
    const line = $("timeline");
    line.replaceChildren();
    const shown = data.features.filter((feature) => usable(key, feature) && usable(key, feature)[at] !== ".");
    let count = 0;
    for (const feature of shown) {
      const truth = (data.truth[feature] || [])[at] || ".", answer = usable(key, feature)[at];
      const bad = wrong(feature, truth, answer);
      if ($("wrongonly").checked && !bad) continue;
      const row = make("div", undefined, `tl${bad ? " wrong" : ""}`);
      const name = make("div", plain(feature), "name");
      name.append(make("span", `truth ${truth === "." ? "not given" : WORD[truth]}, answer ${WORD[answer]}`, "small"));
      row.append(name, lane(key, feature, at, length || 1), make("div", agreement(feature, at), "end"));
      line.append(row);
      count += 1;
    }
    if (length && count) {
      const row = make("div", undefined, "tl"), scale = make("div", undefined, "scale");
      for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        const tick = make("span", clock(length * share));
        tick.style.left = `${share * 100}%`;
        scale.append(tick);
      }
      row.append(make("div", "", "name"), scale);
      line.append(row);
    }
    if (!count) line.append(make("p", shown.length ? "No feature is answered wrongly here." : "This run was not asked about this recording.", "absent"));
    $("said").textContent = "Choose a window to read what was answered.";
    $("said").classList.remove("chosen");
    const video = $("video"), address = (data.videos || {})[at];
    video.hidden = !address;
    video.replaceChildren();
    player = null;
    if (address) {
      player = make("video");
      player.controls = true;
      player.preload = "none";
      player.src = address;
      player.setAttribute("aria-label", `Video of ${data.recordings[at]}`);
      video.append(player);
    }
    if (keep) remember("recordings", { rec: data.recordings[at], run: key });
  };
  const step = (by) => {
    const box = $("rec");
    if (!box) return;
    box.selectedIndex = Math.min(box.length - 1, Math.max(0, box.selectedIndex + by));
    showRecording(true);
  };
  if ($("rec")) {
    $("rec").append(...data.recordings.map((name) => make("option", name)));
    $("rec").addEventListener("change", () => showRecording(true));
    $("recrun").addEventListener("change", () => showRecording(true));
    $("wrongonly").addEventListener("change", () => showRecording(false));
    $("prev").addEventListener("click", () => step(-1));
    $("next").addEventListener("click", () => step(1));
  }

  /* Matrix: recordings by runs, for one feature. */
  const columns = () => data.runs.filter((run) => (run.main || ($("matrixothers") && $("matrixothers").checked)) && usable(run.key, $("matrixfeature").value));
  const matrixRows = () => {
    const feature = $("matrixfeature").value, kind = $("matrixkind").value, words = searched(), shown = columns();
    const truths = data.truth[feature] || "";
    return data.recordings.map((rec, at) => ({ rec, at, truth: truths[at] || ".", ...Object.fromEntries(shown.map((run) => [run.key, usable(run.key, feature)[at]])) })).filter((row) => {
      const given = shown.map((run) => row[run.key]).filter((answer) => answer !== ".");
      const about = `${row.rec} ${plain(feature)} ${feature} matrix ${shown.map((run) => run.label).join(" ")}`.toLowerCase();
      if (!given.length || !words.every((word) => about.includes(word))) return false;
      if (kind === "differ") return new Set(given).size > 1;
      return kind === "all" || given.some((answer) => wrong(feature, row.truth, answer));
    });
  };
  const openCell = (run, row) => {
    const feature = $("matrixfeature").value, box = $("matrixsaid"), at = row.at;
    box.replaceChildren(make("h3", `${row.rec} · ${plain(feature)} · ${run.label}`));
    for (const text of run.marks) box.append(make("span", text, "mark"));
    box.append(make("p", `answer ${WORD[row[run.key]]}, truth ${row.truth === "." ? "not given" : WORD[row.truth]}`));
    const question = (data.prompts || {})[`${run.prompt}\n${feature}`];
    if (question) box.append(make("h4", "Asked"), quoted(question));
    const times = (data.times[run.key] || {})[at] || [], answers = ((data.windows[run.key] || {})[feature] || [])[at] || "";
    const window = Math.max(0, answers.indexOf(row[run.key])), said = textOf(run.key, feature, at, window);
    if (said) box.append(make("h4", times[window] ? `Replied, ${clock(times[window][0])} to ${clock(times[window][1])}` : "Replied"), quoted(said));
    box.append(pictures(at, times[window]));
    const link = make("a", "Open the recording");
    link.href = `#recordings?rec=${encodeURIComponent(row.rec)}&run=${run.key}`;
    box.append(link);
  };
  const showMatrix = () => {
    const feature = $("matrixfeature").value, rows = matrixRows();
    const answer = (run) => (cell) => {
      const row = cell.getData(), letter = row[run.key];
      if (letter === ".") return "";
      const bad = wrong(feature, row.truth, letter), button = make("button", SIGN[letter], `a${letter}${bad ? " iswrong" : ""}`);
      button.type = "button";
      button.setAttribute("aria-label", `${row.rec}, ${run.label}: ${WORD[letter]}${bad ? ", wrong" : ""}`);
      button.addEventListener("click", () => openCell(run, row));
      return button;
    };
    if (matrix) matrix.destroy();
    matrix = new Tabulator("#matrixtable", {
      data: rows, height: "34rem", layout: "fitData", placeholder: "No such recording.",
      columnDefaults: { headerWordWrap: true },
      columns: [
        { title: "recording", field: "rec", frozen: true, minWidth: 110, headerFilter: "input", headerFilterParams: { elementAttributes: { "aria-label": "Recordings whose name holds" } } },
        { title: "truth", field: "truth", frozen: true, width: 80, formatter: (cell) => (cell.getValue() === "." ? "" : WORD[cell.getValue()]) },
        ...columns().map((run) => ({ title: run.label, field: run.key, hozAlign: "center", minWidth: 110, formatter: answer(run) })),
      ],
    });
    $("matrixcount").textContent = `${rows.length} of ${counted(data.recordings.length, "recording")}`;
  };
  if ($("matrixtable")) for (const id of ["matrixfeature", "matrixkind", "matrixothers"]) if ($(id)) $(id).addEventListener("change", showMatrix);

  /* Errors. */
  let list = null, listReady = false;
  const kindOf = (feature, truth, answer) => {
    if (answer === "u") return "unparsed";
    if (answer === "a" && truth !== "a") return "na";
    if (!wrong(feature, truth, answer)) return "right";
    return truth === "y" ? "miss" : answer === "y" ? "false" : "other";
  };
  /* What was written about the first window that gave the recording its answer; failing that, about any. */
  const spoken = (key, feature, at) => {
    const found = ((data.texts[key] || {})[feature] || {})[at];
    if (!found) return "";
    const answers = ((data.windows[key] || {})[feature] || [])[at] || "";
    const decisive = answers.indexOf(usable(key, feature)[at]);
    return found[decisive] || (answers ? "" : Object.values(found)[0]);
  };
  const collect = () => {
    const run = $("errrun").value, feature = $("errfeature").value, kind = $("errkind").value;
    const words = $("errtext").value.trim().toLowerCase();
    const listed = [], names = searched();
    data.runs.forEach((each) => {
      if (run === "main" ? !each.main : run && each.key !== run) return;
      for (const [name, answers] of Object.entries(data.answers[each.key] || {})) {
        if (feature && name !== feature) continue;
        const truths = data.truth[name] || "";
        for (let at = 0; at < answers.length; at += 1) {
          const answer = answers[at], truth = truths[at] || ".";
          if (answer === ".") continue;
          const found = kindOf(name, truth, answer);
          if (truth === "." && kind !== "all") continue;
          if (kind === "wrong" ? found === "right" : kind !== "all" && found !== kind) continue;
          const rec = data.recordings[at], about = `${rec} ${plain(name)} ${name} ${each.label} errors`.toLowerCase();
          if (names.length && !names.every((word) => about.includes(word))) continue;
          if (words && !rec.toLowerCase().includes(words) && !spoken(each.key, name, at).toLowerCase().includes(words)) continue;
          listed.push({ rec, at, name, feature: plain(name), run: each.label, key: each.key, truth: WORD[truth], answer: WORD[answer] });
        }
      }
    });
    $("errcount").textContent = counted(listed.length, "answer");
    if (listReady) list.replaceData(listed);
    else drawList(listed);
  };
  const drawList = (listed) => {
    if (list) return;
    list = new Tabulator("#errlist", {
      data: listed, layout: "fitColumns", responsiveLayout: "collapse", pagination: true, paginationSize: 50, placeholder: "No such answer.",
      columns: [
        { title: "recording", field: "rec", minWidth: 120, formatter: (cell) => {
          const each = cell.getData(), link = make("a", each.rec);
          link.href = `#recordings?rec=${encodeURIComponent(each.rec)}&run=${each.key}`;
          return link;
        } },
        { title: "feature", field: "feature", minWidth: 140 },
        { title: "run", field: "run", minWidth: 160, formatter: (cell) => {
          const run = runs.get(cell.getData().key), who = make("span", `${run.label} `);
          for (const text of run.marks) who.append(make("span", text, "mark"));
          return who;
        } },
        { title: "truth", field: "truth", width: 90 },
        { title: "answer", field: "answer", width: 110 },
        { title: "what was written", field: "at", headerSort: false, minWidth: 260, widthGrow: 3, formatter: (cell) => {
          const each = cell.getData(), text = make("span", spoken(each.key, each.name, each.at).slice(0, 160));
          text.dir = "auto";
          return text;
        } },
      ],
    });
    list.on("tableBuilt", () => { listReady = true; collect(); });
  };
  const filterCounts = () => {
    const run = $("errrun").value, feature = $("errfeature").value;
    for (const row of $("confusions").tBodies[0].rows) {
      const other = run === "main" ? !runs.get(row.dataset.run).main : run && row.dataset.run !== run;
      hide(row, "byFilter", other || (feature && row.dataset.feature !== feature));
    }
  };
  if ($("errlist")) {
    for (const id of ["errrun", "errfeature", "errkind"]) {
      $(id).addEventListener("change", () => {
        filterCounts();
        collect();
        remember("errors", { run: $("errrun").value, feature: $("errfeature").value, kind: $("errkind").value === "wrong" ? "" : $("errkind").value });
      });
    }
    $("errtext").addEventListener("input", collect);
  }

  /* Going where the address says. */
  const go = () => {
    const { section, query } = place();
    const set = (id, text) => { if ($(id) && text && [...$(id).options].some((o) => o.value === text || o.textContent === text)) $(id).value = text; };
    if ($("rec")) { set("rec", query.get("rec")); if (section === "recordings") set("recrun", query.get("run")); showRecording(false); }
    if ($("matrixtable")) {
      if (section === "matrix") set("matrixfeature", query.get("feature"));
      showMatrix();
    }
    if ($("errlist")) {
      if (section === "errors") { $("errrun").value = ""; $("errfeature").value = ""; $("errkind").value = "wrong"; set("errrun", query.get("run")); set("errfeature", query.get("feature")); set("errkind", query.get("kind")); }
      filterCounts();
      collect();
    }
    if (section && $(section)) {
      if ($(section).tagName === "DETAILS") $(section).open = true;
      $(section).scrollIntoView();
    }
  };
  window.addEventListener("hashchange", go);
  window.addEventListener("beforeprint", () => document.querySelectorAll("details.fold").forEach((each) => { each.open = true; }));
  go();
  document.documentElement.dataset.ready = "1";
})();
