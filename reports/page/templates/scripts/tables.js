/* Tables of the page: DataTables sorts them by their heads, and takes out the rows that filters or the search hide. */
const QUIET = { paging: false, info: false, autoWidth: false, order: [], orderClasses: false, layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null } };
const cellsOf = (read) => function (settings, column) {
  return this.api().column(column, { order: "index" }).nodes().toArray().map(read);
};
DataTable.ext.errMode = "throw";
DataTable.ext.order.number = cellsOf((cell) => cell.dataset.value);
DataTable.ext.order.text = cellsOf((cell) => cell.textContent.trim().toLowerCase());
/* Numbers, those that are missing last in either direction. */
const last = (a, b, sign) => (a === null || b === null ? (a === null) - (b === null) : sign * (a - b));
DataTable.type("score", {
  detect: () => false,
  order: {
    pre: (text) => (text === undefined || text === "" || text === "None" ? null : Number(text)),
    asc: (a, b) => last(a, b, 1),
    desc: (a, b) => last(a, b, -1),
  },
});
const columnsOf = (table) => [...table.tHead.rows[0].cells].map(({ dataset: { kind } }) => {
  if (!kind) return { orderable: false, searchable: false, type: "string" };
  const number = kind === "number";
  return { orderDataType: kind, type: number ? "score" : "string", orderSequence: number ? ["desc", "asc"] : ["asc", "desc"], searchable: false };
});
/* Of each table: DataTables' handle on it, and its rows in the order of the page. */
const tables = new Map();
for (const table of document.querySelectorAll("table:has(> thead)")) {
  const nodes = [...table.tBodies[0].rows];
  if (!nodes.length || !table.querySelector("[data-kind], [data-search]")) continue;
  for (const row of nodes) row.hidden = false; // some are for readers with a script alone
  tables.set(table, { api: new DataTable(table, { ...QUIET, columns: columnsOf(table) }), nodes });
}
/* Keep the rows that a test lets pass; tests by other names stay as they are. */
const keep = (table, name, test) => {
  const { api, nodes } = tables.get(table) || {};
  if (api) api.search.fixed(name, test && ((text, cells, at) => test(nodes[at]))).draw();
};

/* The search over all sections; lists that are made by script search for themselves. */
const lists = [];
const searched = () => $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
const holdsAll = (words, text) => words.every((word) => text.toLowerCase().includes(word));
const search = () => {
  const words = searched();
  let shown = 0, all = 0;
  for (const [table, { nodes }] of tables) {
    const about = ` ${table.closest("section").id}`;
    const fits = ({ dataset }) => holdsAll(words, dataset.search + about);
    const told = nodes.filter((row) => row.dataset.search !== undefined);
    if (!told.length) continue;
    keep(table, "search", words.length ? fits : null);
    all += told.length;
    shown += told.filter(fits).length;
  }
  for (const searchList of lists) searchList();
  $("searchcount").textContent = words.length ? `${shown} of ${all} rows shown, ${all - shown} hidden; lists: by recording` : "";
};
$("search").addEventListener("input", search);

/* Filters of single sections. */
const filterPrompts = () => {
  const feature = $("promptfeature").value, kind = $("promptkind").value;
  keep($("promptlist"), "filter", ({ dataset }) => (!feature || dataset.feature === feature) && (!kind || dataset.kind === kind));
};
if ($("promptlist")) listen(["promptfeature", "promptkind"], "change", filterPrompts);
const filterMeasures = () => {
  const sound = $("soundonly").checked, parts = $("signs").checked;
  for (const table of document.querySelectorAll("table.s3")) {
    keep(table, "filter", ({ dataset }) => (!sound || dataset.rule === "sound") && (parts || !dataset.part));
  }
};
if ($("soundonly")) { listen(["soundonly", "signs"], "change", filterMeasures); filterMeasures(); }
