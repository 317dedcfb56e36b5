// The sources -> docs/ops.md: every op and every function of the package. `npm run docs` writes it, `node scripts/docs.js --check`
// fails when it is stale. The text comes from the comments (docs/sources.js), dtypes and orders from trying (docs/tries.js).
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { declarations, exported, headerOf, membersOf } from "./docs/sources.js";
import { tries } from "./docs/tries.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const PAGE = "docs/ops.md";

/** The files of each topic, below ts-src; a file that stands nowhere is a topic of its own, named by its first comment. */
const topics = [
  ["Making tensors", ["ops/create"]],
  ["Random numbers", ["ops/random"]],
  ["Arithmetic", ["ops/binary", "ops/quotient", "ops/unary", "ops/power", "ops/rounding", "ops/guarded"]],
  ["Exponentials and logarithms", ["ops/exponential"]],
  ["Circular and hyperbolic functions", ["ops/trigonometry", "ops/hyperbolic"]],
  ["Activations", ["ops/piecewise", "ops/activations", "ops/gelu", "ops/logistic"]],
  ["Comparisons and logic", ["ops/compare", "ops/logic"]],
  ["Choices", ["ops/select"]],
  ["Sums, means and other reductions", ["ops/reduce", "ops/extrema", "ops/statistics", "ops/norm"]],
  ["Scans", ["ops/scan", "ops/recurrence"]],
  ["Recurrent cells", ["ops/recurrent"]],
  ["Matrix products", ["ops/matmul", "ops/products", "ops/einsum"]],
  ["Shapes and views", ["ops/shape", "ops/slice", "ops/diagonal"]],
  ["Joining, repeating and padding", ["ops/join", "ops/pad"]],
  ["Indexing", ["ops/gather", "ops/scatter", "ops/scatter-reduce", "ops/rows"]],
  ["Sorting and searching", ["ops/sort", "ops/unique", "ops/groups"]],
  ["Copies and dtypes", ["ops/convert"]],
  ["Softmax and attention", ["ops/softmax", "ops/attention"]],
  ["Normalisation and dropout", ["ops/rownorm", "ops/batchnorm", "ops/dropout"]],
  ["Convolution", ["ops/convolution"]],
  ["Pooling and resizing", ["ops/pooling", "ops/mean-windows", "ops/interpolate"]],
  ["Losses", ["losses/regression", "losses/classification", "losses/distance", "losses/margin", "ops/crossentropy", "ops/zeroone"]],
  ["Derivatives", ["ops/derivatives", "ops/transforms", "ops/reverse", "ops/gradcheck"]],
  ["Graphs", ["graph/trace", "graph/gradient", "graph/compile", "graph/graph"]],
  ["Ops of one's own", ["ops/custom"]],
];

/** Members of Tensor that users need. */
const members = ["requiresGrad", "grad", "item", "data", "toArray", "describe", "dispose"];

const outfile = "build/docs/index.mjs";
mkdirSync("build/docs", { recursive: true });
writeFileSync(
  "build/docs/entry.ts",
  'export * from "../../ts-src/index.js";\nexport { apply } from "../../bindings/op.js";\nexport { scope } from "../../bindings/lifetime.js";\nexport { Random } from "../../tests/draw.js";\n',
);
await build({ entryPoints: ["build/docs/entry.ts"], outfile, bundle: true, format: "esm", platform: "node", loader: { ".wasm": "base64", ".txt": "text" } });
rmSync("build/docs/entry.ts");
const tapir = await import(pathToFileURL(join(root, outfile)).href);
const { shapesAndDtypes, opOrders, functionOrders } = tries(tapir);

const declared = declarations();
const functions = exported("ts-src/index.ts");
const byName = (a, b) => (a.name < b.name ? -1 : 1);

/** Text of a comment for Markdown: no tags. */
function text(doc) {
  return doc.replace(/<(?=[a-z/!])/gi, "\\<");
}

