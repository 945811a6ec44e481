/* One recording: a time line of windows by features, the reply to the window that is chosen, and the film. */
const FILL = { y: "var(--blue)", n: "var(--dim)", a: "var(--back)", u: "var(--orange)" };
const TEXT = { y: "var(--yesink)", n: "var(--dimink)", a: "var(--soft)", u: "#2b1d00" };
let player = null, shownRecording = null;
/* Answers of the main runs, and of the run shown, to the same window; of the whole recording where they have no such window. */
const tell = (feature, window) => {
  const { at, key } = shownRecording, times = timesOf(key, at)[window], said = [];
  for (const run of data.runs.filter((each) => each.main || each.key === key)) {
    const answers = answersOf(run.key, feature), windows = windowsOf(run.key, feature, at);
    const same = windows && String(timesOf(run.key, at)[window]) === String(times);
    const answer = same ? windows[window] : answers && answers[at];
    if (!answer || answer === ".") continue;
    const line = make("p");
    line.append(make("strong", run.label), ` ${WORD[answer]}${windows && same ? "" : " (whole recording)"} `, ...marked(run));
    const text = textOf(run.key, feature, at, same ? window : 0);
    said.push(line, ...(text ? [quoted(text)] : []));
  }
  $("said").replaceChildren(make("h3", `${plain(feature)}${times ? `, ${clock(times[0])} to ${clock(times[1])}` : ""}`), ...said, pictures(at, times));
  $("said").classList.add("chosen");
  for (const link of $("timeline").querySelectorAll("a")) link.classList.toggle("sel", link.getAttribute("href") === windowAddress(feature, window));
  if (player && times) { player.preload = "metadata"; player.currentTime = times[0]; }
};
const windowAddress = (feature, window) => `#recordings?rec=${encodeURIComponent(shownRecording.rec)}&run=${shownRecording.key}&feature=${feature}&window=${window}`;
/* Windows of the features shown; a run without windows has one answer to all of the recording. */
const windowsShown = ({ key, at, length }, features) => features.flatMap((feature) => {
  const times = timesOf(key, at), windows = windowsOf(key, feature, at);
  const spans = windows ? [...windows].map((answer, i) => [answer, times[i][0], Math.min(times[i][1], times[i + 1]?.[0] || times[i][1])]) : [[answersOf(key, feature)[at], 0, length]];
  return spans.map(([answer, x1, x2], window) => ({ feature, window, answer, x1, x2, span: windows ? `${clock(times[window][0])} to ${clock(times[window][1])}` : "whole recording" }))
    .filter(({ answer }) => answer !== ".");
});
const agreement = (feature, at) => {
  const given = data.runs.filter((run) => run.main).map((run) => (answersOf(run.key, feature) || [])[at]).filter((a) => a && a !== ".");
  return given.length < 2 ? "" : `${given.filter((a) => a === "y").length} of ${given.length} say yes`;
};
const timeline = (shown, features, domain, width) => {
  const { key, at, length } = shown, narrow = width < 560, tall = narrow ? 48 : 34;
  const left = narrow ? 4 : 190, right = narrow ? 4 : 100, windows = windowsShown(shown, features);
  const room = (d) => ((d.x2 - d.x1) / (domain[1] - domain[0])) * (width - left - right);
  const about = (feature) => {
    const truth = truthOf(feature, at), answer = answersOf(key, feature)[at], wrong = isWrong(feature, truth, answer);
    return { feature, wrong, name: `${wrong ? "✗ " : ""}${plain(feature)}`, told: `truth ${truth === "." ? "not given" : WORD[truth]}, answer ${WORD[answer]}`, agree: agreement(feature, at) };
  };
  const names = features.map(about), label = { y: "feature", frameAnchor: "left", textAnchor: narrow ? "start" : "end", dx: narrow ? 0 : -10 };
  const seen = features.flatMap((feature) => {
    const bar = ((data.bars || {})[feature] || {})[at];
    return bar ? [{ feature, x1: bar[0], x2: bar[1] ?? length, span: `seen by the expert from ${clock(bar[0])}${bar[1] === null ? "" : ` to ${clock(bar[1])}`}` }] : [];
  });
  const spot = { x: (d) => (d.x1 + d.x2) / 2, y: "feature", title: (d) => `${plain(d.feature)}\n${d.span}${d.answer ? `: ${WORD[d.answer]}` : ""}` };
  return Plot.plot({
    ...INK, width, marginLeft: left, marginRight: right, height: tall * features.length + 34, marginTop: 2, marginBottom: 30,
    ariaLabel: `Windows of ${shown.rec} by feature`,
    x: { domain, label: null }, y: { domain: features, axis: null, paddingInner: narrow ? 0.5 : 0.25, paddingOuter: narrow ? 0.3 : 0.15, align: narrow ? 0.8 : 0.5 },
    marks: [
      length > 1 ? Plot.axisX({ tickFormat: clock, ticks: Math.min(8, width / 90) }) : null,
      Plot.rect(windows, {
        x1: "x1", x2: "x2", y: "feature", fill: ({ answer }) => FILL[answer], stroke: "var(--edge)", strokeOpacity: 0.6, inset: 0.5, rx: 2, clip: true,
        href: (d) => windowAddress(d.feature, d.window), ariaLabel: (d) => `${plain(d.feature)}, ${d.span}: ${WORD[d.answer]}`,
      }),
      Plot.text(windows.filter((d) => room(d) > 10), { x: spot.x, y: "feature", clip: true, pointerEvents: "none", fill: ({ answer }) => TEXT[answer], text: (d) => (room(d) > 60 ? WORD[d.answer] : SIGN[d.answer]) }),
      Plot.ruleY(seen, { x1: "x1", x2: "x2", y: "feature", dy: narrow ? 13 : 12, stroke: "var(--bar)", strokeWidth: 4, clip: true }),
      Plot.text(names, { ...label, dy: narrow ? -21 : -6, text: "name", fill: ({ wrong }) => (wrong ? "var(--badink)" : "var(--ink)"), fontWeight: 500 }),
      Plot.text(names, { ...label, dy: narrow ? -21 : 8, dx: narrow ? 130 : -10, text: "told", fontSize: 10.5, fill: "var(--soft)" }),
      Plot.text(names, { y: "feature", frameAnchor: "right", textAnchor: narrow ? "end" : "start", dx: narrow ? 0 : 10, dy: narrow ? -21 : 0, text: "agree", fontSize: 10.5, fill: "var(--soft)" }),
      Plot.tip([...windows, ...seen], Plot.pointer({ ...spot, pointerEvents: "none", clip: false })),
    ],
  });
};
/* Zoom: buttons, Ctrl and the wheel, two fingers; dragging moves along. The page itself scrolls as ever. */
const zoom = Plot.zoom().scaleExtent([1, 60]).on("zoom", () => drawTimeline()).filter((event) => {
  if (event.type === "wheel") return event.ctrlKey;
  return event.touches ? event.touches.length > 1 : !event.button && Plot.zoomTransform($("timeline")).k > 1;
});
let drawnAt = "";
const drawTimeline = () => {
  const box = $("timeline"), { features, length, key, rec } = shownRecording, { k, x } = Plot.zoomTransform(box);
  const width = Math.max(box.clientWidth - 24, 280), start = -x / k / width, now = [rec, key, features, k, x, width].join(" ");
  if (now === drawnAt) return; // a click is no drag
  drawnAt = now;
  const focused = document.activeElement?.closest("#timeline a")?.getAttribute("href");
  box.replaceChildren(timeline(shownRecording, features, [start * length, (start + 1 / k) * length], width));
  for (const link of box.querySelectorAll("a")) if (focused && link.getAttribute("href") === focused) link.focus();
};
const showRecording = (remembered) => {
  const at = $("rec").selectedIndex, key = $("recrun").value, rec = data.recordings[at], box = $("timeline");
  const length = Math.max(Number((data.lengths || {})[at] || 0), ...timesOf(key, at).map(([, end]) => end)) || 1;
  const asked = data.features.filter((feature) => (answersOf(key, feature)?.[at] ?? ".") !== ".");
  const features = asked.filter((f) => !$("wrongonly").checked || isWrong(f, truthOf(f, at), answersOf(key, f)[at]));
  shownRecording = { at, key, rec, length, features };
  if (features.length) {
    const width = Math.max(box.clientWidth - 24, 280);
    zoom.extent([[0, 0], [width, 1]]).translateExtent([[0, 0], [width, 1]]);
    Plot.select(box).call(zoom).call(zoom.transform, Plot.zoomIdentity);
  } else {
    drawnAt = "";
    box.replaceChildren(make("p", asked.length ? "No feature is answered wrongly here." : "This run was not asked about this recording.", "absent"));
  }
  $("said").textContent = "Choose a window to read what was answered.";
  $("said").classList.remove("chosen");
  const address = (data.videos || {})[at];
  player = address ? Object.assign(make("video"), { controls: true, preload: "none", src: address }) : null;
  player?.setAttribute("aria-label", `Video of ${rec}`);
  $("video").hidden = !address;
  $("video").replaceChildren(...(player ? [player] : []));
  if (remembered) remember("recordings", { rec, run: key });
};
const step = (by) => {
  if (!$("rec")) return;
  $("rec").selectedIndex = Math.min($("rec").length - 1, Math.max(0, $("rec").selectedIndex + by));
  showRecording(true);
};
const openWindow = (query) => { if (shownRecording.features.includes(query.get("feature"))) tell(query.get("feature"), Number(query.get("window") || 0)); };
if ($("rec")) {
  $("rec").append(...data.recordings.map((name) => make("option", name)));
  listen(["rec", "recrun"], "change", () => showRecording(true));
  listen(["wrongonly"], "change", () => showRecording(false));
  listen(["prev"], "click", () => step(-1));
  listen(["next"], "click", () => step(1));
  for (const [id, by] of [["closer", 2], ["wider", 0.5]]) listen([id], "click", () => Plot.select($("timeline")).call(zoom.scaleBy, by));
  $("timeline").addEventListener("click", (event) => {
    const address = event.target.closest("a")?.getAttribute("href");
    if (!address) return;
    event.preventDefault();
    history.replaceState(null, "", address);
    openWindow(place().query);
  });
  views.push((section, query) => {
    pick("rec", query.get("rec"));
    if (section === "recordings") pick("recrun", query.get("run"));
    showRecording(false);
    if (section === "recordings") openWindow(query);
  });
}
