"use strict";
// What is given is sent one after the other, again and again until the server has it. Shared by the two pages.
const byId = (name) => document.getElementById(name);
const waiting = new Map();
let sending = false;

function told(text, wrong) {
  byId("saved").textContent = text;
  byId("saved").className = wrong ? "wrong" : "";
}

// `address` is where items are sent to, `again` shows the present one anew once the server is back.
function keep(address, item, body, again) {
  waiting.set(item, body);
  // While an earlier one waits, what is said of it stays.
  if (!sending) told("saving …", false);
  send(address, again);
}

async function send(address, again) {
  if (sending) return;
  sending = true;
  let away = false;
  while (waiting.size > 0) {
    const [item, body] = waiting.entries().next().value;
    try {
      const reply = await fetch(`${address}/${encodeURIComponent(item)}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!reply.ok) throw new Error(String(reply.status));
      if (waiting.get(item) === body) waiting.delete(item);
    } catch (error) {
      away = true;
      told(`not saved yet (${waiting.size}): is the server running? Trying again.`, true);
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
  sending = false;
  told("saved", false);
  if (away && byId("video").error) again();
}

window.addEventListener("beforeunload", (event) => {
  if (waiting.size > 0) event.preventDefault();
});
