"use strict";
// Questions are set as text, never as markup.
const state = { items: [], at: 0, shown: 0 };
const LONGEST_S = 86400;

// Seconds count while the page can be seen.
function clockOff() {
  const item = state.items[state.at];
  if (item && state.shown) item.seconds = Math.min(LONGEST_S, item.seconds + (performance.now() - state.shown) / 1000);
  state.shown = 0;
}

function clockOn() {
  state.shown = document.hidden ? 0 : performance.now();
}

function show() {
  const item = state.items[state.at];
  byId("question").textContent = item.question;
  const sound = item.heard ? "with sound, as models heard it" : "without sound, as models had none";
  byId("where").textContent = `The frames that models are shown, ${Number(item.fps.toFixed(3))} per second, ${sound}.`;
  byId("video").hidden = false;
  byId("novideo").hidden = true;
  byId("video").src = `clip/${encodeURIComponent(item.item)}`;
  byId("video").load();
  for (const button of byId("scale").children) {
    button.setAttribute("aria-checked", String(button.dataset.value === item.answer));
  }
  const answered = state.items.filter((each) => each.answer !== null).length;
  byId("done").style.width = `${(100 * answered) / state.items.length}%`;
  byId("bar").setAttribute("aria-valuemax", String(state.items.length));
  byId("bar").setAttribute("aria-valuenow", String(answered));
  byId("progress").textContent = `Question ${state.at + 1} of ${state.items.length}, ${answered} answered`;
  clockOn();
}

function goTo(at) {
  if (at === state.at || at < 0 || at >= state.items.length) return;
  clockOff();
  state.at = at;
  show();
}

function goOpen() {
  const count = state.items.length;
  for (let i = 1; i <= count; i += 1) {
    const at = (state.at + i) % count;
    if (state.items[at].answer === null) {
      goTo(at);
      return;
    }
  }
  told("every question is answered: thank you", false);
}

function answer(value) {
  clockOff();
  const item = state.items[state.at];
  item.answer = value;
  keep("api/answers", item.item, { answer: value, seconds: item.seconds }, show);
  if (state.at < state.items.length - 1) goTo(state.at + 1);
  else show();
}

function playOrStop() {
  const video = byId("video");
  if (video.paused) video.play().catch(() => {});
  else video.pause();
}

function frame(step) {
  const video = byId("video");
  video.pause();
  video.currentTime = Math.max(0, video.currentTime + step / state.items[state.at].fps);
}

const KEYS = {
  y: () => answer("yes"),
  n: () => answer("no"),
  a: () => answer("na"),
  t: () => answer("cannot_tell"),
  u: goOpen,
  ArrowRight: () => goTo(state.at + 1),
  ArrowLeft: () => goTo(state.at - 1),
  ",": () => frame(-1),
  ".": () => frame(1),
  " ": playOrStop,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || state.items.length === 0) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return;
  if (event.target.tagName === "VIDEO" && [" ", "ArrowLeft", "ArrowRight"].includes(event.key)) return;
  if (!KEYS[event.key]) return;
  KEYS[event.key]();
  event.preventDefault();
});
document.addEventListener("visibilitychange", () => (document.hidden ? clockOff() : clockOn()));
byId("video").addEventListener("error", () => {
  byId("video").hidden = true;
  byId("novideo").hidden = false;
  byId("novideo").textContent = "The clip cannot be played here: is the server running, and does this browser play MP4 with H.264?";
});
byId("previous").addEventListener("click", () => goTo(state.at - 1));
byId("next").addEventListener("click", () => goTo(state.at + 1));
byId("open").addEventListener("click", goOpen);

async function start() {
  const reply = await fetch("api/study");
  if (!reply.ok) throw new Error(String(reply.status));
  const study = await reply.json();
  state.items = study.items;
  byId("who").textContent = `Reader ${study.reader}. Answers stay on this machine; each is timed.`;
  for (const [value, text] of Object.entries(study.choices)) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.value = value;
    button.setAttribute("role", "radio");
    button.textContent = text;
    button.addEventListener("click", () => answer(value));
    byId("scale").append(button);
  }
  state.at = Math.max(state.items.findIndex((each) => each.answer === null), 0);
  show();
}

start().catch((error) => told(`the study could not be read (${error.message})`, true));
