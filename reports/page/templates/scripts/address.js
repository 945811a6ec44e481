/* Going where the address says, and what keys do anywhere on the page. */
const go = () => {
  const { section, query } = place();
  for (const view of views) view(section, query);
  if (!section || !$(section)) return;
  if ($(section).tagName === "DETAILS") $(section).open = true;
  $(section).scrollIntoView();
};
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !typing) { event.preventDefault(); $("search").focus(); }
  if (event.key === "Escape" && event.target === $("search")) { $("search").value = ""; search(); }
  if (!typing && event.key === "[") step(-1);
  if (!typing && event.key === "]") step(1);
});
window.addEventListener("hashchange", go);
window.addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("details.fold")) each.open = true; });
go();
document.documentElement.dataset.ready = "1";