/** The first sentence, for a table. */
function brief(doc) {
  const end = doc.search(/[^.]\.(?= [A-Z`"(]|$)|\.$/);
  const sentence = end < 0 ? doc : doc.slice(0, end + 1);
  return text(sentence.replace(/\.$/, "")).replace(/\|/g, "\\|");
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function anchor(heading) {
  return `#${heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replace(/ /g, "-")}`;
}

function opOf(name) {
  const declaration = tapir.ops.get(name);
  const source = declared.get(name);
  if (source === undefined) throw new Error(`docs: expected the declaration of ${name} under ts-src, its name a literal or an argument; got none`);
  const own = functions.get(name);
  const doc = (own?.path === source.path && own.doc) || source.doc;
  if (doc === "") throw new Error(`docs: expected a comment above ${name} or ${name}Op in ${source.path}; got none`);
  return { name, doc, path: source.path, rule: source.rule, declaration, orders: opOrders(declaration) };
}

function section({ name, doc, path, rule, declaration, orders }) {
  const { example, dtypes, output } = shapesAndDtypes(declaration);
  const facts = [
    `- Shapes, for instance: ${example}`,
    `- Dtypes: ${dtypes}${output === "" ? "" : `; output: ${output}`}`,
    `- Saves: ${declaration.saves.join(", ") || "nothing"}${declaration.view ? "; a view where strides allow" : ""}`,
    `- Differentiable: ${orders.long}`,
    `- Declared in \`${path}\``,
  ];
  const code = typeof declaration.vjp === "function" ? ["", "```ts", rule || declaration.vjp.toString(), "```"] : [];
  return [`### ${name}`, "", text(doc), "", ...facts, ...code].join("\n");
}

const ops = [...tapir.ops.keys()].map(opOf).sort(byName);
const named = new Map(ops.map((op) => [op.name, op]));
const plain = [...functions].filter(([name, { parameters }]) => parameters !== undefined && !name.includes(".")).map(([name, of]) => ({ name, ...of }));

/** Differentiability of a public function, of an op or of what is made of ops. */
function ordersOf({ name, types, node, path }) {
  // a function whose own op has another name, or that takes the op's only with some options, is tried as a function
  if (named.has(name) && path === named.get(name).path) return named.get(name).orders.short;
  const type = node.type?.getText() ?? "";
  if (!/^(Tensor|Sorted|Tensor\[\])$|\| Picked|\| Unique/.test(type) || !path.match(/ops|losses/)) return "-";
  return functionOrders(name, types)?.short ?? (types.includes("Tensor") ? "as its parts" : "-");
}

function functionRow(of) {
  const link = named.has(of.name) ? `[${of.name}](${anchor(of.name)})` : of.name;
  return [`${link}(${of.parameters})`, brief(of.doc), ordersOf(of)];
}

const used = new Set();
function topic(title, paths) {
  const own = plain.filter(({ path }) => paths.includes(path)).sort(byName);
  const inside = ops.filter(({ path }) => paths.includes(path));
  for (const { path } of [...own, ...inside]) used.add(path);
  const helpers = inside.filter(({ name }) => !own.some((of) => of.name === name));
  const parts = [`## ${title}`, "", paths.map((path) => text(headerOf(path))).join(" ")];
  if (own.length > 0) parts.push("", table(["function", "what it is", "differentiable"], own.map(functionRow)));
  if (helpers.length > 0) {
    const rows = helpers.map(({ name, doc, orders }) => [`[${name}](${anchor(name)})`, brief(doc), orders.short]);
    parts.push("", "Ops behind them:", "", table(["op", "what it is", "differentiable"], rows));
  }
  return { title, count: own.length, text: [...parts, ...inside.flatMap((op) => ["", section(op)])].join("\n") };
}

function simple(title, intro, rows) {
  const listed = rows.map(({ name, doc, parameters }) => [parameters === undefined ? name : `${name}(${parameters})`, brief(doc)]);
  return { title, count: rows.length, text: [`## ${title}`, "", intro, "", table(["name", "what it is"], listed)].join("\n") };
}

const chapters = topics.map(([title, files]) =>
  topic(
    title,
    files.map((file) => `ts-src/${file}.ts`),
  ),
);
const others = [...new Set([...plain.filter(({ path }) => path.startsWith("ts-src/")), ...ops].map(({ path }) => path))]
  .filter((path) => !used.has(path))
  .sort();
for (const path of others) chapters.push(topic(headerOf(path).split(/[.:] /)[0].replace(/\.$/, ""), [path]));

const listed = (prefix) => [...functions].filter(([name]) => name.startsWith(prefix)).map(([name, of]) => ({ name, ...of, doc: of.doc || headerOf(of.path) }));
// functions that are methods and nothing else
const onlyMethods = readdirSync("ts-src/ops")
  .sort()
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => [...exported(`ts-src/ops/${file}`)])
  .filter(([name, of]) => of.parameters !== undefined && Object.hasOwn(tapir.Tensor.prototype, name) && functions.get(name)?.path !== of.path)
  .map(([name, of]) => ({ name: `x.${name}`, ...of, parameters: of.parameters.split(", ").slice(1).join(", ") }));
const ofTensor = [...membersOf(functions.get("Tensor"))].filter(([name]) => members.includes(name)).map(([name, of]) => ({ name: `x.${name}`, ...of }));
chapters.push(
  simple("Tensor", "Every function above whose first operand is a tensor is also a method, `x.add(y)` for `add(x, y)`. These are methods alone:", [
    ...ofTensor,
    ...onlyMethods.sort(byName),
  ]),
  simple(
    "Graph",
    `${headerOf(functions.get("Graph").path)} What trace() and gradient() answer:`,
    [...membersOf(functions.get("Graph"))].map(([name, of]) => ({ name: `graph.${name}`, ...of })),
  ),
  simple("Layers", headerOf("ts-src/layers/index.ts"), listed("layers.")),
  simple("Optimizers", headerOf("ts-src/optim/index.ts"), listed("optim.")),
  simple("Schedules", headerOf("ts-src/optim/schedules/index.ts"), listed("schedules.")),
  simple("Data, training and files", "Datasets and loaders, the training loop, and files of tensors.", [
    ...listed("data."),
    ...listed("train."),
    ...listed("formats."),
  ]),
  simple("Threads", "Work in other threads, and the threads that large ops and programs are divided between.", listed("parallel.")),
  simple(
    "Memory, settings and errors",
    "What belongs to no topic.",
    [...functions]
      .filter(([name, { path }]) => !name.includes(".") && path.startsWith("bindings/") && name !== "Tensor")
      .map(([name, of]) => ({ name, ...of, doc: of.doc || headerOf(of.path) })),
  ),
);

const page = `# Ops

Every op and every function of the package, made by \`npm run docs\` from their comments and declarations.

An op is a kernel with a derivative. The derivative is the code below it: from \`dy\`, the gradient of the output, and what the op saved, a function
for the gradient of each operand, written with ops, so that it has a derivative itself; "zero" where the gradient is 0, "none" where there is none to ask.
\`x [2, 3]\` is an operand of two rows and three columns. Dtypes are those that were tried and gave what the same numbers give in the dtype of the op's
samples. Differentiable: orders 1 to 4 were taken on those samples; "0 from order 2" means that the second derivative, and so each further one, was 0 on
every sample, for instance because the op is linear. "no" throws a GradientError or has an output that is no float. The conventions at kinks stand in
[numerics](numerics.md).

## Contents

${chapters.map(({ title, count }) => `- [${title}](${anchor(title)})${count > 0 ? ` (${count})` : ""}`).join("\n")}

${chapters.map((chapter) => chapter.text).join("\n\n")}
`;
for (const [name, { path }] of functions) {
  if (!name.startsWith("nn.") && !page.includes(name)) throw new Error(`docs: expected ${name} of ${path} on the page; got none`);
}
// as the check of the format wants it
const { stdout, stderr, status } = spawnSync(process.execPath, ["node_modules/@biomejs/biome/bin/biome", "format", `--stdin-file-path=${PAGE}`], {
  input: page,
  encoding: "utf8",
  maxBuffer: 2 ** 26,
});
if (status !== 0) throw new Error(`docs: expected biome to format ${PAGE}; got ${stderr}`);
if (process.argv.includes("--check")) {
  if (!existsSync(PAGE) || readFileSync(PAGE, "utf8") !== stdout) {
    console.error(`docs: ${PAGE} is stale; run npm run docs`);
    process.exit(1);
  }
} else writeFileSync(PAGE, stdout);
