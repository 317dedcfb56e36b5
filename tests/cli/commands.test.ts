// The `tapir` command as its user meets it: exit codes, one line on error, JSON as the last line.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

function tapir(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const result = spawnSync(process.execPath, ["bin/tapir.js", ...args], { encoding: "utf8" });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

for (const [args, message] of [
  [["train", "mnist", "--epochs", "-1"], /^tapir: --epochs: expected a whole number >= 1; got -1$/],
  [["train", "mnist", "--lr", "fast"], /--lr: expected a number > 0; got fast/],
  [["train", "mnist", "--optimizer", "magic"], /--optimizer: expected adam or sgd; got magic/],
  [["train", "mnist", "--wings"], /unknown option --wings/],
  [["train", "mnist", "--seed"], /--seed: expected N; got nothing/],
  [["train", "mnist", "--out", "--json"], /--out: expected DIR; got --json/],
  [["train", "mnist", "--out", "README.md"], /--out: expected a folder to write to; a part of the path is a file, not a folder at README\.md$/],
  [["train", "mnist", "--out", "README.md/deeper/still"], /--out: .* not a folder/],
  [["train", "mnist", "--out", "x".repeat(300)], /--out: .* the path is too long/],
  [["train", "mnist", "--resume"], /^tapir: --resume: expected none with mnist; got one$/],
  [["train", "examples/configs/mlp-iris.json", "--lr", "0.1"], /--lr: expected none with examples\/configs\/mlp-iris\.json, which decides it; got one$/],
  [["train", "examples/configs/mlp-iris.json", "--epochs", "0"], /--epochs: expected a whole number >= 1; got 0/],
  [["train", "examples/configs/mlp-iris.json", "--resume", "--overwrite"], /expected one of --resume and --overwrite; got both/],
  [["train", "nowhere.json"], /train: expected a readable file; there is none at nowhere\.json/],
  [["train", "cifar"], /expected the dataset mnist, or a file FILE.json; got cifar/],
  [["fly"], /unknown command fly/],
  [["eval", "/nowhere/model.safetensors"], /there is none/],
] as [string[], RegExp][]) {
  test(`tapir ${args.join(" ")} ends with code 1 and one line`, () => {
    const { code, stdout, stderr } = tapir(...args);
    assert.is(code, 1);
    assert.is(stdout, "");
    assert.match(stderr.trimEnd(), message);
    assert.is(stderr.trimEnd().split("\n").length, 1);
  });
}

if (process.platform !== "linux") console.log(`skipped: what needs /proc and /dev/full, which ${process.platform} has not`);
for (const out of ["/proc/x", "/proc/x/y", "/proc"]) {
  const check = process.platform === "linux" ? test : test.skip;
  check(`train --out ${out}, where nothing can be written, fails before it trains`, () => {
    const started = performance.now();
    const { code, stderr } = tapir("train", "mnist", "--out", out);
    assert.is(code, 1);
    assert.match(stderr, /^tapir: --out: expected a folder to write to; .*\n$/);
    assert.ok(performance.now() - started < 20_000);
  });
}

/** Runs a command whose output nobody reads; answers how it ended. */
function unread(args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["bin/tapir.js", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  return ended(child);
}

function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  const chunks: Buffer[] = [];
  child.stderr?.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr: Buffer.concat(chunks).toString() })));
}

for (const args of [["--help"], ["train", "--help"], ["doctor"], ["doctor", "--json"]]) {
  test(`tapir ${args.join(" ")} | true ends with code 0 and says nothing`, async () => {
    assert.equal(await unread(args), { code: 0, stderr: "" });
  });
}

const full = process.platform === "linux" ? test : test.skip;
full("an output that cannot be written is one line and code 1", async () => {
  const device = openSync("/dev/full", "w");
  const child = spawn(process.execPath, ["bin/tapir.js", "doctor"], { stdio: ["ignore", device, "pipe"] });
  assert.equal(await ended(child), { code: 1, stderr: "tapir: expected to write the output; the disk is full at stdout\n" });
  closeSync(device);
});

