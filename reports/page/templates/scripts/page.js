/* What all scripts of the page share: its data, the words for answers, small makers of elements. */
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
for (const [key, times] of Object.entries(data.times)) {
  if (typeof times === "string") data.times[key] = data.times[times]; // as those of another run
}
for (const features of Object.values(data.windows)) {
  for (const feature of Object.keys(features)) features[feature] = features[feature].split(",");
}
const runs = new Map(data.runs.map((run) => [run.key, run]));

const WORD = { y: "yes", n: "no", a: "NA", u: "unparsed", ".": "not asked" };
const SIGN = { y: "Y", n: "N", a: "–", u: "?", ".": "" };
const plain = (name) => name.replaceAll("_", " ");
const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const two = (number) => (number === null || number === undefined ? "–" : number.toFixed(2).replace("-", "−"));
const limits = (each) => (each.low === null ? "[no interval]" : `[${two(each.low)}, ${two(each.high)}]`);
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/* Text goes into the page as text, never as HTML. */
const make = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};
const quoted = (text) => Object.assign(make("blockquote", text), { dir: "auto" });
const marked = (run) => run.marks.map((text) => make("span", text, "mark"));
const linked = (text, href) => Object.assign(make("a", text), { href });
const recordingLink = (text, rec, key) => linked(text, `#recordings?rec=${encodeURIComponent(rec)}&run=${key}`);
const listen = (ids, kind, action) => { for (const id of ids) $(id)?.addEventListener(kind, action); };

/* Answers: one letter for each recording, and for each of its windows. */
const answersOf = (key, feature) => (data.answers[key] || {})[feature];
const windowsOf = (key, feature, at) => ((data.windows[key] || {})[feature] || [])[at] || "";
const timesOf = (key, at) => (data.times[key] || {})[at] || [];
const truthOf = (feature, at) => (data.truth[feature] || "")[at] || ".";
const textOf = (key, feature, at, window) => (((data.texts[key] || {})[feature] || {})[at] || {})[window];
const isWrong = (feature, truth, answer) => answer !== "." && truth !== "." && truth !== answer
  && (truth !== "a" || feature === "verbal_responsiveness"); // where NA is an answer of its own

/* Pictures of a window from the linked film: evenly spaced, since the page does not know which frames a model took. */
const PICTURES = 6;
const pictures = (at, times) => {
  const address = (data.videos || {})[at], box = make("div", undefined, "pictures");
  for (let i = 0; address && times && i < PICTURES; i += 1) {
    const second = times[0] + ((i + 0.5) * (times[1] - times[0])) / PICTURES;
    const still = Object.assign(make("video"), { muted: true, preload: "metadata", src: `${address}#t=${second.toFixed(2)}` });
    still.setAttribute("aria-label", `Picture at ${clock(second)}`);
    const figure = make("figure");
    figure.append(still, make("figcaption", clock(second), "small"));
    box.append(figure);
  }
  return box;
};

/* Addresses: #section, or #recordings?rec=…&run=… and #errors?run=…&feature=… */
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
/* Choose in a list what an address names, by value or by text. */
const pick = (id, text) => {
  if (text && [...$(id).options].some((o) => o.value === text || o.textContent === text)) $(id).value = text;
};
/* What each view does with an address, in the order of the files. */
const views = [];
