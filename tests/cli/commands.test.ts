// The `tapir` command as its user meets it: exit codes, one line on error, JSON as the last line.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
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
  [["train", "cifar"], /expected the dataset mnist; got cifar/],
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
  writeFileSync(join(folder, "cut.safetensors"), "abc");
  assert.is(tapir("eval", join(folder, "cut.safetensors")).code, 1);
});

test("doctor and help tell what there is", () => {
  const figures = JSON.parse(tapir("doctor", "--json").stdout);
  assert.ok(["strict", "relaxed"].includes(figures.build));
  assert.match(tapir("--help").stdout, /train mnist/);
  assert.match(tapir("train", "--help").stdout, /--epochs N/);
});

test.run();
