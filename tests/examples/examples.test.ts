// Each example runs to its end with little data, says what it promises, and writes its plot.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const out = mkdtempSync(join(tmpdir(), "tapir-examples-"));
test.after(() => rmSync(out, { recursive: true }));

function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

/** What an example prints; it says nothing on stderr. */
function printed(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = node(`examples/${name}/main.mjs`, ...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  return stdout;
}

/** What an example prints in its quick form, after its plots were looked at. */
function quick(name: string, plot: string, ...args: string[]): string {
  const stdout = printed(name, "--quick", "--out", out, ...args);
  assert.match(stdout, new RegExp(`plot .*${plot}\\n$`));
  const svg = readFileSync(join(out, plot), "utf8");
  assert.match(svg, /^<svg.*<path.*<\/svg>$/s);
  assert.not.match(svg, /NaN|Infinity|undefined/);
  return stdout;
}

/** The numbers that a pattern finds. */
function numbers(pattern: RegExp, text: string): number[] {
  return [...text.matchAll(pattern)].map((found) => Number(found[1]));
}

/** A test of what needs a file; where it is missing the skip says so. */
function testWith(path: string, origin: string, name: string, run: () => void): void {
  if (existsSync(path)) return void test(name, run);
  console.log(`skipped: ${name}: no ${path}; it comes with ${origin}`);
  test.skip(name, run);
}

const ACCURACY = /test accuracy ([\d.]+) %/g;

for (const model of ["mlp", "lenet"]) {
  test(`mnist: ${model} reads digits after one look at 2,000`, () => {
    const [accuracy] = numbers(ACCURACY, quick("mnist", `${model}.svg`, "--model", model));
    assert.ok(accuracy > 80, `${accuracy} %`);
  });
}

test("mnist: --json ends with one object and draws nothing", () => {
  const folder = join(out, "json");
  const last = printed("mnist", "--quick", "--json", "--model", "mlp", "--out", folder).trim().split("\n").pop() as string;
  const { testAccuracy, testLoss, epochs } = JSON.parse(last);
  assert.ok(testAccuracy > 0.8 && testLoss > 0);
  assert.is(epochs, 1);
  assert.not(existsSync(folder));
});

test("batchnorm: at both rates the loss is lower with it", () => {
  const stdout = quick("batchnorm", "batchnorm.svg");
  const losses = stdout
    .split("\n")
    .filter((line) => line.startsWith("rate"))
    .map((line) => numbers(/loss ([\d.]+) at the end/g, line)[0] ?? Number.POSITIVE_INFINITY);
  assert.is(losses.length, 4);
  const [without, with_, highWithout, highWith] = losses;
  assert.ok(with_ < without && highWith < highWithout, stdout);
});

test("cliff: one step leaves the valley for good, a clipped one does not", () => {
  const stdout = quick("cliff", "cliff.svg");
  const [longest] = numbers(/longest gradient +(\d+)/g, stdout);
  const [without, clipped] = numbers(/loss ([\d.e-]+)/g, stdout);
  const [thrown, kept] = numbers(/w (-?[\d.]+)/g, stdout);
  assert.ok(longest > 1000, stdout);
  assert.ok(clipped < without, stdout);
  assert.ok(Math.abs(thrown) > 50 && Math.abs(kept - 4.5) < 1, stdout);
});

test("true-loss: four surrogates, each with the epoch to stop at by itself and by the true loss", () => {
  const stdout = quick("true-loss", "true-loss.svg");
  const errors = numbers(/test error +([\d.]+) %/g, stdout);
  assert.is(errors.length, 8);
  for (const error of errors) assert.ok(error < 40, stdout);
});

test("optimizers: all of them, on four functions", () => {
  const rows = quick("optimizers", "optimizers.svg")
    .split("\n")
    .filter((line) => line.includes("("))
    .slice(1);
  assert.equal(
    rows.map((row) => row.split(" ")[0]),
    [
      ...["SGD", "momentum", "Nesterov", "Adagrad", "FullMatrixAdagrad", "RMSprop", "Adadelta", "Adam"],
      ...["AdamW", "AMSGrad", "Adamax", "NAdam", "RAdam", "Lion", "Muon", "LBFGS"],
    ],
  );
  for (const row of rows) assert.is(row.match(/\(0\.03\)/g)?.length, 4);
});

testWith("/usr/share/games/fortunes/science", "Debian's package fortunes", "text: perplexity falls, and both networks write", () => {
  const stdout = quick("text", "text.svg");
  const first = numbers(/perplexity ([\d.]+) after/g, stdout);
  const last = numbers(/, ([\d.]+) after/g, stdout);
  assert.is(first.length, 2);
  for (const [i, perplexity] of last.entries()) assert.ok(perplexity < first[i], stdout);
  assert.ok(stdout.length > 200);
});

test("text: another file is read, and one that is not there is said in a line", () => {
  const stdout = quick("text", "text.svg", "--model", "lstm", "--text", "LICENSE", "--quick");
  assert.match(stdout, /^[\d,]+ characters, \d+ kinds\n/);
  const { status, stderr } = node("examples/text/main.mjs", "--text", join(out, "nothing"));
  assert.is(status, 1);
  assert.match(stderr, /^text: expected the file .*nothing; there is none; [^\n]*\n$/);
});

const fashion = process.env.TAPIR_FASHION_MNIST || "/usr/share/datasets/fashion-mnist";
testWith(fashion, "Debian's package dataset-fashion-mnist", "fashion-mnist: tells clothes apart after one look at 2,000", () => {
  const [accuracy] = numbers(ACCURACY, quick("fashion-mnist", "fashion-mnist.svg"));
  assert.ok(accuracy > 50, `${accuracy} %`);
});

test("xor and remote: what they learn", () => {
  const { stdout } = node("examples/xor.mjs");
  assert.ok((numbers(/loss ([\d.]+)/g, stdout).pop() as number) < 0.01, stdout);
  const [product] = numbers(/= (-?[\d.]+)/g, printed("remote"));
  assert.ok(Math.abs(product + 0.6) < 0.1, String(product));
});

test("a wrong option is an error in one line", () => {
  for (const args of [["--nothing"], ["--model", "resnet"]]) {
    const { status, stderr } = node("examples/mnist/main.mjs", ...args);
    assert.is(status, 1);
    assert.match(stderr, /^examples\/mnist\/main\.mjs: [^\n]+; --help tells more\n$/);
  }
});

test("every example begins with what it is about and how to run it, which --help shows", () => {
  for (const name of readdirSync("examples").filter((entry) => entry !== "remote" && existsSync(`examples/${entry}/main.mjs`))) {
    assert.match(readFileSync(`examples/${name}/main.mjs`, "utf8"), new RegExp(`^// [A-Z].*\n//   node examples/${name}/main\\.mjs .*--quick`, "s"));
  }
  assert.match(printed("cliff", "--help"), /^The cliff of a recurrent network.*\n {2}node examples\/cliff\/main\.mjs \[--quick\]/s);
});

test("the table of examples names each of them", () => {
  const table = readFileSync("examples/README.md", "utf8");
  for (const name of readdirSync("examples")) if (existsSync(`examples/${name}/main.mjs`)) assert.ok(table.includes(`(${name}/main.mjs)`), name);
});

test.run();
