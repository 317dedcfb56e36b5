// Logs of a training: what stands in the files, and what becomes of them when a training goes on.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, data, FormatError, layers, manualSeed, mseLoss, optim, rand, scope, tensor, train } from "../../ts-src/index.js";
import { assertRejects, assertThrows } from "../assert-close.js";

const folder = mkdtempSync(join(tmpdir(), "tapir-logs-"));
let files = 0;
const fresh = (ending: string): string => join(folder, `${files++}.${ending}`);
const lines = (path: string): string[] => readFileSync(path, "utf8").trimEnd().split("\n");

type Options = Partial<Parameters<typeof train.fit>[2]>;

function fitted(options: Options, batches?: readonly data.Batch[]): Promise<train.History> {
  manualSeed(5);
  const model = new layers.Linear(2, 1);
  const x = rand([12, 2]);
  const points = batches ?? new data.DataLoader(new data.TensorDataset(x, x.sum({ axis: 1, keepdims: true })), { batchSize: 4 });
  return train.fit(model, points, { loss: mseLoss, optimizer: new optim.SGD(model.parameters(), { lr: 0.125 }), epochs: 2, progress: false, ...options });
}

const size: train.MetricFunction = Object.assign((output: { shape: readonly number[] }) => output.shape[0], { better: "higher" as const });

test("csvLog writes a header and a row for each epoch with the very scores of the history", async () => {
  const path = fresh("csv");
  const validation = [[tensor([[1, 1]]), tensor([[2]])] as data.Batch];
  const history = await fitted({ callbacks: [train.csvLog(path)], validation, metrics: { 'size, "n"': size } });
  const rows = parse(readFileSync(path), { columns: true }) as Record<string, string>[];
  assert.equal(Object.keys(rows[0]), [
    ...["epoch", "training.loss", 'training.size, "n"', "validation.loss", 'validation.size, "n"', "learningRate", "seconds"],
  ]);
  assert.equal(
    rows.map((row) => [row.epoch, row["training.loss"], row["validation.loss"], row.learningRate].map(Number)),
    history.epochs.map((e) => [e.epoch, e.training.loss, e.validation?.loss, 0.125]),
  );
});

test("jsonLog writes a line for each epoch, and one for each step that was left out", async () => {
  const path = fresh("jsonl");
  const good = [tensor([[1, 1]]), tensor([[2]])] as data.Batch;
  const bad = [tensor([[1, 1]]), tensor([[Number.NaN]])] as data.Batch;
  const history = await fitted({ callbacks: [train.jsonLog(path)], spikeGuard: {} }, [good, bad, good]);
  const [skipped, first, ...rest] = lines(path).map((line) => JSON.parse(line));
  assert.equal(skipped, { epoch: 1, step: 2, skipped: "loss NaN is not finite" });
  assert.equal(first, { epoch: 1, training: history.epochs[0].training, learningRate: 0.125, seconds: history.epochs[0].seconds });
  assert.equal(
    rest.map((line) => line.skipped ?? line.epoch),
    ["loss NaN is not finite", 2],
  );
});

test("a training that goes on replaces the rows of epochs that it does over, and what was left half written", async () => {
  for (const [log, ending] of [
    [train.csvLog, "csv"],
    [train.jsonLog, "jsonl"],
  ] as const) {
    const [path, whole] = [fresh(ending), fresh(ending)];
    const checkpoint = { folder: join(folder, `checkpoints-${ending}`), every: 2 };
    const untimed = (file: string): string[] => lines(file).map((line) => line.replace(/(,|"seconds":)[\d.e-]+\}?$/, ""));
    await fitted({ epochs: 5, callbacks: [log(whole)] });
    await fitted({ epochs: 3, callbacks: [log(path)], checkpoint });
    // killed while it wrote the row of epoch 4; the last checkpoint is that of epoch 2
    writeFileSync(path, readFileSync(path, "utf8") + lines(path).at(-1)?.replace("3", "4").slice(0, 12));
    await fitted({ epochs: 5, callbacks: [log(path)], checkpoint: { ...checkpoint, resume: true } });
    assert.equal(untimed(path), untimed(whole), ending);
  }
});

test("a new training adds to a log of the same columns", async () => {
  const [csv, json] = [fresh("csv"), fresh("jsonl")];
  const callbacks = [train.csvLog(csv), train.jsonLog(json)];
  await fitted({ callbacks });
  await fitted({ callbacks });
  assert.equal(
    lines(csv).map((line) => line.split(",")[0]),
    ["epoch", "1", "2", "1", "2"],
  );
  assert.equal(
    lines(json).map((line) => JSON.parse(line).epoch),
    [1, 2, 1, 2],
  );
});

test("files of something else are left as they are, before the first step", async () => {
  let steps = 0;
  const counting: train.Callback = { onStepEnd: () => void steps++ };
  for (const [log, text, message] of [
    [train.csvLog, "epoch,loss\n1,2\n", /^csvLog: expected the columns epoch,training\.loss,learningRate,seconds of this training; got epoch,loss in /],
    [train.csvLog, "epoch,training.loss,learningRate,seconds\nthe end\n", /expected a log of epochs; got another text at line 2 of /],
    [train.csvLog, "a diary", /expected a log of epochs; got another text, "a diary", in /],
    [train.jsonLog, '{"epoch":1}\n{"day":1}\n', /^jsonLog: expected a log of epochs; got another text at line 2 of /],
    [train.jsonLog, "a diary", /got another text, "a diary", in .*; give another path$/],
  ] as const) {
    const path = fresh("txt");
    writeFileSync(path, text);
    await assertRejects(fitted({ callbacks: [log(path), counting] }), ConfigError, message);
    assert.is(readFileSync(path, "utf8"), text);
  }
  mkdirSync(join(folder, "there"));
  await assertRejects(fitted({ callbacks: [train.csvLog(join(folder, "there")), counting] }), FormatError, /csvLog: .*there is a folder at /);
  await assertRejects(fitted({ callbacks: [train.jsonLog(join(folder, "nowhere", "x")), counting] }), FormatError, /jsonLog: .*there is none at /);
  assert.is(steps, 0);
  assertThrows(() => scope(() => train.csvLog(7 as never)), ConfigError, /csvLog: expected the path of a file; got 7/);
});

test("onBegin is told what will be scored, once, before the first step, and may end training", async () => {
  const seen: unknown[] = [];
  const callback: train.Callback = {
    onBegin: (beginning, history) => {
      seen.push(beginning, history.losses.length);
      return "stop";
    },
  };
  const history = await fitted({ callbacks: [callback], metrics: { size } });
  assert.equal(seen, [{ epochs: 2, scores: ["loss", "size"], validated: false }, 0]);
  assert.is(history.losses.length, 0);
  assert.is(history.stopped, "a callback asked for it");
});

test.run();