const signals = process.platform === "win32" ? test.skip : test;
signals("Ctrl-C stops a training with code 130, one line and no model", async () => {
  const out = join(mkdtempSync(join(tmpdir(), "tapir-stop-")), "run");
  const child = spawn(process.execPath, ["bin/tapir.js", "train", "mnist", "--epochs", "100000", "--hidden", "8", "--out", out]);
  const end = ended(child);
  while (!existsSync(out)) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  child.kill("SIGINT");
  assert.equal(await end, { code: 130, stderr: "tapir: stopped by the signal: interrupted\n" });
  assert.equal(readdirSync(out), []);
});

test("an unexpected error is one line, with its stack only under TAPIR_DEBUG", () => {
  const fault = "data:text/javascript,performance.now = () => { throw new RangeError('first%5Cnsecond') }";
  const run = (debug: string): string =>
    spawnSync(process.execPath, ["--import", fault, "bin/tapir.js", "train", "mnist"], { encoding: "utf8", env: { ...process.env, TAPIR_DEBUG: debug } })
      .stderr;
  assert.match(run(""), /^tapir: RangeError: first\\u\{a\}second; .*TAPIR_DEBUG=1.*\n$/);
  assert.match(run("1"), /\n {4}at /);
});

test("what an error quotes cannot move the cursor of a terminal", () => {
  assert.match(tapir("\x1b[2J\u202egnihsif").stderr, /^tapir: unknown command \\u\{1b\}\[2J\\u\{202e\}gnihsif;/);
});

test("train writes model and report, eval reads the model, and the seed fixes every bit", () => {
  const folder = mkdtempSync(join(tmpdir(), "tapir-cli-"));
  const train = (out: string): Record<string, unknown> => {
    const run = tapir("train", "mnist", "--epochs", "1", "--hidden", "16", "--batch", "256", "--json", "--out", join(folder, out));
    assert.is(run.code, 0, run.stderr);
    assert.is(run.stderr, "");
    return JSON.parse(run.stdout.trim().split("\n").pop() as string);
  };
  const first = train("a");
  assert.equal(Object.keys(first), ["testAccuracy", "testLoss", "seconds", "epochs", "steps", "digest", "model", "report"]);
  assert.ok((first.testAccuracy as number) > 0.85);
  assert.is(first.steps, 235);
  assert.ok(existsSync(first.report as string));
  assert.is(train("b").digest, first.digest);
  const evaluated = JSON.parse(tapir("eval", first.model as string, "--json").stdout);
  assert.is(evaluated.testAccuracy, first.testAccuracy);
  assert.is(evaluated.digest, first.digest);
  const header = '{"\\u001b[31m":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}';
  writeFileSync(join(folder, "red.safetensors"), Buffer.concat([Buffer.from([header.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(header)]));
  assert.match(tapir("eval", join(folder, "red.safetensors")).stderr, /^tapir: model: .*got \\u\{1b\}\[31m \[0\] in .*\n$/);
  writeFileSync(join(folder, "cut.safetensors"), "abc");
  assert.is(tapir("eval", join(folder, "cut.safetensors")).code, 1);
});

test("train reads a file, writes model, report, logs and checkpoints, and goes on with the same bits", () => {
  const folder = mkdtempSync(join(tmpdir(), "tapir-cli-"));
  const train = (out: string, ...args: string[]): Record<string, unknown> => {
    const run = tapir("train", "examples/configs/mlp-iris.json", "--json", "--threads", "1", "--out", join(folder, out), ...args);
    assert.is(run.code, 0, run.stderr);
    assert.is(run.stderr, "");
    return JSON.parse(run.stdout.trim().split("\n").pop() as string);
  };
  const rows = (out: string): string[] =>
    readFileSync(join(folder, out, "history.csv"), "utf8")
      .trim()
      .split("\n")
      .map((row) => row.replace(/,[^,]*$/, ""));
  const whole = train("whole", "--epochs", "6");
  const mnist = ["testAccuracy", "testLoss", "seconds", "epochs", "steps", "digest", "model", "report"];
  assert.equal(Object.keys(whole), [...mnist, "measured", "scores", "log"]);
  assert.equal([whole.epochs, whole.steps, whole.measured], [6, 48, "validation"]);
  for (const file of ["model.safetensors", "report.html", "history.csv", "history.jsonl", "checkpoints"])
    assert.ok(existsSync(join(folder, "whole", file)), file);

  assert.is(train("parts", "--epochs", "2").epochs, 2);
  assert.is(train("parts", "--epochs", "6", "--resume").digest, whole.digest);
  assert.equal(rows("parts"), rows("whole"));
  // what is done is not done again
  assert.is(train("parts", "--epochs", "6", "--resume").digest, whole.digest);
  assert.is(rows("parts").length, 7);

  const before = readFileSync(join(folder, "parts", "model.safetensors"));
  const again = tapir("train", "examples/configs/mlp-iris.json", "--out", join(folder, "parts"));
  assert.is(again.code, 1);
  assert.match(
    again.stderr,
    /expected a folder without an earlier run; got .*checkpoints; --resume goes on with it, --overwrite begins anew, or give another --out\n$/,
  );
  assert.equal(readFileSync(join(folder, "parts", "model.safetensors")), before);
  assert.is(train("parts", "--epochs", "1", "--overwrite").epochs, 1);
  // without a checkpoint to go on from, --resume is a run from the beginning, and its log too
  rmSync(join(folder, "parts", "checkpoints"), { recursive: true });
  assert.is(train("parts", "--epochs", "1", "--resume").epochs, 1);
  assert.is(rows("parts").length, 2);
  assert.equal(readdirSync(join(folder, "parts", "checkpoints")), ["epoch-0001-step-000000.safetensors"]);
});

test("the average of the weights that was measured after the last epoch is the model that is saved", () => {
  const folder = mkdtempSync(join(tmpdir(), "tapir-cli-"));
  const file = join(folder, "average.json");
  const model = [{ Linear: [4, 8] }, "Tanh", { Linear: [8, 3] }];
  const average = { ExponentialMovingAverage: { decay: 0.95 } };
  writeFileSync(file, JSON.stringify({ data: { source: "iris", validation: 0.2 }, model, loss: "crossEntropy", optimizer: "Adam", average, epochs: 2 }));
  const run = tapir("train", file, "--json", "--out", folder);
  assert.is(run.code, 0, run.stderr);
  const [, last] = readFileSync(join(folder, "history.jsonl"), "utf8").trim().split("\n");
  assert.is(JSON.parse(run.stdout).testLoss, JSON.parse(last).validation.loss);
});

test("doctor and help tell what there is", () => {
  const figures = JSON.parse(tapir("doctor", "--json").stdout);
  assert.ok(["strict", "relaxed"].includes(figures.build));
  assert.ok(figures.threadsInUse >= 1 && figures.threadsInUse <= figures.cores);
  assert.match(tapir("--help").stdout, /train mnist/);
  const help = tapir("train", "--help").stdout;
  assert.match(help, /--epochs N/);
  // the file that it shows is one that trains
  const shown = JSON.parse((/^ {2}(\{ "data".*?\n.*?\n.*\})$/m.exec(help) as RegExpExecArray)[1]);
  const path = join(mkdtempSync(join(tmpdir(), "tapir-cli-")), "shown.json");
  writeFileSync(path, JSON.stringify(shown));
  const run = tapir("train", path, "--epochs", "1", "--out", `${path}.out`);
  assert.is(run.code, 0, run.stderr);
  assert.match(run.stdout, /^validation accuracy \d+\.\d\d % {3}\d+\.\d s {3}model .*model\.safetensors {3}report .*report\.html\n$/);
});

test.run();
