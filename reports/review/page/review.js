"use strict";
// Text of models is set as text, never as markup.
const state = { cases: [], at: 0, typed: null };

const clock = (seconds) => {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

function show() {
  const c = state.cases[state.at];
  byId("feature").textContent = c.feature.replaceAll("_", " ");
  byId("question").textContent = c.question;
  byId("answer").textContent = c.answer;
  byId("justification").textContent = c.justification;
  byId("justification").scrollTop = 0;
  byId("comment").value = c.comment;
  byId("where").textContent = `Recording ${place(c, ", ")}`;
  showVideo();
  for (const button of byId("scale").children) {
    button.setAttribute("aria-checked", String(Number(button.dataset.value) === c.rating));
  }
  progress();
}

function showVideo() {
  const c = state.cases[state.at];
  const video = byId("video");
  video.hidden = !c.has_video;
  byId("novideo").hidden = c.has_video;
  byId("novideo").textContent = `The video is not on this machine: ${lookAt(c)}`;
  if (c.has_video) {
    video.src = `video/${encodeURIComponent(c.item)}#t=${c.start_s}${c.end_s > c.start_s ? `,${c.end_s}` : ""}`;
  } else {
    video.removeAttribute("src");
  }
  video.load();
}

function lookAt(c) {
  return `look at ${place(c, " from ")}.`;
}

// A report is about the whole recording.
function place(c, joined) {
  return c.end_s > c.start_s ? `${c.video_id}${joined}${clock(c.start_s)} to ${clock(c.end_s)}` : c.video_id;
}

function progress() {
  const rated = state.cases.filter((c) => c.rating !== null).length;
  byId("done").style.width = `${(100 * rated) / state.cases.length}%`;
  byId("bar").setAttribute("aria-valuemax", String(state.cases.length));
  byId("bar").setAttribute("aria-valuenow", String(rated));
  byId("progress").textContent = `Item ${state.at + 1} of ${state.cases.length}, ${rated} rated`;
}

function save(c) {
  keep("api/ratings", c.item, { rating: c.rating, comment: c.comment }, showVideo);
}

function keepComment() {
  clearTimeout(state.typed);
  const c = state.cases[state.at];
  if (c.comment !== byId("comment").value) {
    c.comment = byId("comment").value;
    save(c);
  }
}

function go(step) {
  keepComment();
  const next = Math.min(Math.max(state.at + step, 0), state.cases.length - 1);
  if (next !== state.at) {
    state.at = next;
    show();
  }
}

function goUnrated() {
  keepComment();
  const count = state.cases.length;
  for (let i = 1; i <= count; i += 1) {
    const at = (state.at + i) % count;
    if (state.cases[at].rating === null) {
      state.at = at;
      show();
      return;
    }
  }
  told("every item is rated", false);
}

function rate(value) {
  keepComment();
  const c = state.cases[state.at];
  c.rating = value;
  save(c);
  if (state.at < state.cases.length - 1) go(1);
  else show();
}

function playOrStop() {
  const video = byId("video");
  if (video.hidden) return;
  if (video.paused) video.play().catch(() => {});
  else video.pause();
}

const KEYS = {
  ArrowRight: () => go(1),
  ArrowLeft: () => go(-1),
  u: goUnrated,
  c: () => byId("comment").focus(),
  " ": playOrStop,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || state.cases.length === 0) return;
  if (event.target === byId("comment")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === " " && event.target.tagName === "BUTTON") return;
  if (event.target.tagName === "VIDEO" && event.key !== "u" && !/^[1-5]$/.test(event.key)) return;
  if (/^[1-5]$/.test(event.key)) rate(Number(event.key));
  else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
});

// Without a source the player reports an error too; then there is nothing to tell.
byId("video").addEventListener("error", () => {
  const c = state.cases[state.at];
  if (!c.has_video) return;
  byId("video").hidden = true;
  byId("novideo").hidden = false;
  byId("novideo").textContent = `The video cannot be played here (is the server running, and does this browser know the format?): ${lookAt(c)}`;
});

byId("video").addEventListener("timeupdate", () => {
  const c = state.cases[state.at];
  const video = byId("video");
  // The browser itself stops at the end that the address names, or a frame before it.
  if (c.end_s > c.start_s && video.currentTime >= c.end_s - 0.05) {
    video.pause();
    video.currentTime = c.start_s;
  }
});
// A segment may end with its recording; playing again would start at 0:00.
byId("video").addEventListener("ended", () => {
  byId("video").currentTime = state.cases[state.at].start_s;
});
byId("previous").addEventListener("click", () => go(-1));
byId("next").addEventListener("click", () => go(1));
byId("unrated").addEventListener("click", goUnrated);
byId("comment").addEventListener("blur", keepComment);
byId("comment").addEventListener("input", () => {
  clearTimeout(state.typed);
  state.typed = setTimeout(keepComment, 600);
});
window.addEventListener("beforeunload", keepComment, true); // before it is asked whether something waits

async function start() {
  const reply = await fetch("api/review");
  if (!reply.ok) throw new Error(String(reply.status));
  const review = await reply.json();
  state.cases = review.cases;
  byId("who").textContent = `Rater ${review.rater}. Ratings stay on this machine.`;
  byId("heading").textContent = review.heading;
  for (const [part, label] of Object.entries(review.labels)) {
    byId(`${part}-label`).textContent = label;
    byId(`${part}-label`).hidden = byId(part).hidden = label === "";
  }
  byId("scale").classList.toggle("long", Object.values(review.scale).some((text) => text.length > 60));
  for (const value of [5, 4, 3, 2, 1]) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.value = String(value);
    button.setAttribute("role", "radio");
    const digit = document.createElement("b");
    digit.textContent = String(value);
    button.append(digit, review.scale[String(value)]);
    button.addEventListener("click", () => rate(value));
    byId("scale").append(button);
  }
  const first = state.cases.findIndex((c) => c.rating === null);
  state.at = Math.max(first, 0);
  show();
}

start().catch((error) => told(`the review could not be read (${error.message})`, true));
