// `tapir plot graph` as its user meets it: pictures of our networks and of their own, and one line where that cannot be.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";

const command = resolve("bin/tapir.js");
// inside the project, so that modules find tapir by its name
mkdirSync("build/plot-test", { recursive: true });
const folder = mkdtempSync(resolve("build/plot-test/run-"));

function plot(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "plot", "graph", ...args], { cwd: folder, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

function figures(...args: string[]): Record<string, unknown> {
  const { code, stdout, stderr } = plot(...args, "--json");
  assert.is(code, 0, stderr);
  assert.is(stderr, "");
  return JSON.parse(stdout);
}

test("each step of a model has the nodes of the one before, and the picture says what it shows", () => {
  for (const model of ["mlp", "cnn"]) {
    let before = 0;
    for (const step of ["forward", "backward", "train"]) {
      const { file, nodes, title } = figures("--model", model, "--step", step, "--hidden", "4", "--batch", "2", "--out", `${model}-${step}.svg`);
      assert.ok((nodes as number) > before);
      before = nodes as number;
      const svg = readFileSync(join(folder, file as string), "utf8");
      assert.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
      assert.ok(svg.includes(`>${title}</text>`));
      assert.is(/>derivative<\/text>/.test(svg), step !== "forward");
      assert.is(/>change of memory<\/text>/.test(svg), step === "train");
    }
  }
});

test("figures are those of the traced network", () => {
  const { nodes, edges, flops, peakBytes } = figures("--hidden", "16", "--batch", "8");
  const [first, second, sizes] = [784 * 16, 16 * 10, 8 * (16 + 16 + 10)];
  assert.equal([nodes, edges, flops, peakBytes], [3, 7, 2 * 8 * (first + second) + sizes, 4 * 8 * 32]);
});

test("a saved model is drawn with its own sizes", async () => {
  const { layers, formats } = tapir;
  const model = new layers.Sequential(new layers.Linear(784, 12), new layers.ReLU(), new layers.Linear(12, 10));
  await formats.saveSafetensors(join(folder, "model.safetensors"), model.stateDict());
  assert.is(figures("model.safetensors", "--batch", "3").title, "MLP 784-12-10, batch 3: forward");
});

test("a module of one's own is drawn: a model with its loss and optimizer, or a function with its gradient", () => {
  const net = `import { layers, mseLoss, ones, optim } from "tapir";
export const model = new layers.Sequential(new layers.Linear(2, 8), new layers.ReLU(), new layers.Linear(8, 1));
export const loss = mseLoss;
export const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
export const examples = [ones([4, 2]), ones([4, 1])];
`;
  writeFileSync(join(folder, "net.mjs"), net);
  figures("net.mjs", "--step", "train", "--out", "net.svg");
  assert.match(readFileSync(join(folder, "net.svg"), "utf8"), />SGD 0\.weight<\/text>/);
  writeFileSync(
    join(folder, "f.mjs"),
    `import { ones } from "tapir";\nexport default (x, w) => x.matmul(w).sum();\nexport const examples = () => [ones([4, 2]), ones([2, 3])];\n`,
  );
  assert.is(figures("f.mjs").nodes, 2);
  const { file } = figures("f.mjs", "--step", "backward", "--dot");
  assert.match(readFileSync(join(folder, file as string), "utf8"), /^digraph \{[\s\S]*matmul/);
});

test("help tells what a module exports, and one line what was drawn", () => {
  const { stdout } = spawnSync(process.execPath, [command, "plot", "--help"], { encoding: "utf8" });
  assert.match(stdout, /examples = \[input, target\]/);
  assert.match(stdout, /--step NAME/);
  assert.match(plot().stdout, /^graph\.svg {3}MLP 784-256-10, batch 32: forward {3}3 nodes, 7 edges, 13\.0 MFLOP, peak memory 64\.0 KiB\n$/);
});

const modules: Record<string, string> = {
  "number.mjs": "export default (x) => x;\nexport const examples = 3;\n",
  "nothing.mjs": "export const examples = [];\n",
  "syntax.mjs": "let x = ;\n",
  "missing.mjs": 'import "nowhere";\n',
  "throws.mjs": 'import { ones } from "tapir";\nexport default (x) => x.nope();\nexport const examples = [ones([2])];\n',
  "vector.mjs": 'import { ones } from "tapir";\nexport default (x) => x.tanh();\nexport const examples = [ones([2])];\n',
  "lossless.mjs":
    'import { layers, ones } from "tapir";\nexport const model = new layers.Linear(2, 1);\nexport const examples = [ones([1, 2]), ones([1, 1])];\n',
};
for (const [args, message] of [
  [["number.mjs"], /expected number\.mjs to export examples, an array of arguments or a function that makes one; got number 3/],
  [["nothing.mjs"], /expected nothing\.mjs to export a function as default, or model, a Module; got undefined/],
  [["syntax.mjs"], /expected syntax\.mjs to run; got SyntaxError/],
  [["missing.mjs"], /expected missing\.mjs to run; got Error: Cannot find package 'nowhere'/],
  [["throws.mjs"], /expected throws\.mjs to run; got TypeError: x\.nope is not a function/],
  [["vector.mjs", "--step", "backward"], /expected vector\.mjs to run; got GradientError: .*one float element; got .*\[2\]/],
  [["vector.mjs", "--step", "train"], /--step train: expected a module with model, loss and optimizer; got a function/],
  [["lossless.mjs", "--step", "train"], /--step train: expected a module that exports loss too; got one without/],
  [["number.mjs", "--batch", "3"], /--batch: expected none with number\.mjs/],
  [["none.mjs"], /there is none at none\.mjs/],
  [["--model", "rnn"], /--model: expected mlp or cnn; got rnn/],
  [["--hidden", "0"], /--hidden: expected a whole number/],
  [["--out", "nowhere/graph.svg"], /expected a place to write to; there is none at nowhere\/graph\.svg/],
] as [string[], RegExp][]) {
  test(`plot graph ${args.join(" ")} ends with code 1 and one line, and writes nothing`, () => {
    for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text);
    const before = readdirSync(folder);
    const { code, stdout, stderr } = plot(...args, ...(args.includes("--out") ? [] : ["--out", "bad.svg"]));
    assert.equal([code, stdout], [1, ""]);
    assert.match(stderr, message);
    assert.match(stderr, /^tapir: [^\n]*\n$/);
    assert.equal(readdirSync(folder), before);
    assert.not(existsSync(join(folder, "bad.svg")));
  });
}

test("plot of anything but a graph is an error that names the help", () => {
  const { status, stderr } = spawnSync(process.execPath, [command, "plot", "loss"], { encoding: "utf8" });
  assert.is(status, 1);
  assert.is(stderr, "tapir: plot: expected graph; got loss; see tapir plot --help\n");
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
