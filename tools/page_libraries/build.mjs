// Build what the report page inlines, from the versions that package-lock.json pins:
//   cd tools/page_libraries && npm ci && npm run build
// Charts: the parts of Observable Plot and d3 that plot.entry.js names. Tables: DataTables as it is published.
import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "../../reports/page/templates/vendor");
const packages = join(here, "node_modules");
const described = (name) => JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8"));

/* The texts of the licences of packages. */
const licences = (names) => names.map((name) => {
  const { version, license } = described(name);
  const file = readdirSync(join(packages, name)).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} ships no licence text: add it by hand`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(packages, name, file), "utf8").trim()}\n`;
}).join(`\n${"-".repeat(72)}\n\n`);

const out = join(vendor, "plot.min.js");
const plot = described("@observablehq/plot");
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["plot.entry.js"],
  outfile: out,
  bundle: true,
  minify: true,
  metafile: true,
  format: "iife",
  globalName: "Plot",
  banner: { js: `/* Observable Plot ${plot.version} (${plot.license}) with d3; all parts and licences: plot.LICENSE. Built by tools/page_libraries. */` },
  legalComments: "none",
  logLevel: "info",
});
const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs)).filter(([, { bytesInOutput }]) => bytesInOutput);
const names = new Set(used.flatMap(([path]) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []));
writeFileSync(join(vendor, "plot.LICENSE"), licences([...names].sort()));

/* Plot writes these rules into each chart; the page's security policy lets them in by their hash. */
const source = readFileSync(join(packages, "@observablehq/plot/src/plot.js"), "utf8");
const rules = source.match(/append\("style"\)\.text\(\s*`([^`]+)`/);
if (!rules) throw new Error("Plot writes its rules in another way: see src/plot.js");
writeFileSync(join(vendor, "plot.css"), rules[1].replaceAll("${className}", "plot"));

writeFileSync(join(vendor, "datatables.min.js"), readFileSync(join(packages, "datatables.net/js/dataTables.min.js")));
writeFileSync(join(vendor, "datatables.LICENSE"), licences(["datatables.net"]));
