// Configuration files of `tapir train`: what they describe, and what is said of those that cannot be.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KEYS, planOf } from "../../ts-src/cli/config/config.js";
import { augmentationTable, sourceTable } from "../../ts-src/cli/config/data.js";
import { lossTable, metricTable } from "../../ts-src/cli/config/loss.js";
import { layerTable } from "../../ts-src/cli/config/model.js";
import { averageTable, optimizerTable, scheduleTable } from "../../ts-src/cli/config/optimizer.js";
import { ConfigError, FormatError, type layers, optim, schedules } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 47;
console.log(`seed ${SEED}`);
const CHANGED = 1000;

const folder = mkdtempSync(join(tmpdir(), "tapir-config-"));
writeFileSync(join(folder, "table.csv"), "a,b,kind\n1,2,red\n3,4,blue\n5,6,red\n7,8,green\n9,10,blue\n");
writeFileSync(join(folder, "numbers.csv"), "a,b,y\n1,2,3\n3,4,7\n5,6,11\n7,8,15\n");

const good = {
  data: { source: "iris", batchSize: 16, validation: 0.2 } as unknown,
  model: [{ Linear: [4, 8] }, "ReLU", { Linear: [8, 3] }] as unknown,
  loss: "crossEntropy" as unknown,
  optimizer: { Adam: { lr: 0.01 } } as unknown,
};

let files = 0;
function written(content: unknown): string {
  const path = join(folder, `${files++}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const csv = (file: string, ...options: unknown[]): unknown => ({ source: { csv: [file, ...options] } });
const image = { source: "mnist", input: [1, 28, 28] };

/** What is changed in the good file, and what is said of it after the name of the file. */
const bad: [object | string, RegExp][] = [
  ["{ 1", /expected JSON; got /],
  ["[]", /expected an object with the keys data, model, .*; got \[\]$/],
  ['{"data": 1, "data": 2}', /expected each key once; got "data" twice$/],
  [{ learningRate: 1 }, /expected the keys data, model, loss, .*, out; got "learningRate"$/],
  [{ loss: undefined }, /expected the key loss; got data, model, optimizer$/],
  ['{"__proto__": {}, "data": "iris"}', /expected the keys data, .*; got "__proto__"$/],
  // model
  [{ model: "ReLU" }, /model: expected a list of layers; got "ReLU"$/],
  [{ model: [] }, /model: expected at least one layer; got none$/],
  [{ model: ["Conv3d"] }, /model\[0\]: expected a layer among AdaptiveAvgPool2d, .*Tanh, TransformerEncoderLayer; got "Conv3d"$/],
  [{ model: [{ constructor: [1] }] }, /model\[0\]: expected a layer among .*; got "constructor"$/],
  [{ model: ["ReLU", { Linear: [4, 3], ReLU: [] }] }, /model\[1\]: expected a layer, such as "Linear" or \{"Linear": \.\.\.\}/],
  [{ model: ["ReLU", 7] }, /model\[1\]: expected a layer, .*; got 7$/],
  [{ model: [{ Linear: [4, 0] }] }, /model\[0\]\.Linear: expected .*outFeatures.*; got 0$/],
  [{ model: ["Linear"] }, /model\[0\]\.Linear: expected .*inFeatures.*; got undefined$/],
  [{ model: [{ Linear: ["4", 3] }] }, /model\[0\]\.Linear: expected .*inFeatures.*; got "4"$/],
  [{ model: [{ Linear: [4, 3, { bais: false }] }] }, /model\[0\]\.Linear: expected options bias, dtype; got bais$/],
  [{ model: [{ Linear: [4, 3, null] }] }, /model\[0\]\.Linear\[2\]: expected an object of options; got null$/],
  [{ model: [{ Linear: [4, 3, {}, 1] }] }, /model\[0\]\.Linear: expected at most \[inFeatures, outFeatures, options\]; got \[4,3,\{\},1\]$/],
  [{ model: [{ ReLU: [1] }] }, /model\[0\]\.ReLU: expected no values; got \[1\]$/],
  [{ model: ["ReLU", "ReLU", { Conv2d: [1, 6, 5, { paddin: 2 }] }] }, /model\[2\]\.Conv2d: expected options stride, padding, .*; got paddin$/],
  [{ model: [{ Dropout: 1.5 }] }, /model\[0\]\.Dropout: expected a number from 0 to 1 for p; got 1\.5$/],
  [{ model: [{ Linear: [4, 8] }, "ReLU", { Linear: [9, 3] }] }, /model\[2\]\.Linear: .*\[2,8\].*\[3,9\]/],
  [{ model: [{ Linear: [1e6, 1e6] }] }, /model\[0\]\.Linear: .*expected at most 2147483647 elements; got \[1000000,1000000\]$/],
  // data
  [{ data: "iris" }, /data: expected an object with the keys source, batchSize, .*; got "iris"$/],
  [{ data: {} }, /data: expected the key source; got none$/],
  [{ data: { source: "cifar" } }, /data\.source: expected a source among csv, fashionMnist, imageFolder, iris, mnist; got "cifar"$/],
  [{ data: { source: { iris: 1 } } }, /data\.source\.iris: expected no values; got 1$/],
  [{ data: { source: "iris", batchSize: "16" } }, /data\.batchSize: expected a whole number >= 1; got "16"$/],
  [{ data: { source: "iris", validation: 1 } }, /data\.validation: expected a share of the examples from 0 to below 1; got 1$/],
  [{ data: { source: "iris", validation: "test" } }, /data\.validation: expected a share .*; got "test"$/],
  [{ data: { source: "iris", validation: 0.001 } }, /data\.validation: .*expected parts of at least one of 150 examples/],
  [{ data: { source: "iris", input: [2, 3] } }, /data\.input: .*reshape/],
  [{ data: { source: "iris", input: [2.5] } }, /data\.input\[0\]: expected a whole number >= 1; got 2\.5$/],
  [{ data: { source: "iris", augmentation: ["shift"] } }, /data\.augmentation\[0\]\.shift: expected a whole number of pixels >= 0; got undefined$/],
  [{ data: { source: "iris", augmentation: [{ shift: 1 }] } }, /data\.augmentation: shift: expected images .*; got \[2,4\]$/],
  [{ data: { source: "iris", augmentation: [{ rotate: 1 }] } }, /data\.augmentation\[0\]: expected an augmentation among flip, noise, shift; got "rotate"$/],
  [{ data: { source: { csv: [] } } }, /data\.source\.csv: expected a path, a text; got \[\]$/],
  [{ data: csv("table.csv", { header: 1 }) }, /data\.source\.csv: expected true or false for header; got 1$/],
  [{ data: csv("table.csv", { target: "colour" }) }, /data\.source\.csv: expected a column among a, b, kind; got colour$/],
  [{ data: csv("none.csv") }, /data\.source\.csv: expected a readable file; there is none at .*none\.csv$/],
  [{ data: { source: { mnist: null } } }, /data\.source\.mnist: expected an object of options; got null$/],
  [{ data: { source: { fashionMnist: 5 } } }, /data\.source\.fashionMnist: expected an object of options; got 5$/],
  [{ data: { source: "iris", augmentation: [{ flip: null }] } }, /data\.augmentation\[0\]\.flip: expected an object of options; got null$/],
  [{ data: { source: { mnist: { directory: 5 } } } }, /data\.source\.mnist: expected a path, a text; got \{"directory":5\}$/],
  [{ data: { source: { imageFolder: "nowhere" } } }, /data\.source\.imageFolder: expected a folder; there is none at .*nowhere$/],
  // labels that do not fit
  [{ model: [{ Linear: [4, 2] }] }, /data\.source\.iris: expected labels from 0 to 1, as the model gives 2 values; got 2 \(virginica\) at example 100$/],
  [
    { data: image, model: ["Flatten", { Linear: [784, 5] }] },
    /data\.source\.mnist: expected labels from 0 to 4, as the model gives 5 values; got 5 at example 0$/,
  ],
  [
    { data: csv("table.csv"), model: [{ Linear: [2, 2] }] },
    /data\.source\.csv: expected labels from 0 to 1, as the model gives 2 values; got 2 \(red\) at example 0$/,
  ],
  [
    { data: csv("numbers.csv"), model: [{ Linear: [2, 2] }] },
    /data\.source\.csv: expected class numbers, as the loss is one of classes; got numbers; set classes/,
  ],
  [{ data: image, model: [{ Conv2d: [1, 10, 28] }] }, /model: expected outputs \[examples, classes\] for this loss; got the shape \[2,10,1,1\]$/],
  // loss and metrics
  [{ loss: "crossentropy" }, /loss: expected a loss among binaryCrossEntropy, .*; got "crossentropy"$/],
  [{ loss: { crossEntropy: { smoothing: 1 } } }, /loss\.crossEntropy: expected options .*labelSmoothing.*; got smoothing$/],
  [{ loss: { crossEntropy: 0.1 } }, /loss\.crossEntropy: expected an object of options; got 0\.1$/],
  [{ loss: { crossEntropy: { weight: [1, 2] } } }, /loss\.crossEntropy: .*weight.*\[3\].*\[2\]/],
  [{ loss: { crossEntropy: { reduction: "none" } } }, /loss\.crossEntropy: .*expected a loss of one element/],
  [{ loss: { zeroOne: { surrogate: "magic" } } }, /loss\.zeroOne: .*expected the surrogate nll, hinge, logistic, focal or a function; got string magic$/],
  [{ loss: { topK: 0 } }, /loss\.topK: .*expected k, a whole number >= 1; got number 0$/],
  [{ loss: "mseLoss" }, /loss\.mseLoss: /],
  [{ metrics: "accuracy" }, /metrics: expected a list of metrics; got "accuracy"$/],
  [{ metrics: ["auc"] }, /metrics\[0\]: expected a metric among accuracy, f1, perplexity, .*; got "auc"$/],
  [{ metrics: ["f1", "f1"] }, /metrics\[1\]: expected each metric once; got "f1"$/],
  [{ metrics: [{ f1: null }] }, /metrics\[0\]\.f1: expected an object of options; got null$/],
  [{ metrics: [{ f1: { averge: "weighted" } }] }, /metrics\[0\]\.f1: expected options classes, average; got averge$/],
  [{ optimizer: { Adam: [{ lr: 0.1 }, 1] } }, /optimizer\.Adam: expected at most \[options\]; got \[\{"lr":0\.1\},1\]$/],
  [{ optimizer: { Adam: [5] } }, /optimizer\.Adam\[0\]: expected an object of options; got 5$/],
  [{ metrics: [{ f1: { average: "mode" } }] }, /metrics\[0\]\.f1: .*average.*; got string mode$/],
  [
    { data: csv("numbers.csv"), model: [{ Linear: [2, 1] }], loss: "mseLoss", metrics: ["accuracy"] },
    /metrics\[0\]: expected no metric of classes with this loss; got accuracy$/,
  ],
  // optimizer and schedule
  [{ optimizer: "LBFGS" }, /optimizer: expected an optimizer among Adadelta, .*; got "LBFGS"$/],
  [{ optimizer: { Adam: { learningRate: 1 } } }, /optimizer\.Adam: expected options lr, .*; got learningRate$/],
  [{ optimizer: { Adam: { lr: "fast" } } }, /optimizer\.Adam: expected lr >= 0; got string fast$/],
  [{ optimizer: { Adam: 0.1 } }, /optimizer\.Adam: expected an object of options; got 0\.1$/],
  [{ model: ["ReLU", "Tanh"] }, /optimizer\.Adam: expected at least one parameter; got none$/],
  [{ average: "EMA" }, /average: expected an average among ExponentialMovingAverage, StochasticWeightAverage; got "EMA"$/],
  [{ average: { ExponentialMovingAverage: { decay: 1 } } }, /average\.ExponentialMovingAverage: expected decay below 1; got 1$/],
  [{ average: { StochasticWeightAverage: {} } }, /average\.StochasticWeightAverage: expected no values; got \{\}$/],
  [{ schedule: { StepLR: { stepSize: 0 } } }, /schedule\.StepLR: expected stepSize, a whole number >= 1; got 0$/],
  [{ schedule: { StepLR: { stepSize: 1 }, per: "batch" } }, /schedule\.per: expected "epoch" or "step"; got "batch"$/],
  [{ schedule: { ReduceLROnPlateau: {}, monitor: "auc" } }, /schedule\.monitor: expected a score among loss, accuracy; got "auc"$/],
  [{ schedule: { StepLR: { stepSize: 1 }, when: 1 } }, /schedule: expected a schedule among .*; got "when"$/],
  [
    { schedule: { SequentialLR: { schedules: ["LinearWarmup", { ExponentialLR: {} }], milestones: [1] } } },
    /schedule\.SequentialLR\.schedules\[1\]\.ExponentialLR: expected a number .*gamma; got undefined$/,
  ],
  // the rest
  [{ epochs: 0 }, /epochs: expected a whole number >= 1; got 0$/],
  [{ accumulate: 1.5 }, /accumulate: expected a whole number >= 1; got 1\.5$/],
  [{ clip: { nrom: 1 } }, /clip: expected options norm, value, adaptive, nonFinite; got nrom$/],
  [{ clip: "1" }, /clip: expected an object of options; got "1"$/],
  [{ clip: -1 }, /clip: expected a number above 0 .*norm; got -1$/],
  [{ earlyStopping: { monitor: "auc" } }, /earlyStopping: expected monitor loss or accuracy; got string auc$/],
  [{ earlyStopping: true }, /earlyStopping: expected an object of options; got true$/],
  [{ spikeGuard: { factor: 0 } }, /spikeGuard: expected a number from 1 .*factor; got 0$/],
  [{ checkpoint: { folder: "/tmp" } }, /checkpoint: expected the keys every, everySteps, keepLast, keepBest, better; got "folder"$/],
  [{ checkpoint: { every: 0 } }, /checkpoint: expected every, a whole number >= 1; got number 0$/],
  [{ seed: -1 }, /seed: expected a whole number from 0 to 4294967295; got -1$/],
  [{ deterministic: 1 }, /deterministic: expected true or false; got 1$/],
  [{ threads: 0 }, /threads: expected a whole number >= 1; got 0$/],
  [{ out: "" }, /out: expected a text; got ""$/],
];

for (const [change, message] of bad) {
  test(`refused: ${typeof change === "string" ? change : JSON.stringify(change)}`, async () => {
    const path = written(typeof change === "string" ? change : { ...good, ...change });
    try {
      await planOf(path);
    } catch (error) {
      assert.ok(error instanceof ConfigError || error instanceof FormatError, String(error));
      const [name, ...rest] = (error as Error).message.split(": ");
      assert.is(name, path.split("/").at(-1));
      assert.match(rest.join(": "), new RegExp(`^${message.source}`));
      assert.not.match((error as Error).message, /\n/);
      return;
    }
    assert.unreachable("expected an error");
  });
}

test("a file that is not there is named", async () => {
  await assertRejects(planOf(join(folder, "none.json")), FormatError, /there is none at .*none\.json/);
});

test("a file becomes model, optimizer, schedule and options of a training", async () => {
  const plan = await planOf(
    written({
      ...good,
      model: [{ LayerNorm: 4 }, { Linear: [4, 8, { bias: false }] }, { LeakyReLU: { negativeSlope: 0.2 } }, { Dropout: 0.25 }, { Linear: [8, 3] }],
      loss: { topK: [2, { surrogate: "hinge" }] },
      metrics: ["accuracy", { topKAccuracy: 2 }],
      schedule: { OneCycleLR: { maxLr: 0.1 } },
      accumulate: 2,
      epochs: 3,
      clip: 1,
      earlyStopping: { monitor: "top2" },
    }),
  );
  assert.equal(Object.keys(plan.model.stateDict()), ["0.weight", "0.bias", "1.weight", "4.weight", "4.bias"]);
  assert.is((plan.model.children()[3][1] as layers.Dropout).p, 0.25);
  assert.instance(plan.options.optimizer, optim.Adam);
  const { schedule, per } = plan.options.schedule as { schedule: schedules.OneCycleLR; per: string };
  assert.instance(schedule, schedules.OneCycleLR);
  assert.is(per, "step");
  // 120 of 150 examples are 8 batches, two of which make a step: 12 steps in 3 epochs
  for (let i = 0; i < 11; i++) schedule.step();
  assert.ok(schedule.lastLr[0] < 1e-6);
  assert.equal(Object.keys(plan.options.metrics ?? {}), ["accuracy", "top2Accuracy"]);
  assert.is(plan.data.training.dataset.length, 120);
  assert.is(plan.data.validation?.dataset.length, 30);
  assert.is(plan.data.measured.on, "validation");
  assert.is(plan.out, `out/${plan.name}`);
  assert.is(plan.classes, 3);
});

test("what the command line says comes before what the file says", async () => {
  const plan = await planOf(written({ ...good, epochs: 3, out: "here" }), { epochs: 9, out: "there", threads: 1 });
  assert.equal([plan.options.epochs, plan.out], [9, "there"]);
});

test("paths are seen from the folder of the file; weights of classes and a column of targets are tensors of the right shape", async () => {
  const labels = await planOf(written({ ...good, data: csv("table.csv"), model: [{ Linear: [2, 3] }], loss: { crossEntropy: { weight: [1, 2, 3] } } }));
  assert.equal(labels.data.classes, ["blue", "green", "red"]);
  const values = await planOf(written({ ...good, data: csv("numbers.csv"), model: [{ Linear: [2, 1] }], loss: { huberLoss: { delta: 2 } } }));
  assert.is(values.classes, undefined);
  assert.equal(values.options.metrics, {});
});

test("whatever stands at a place of a file, it becomes a plan or an error of one line that names the file", async () => {
  const random = new Random(SEED);
  const whole = {
    data: { source: "iris", batchSize: 16, validation: 0.2, augmentation: [{ noise: [0.1, { seed: 1 }] }], input: [4] },
    model: [{ BatchNorm1d: [4, { eps: 1e-5 }] }, { Linear: [4, 8, { bias: true }] }, { Softplus: { beta: 1 } }, { Dropout: 0.5 }, { Linear: [8, 3] }],
    loss: { zeroOne: { surrogate: "focal", gamma: 2 } },
    optimizer: { SGD: { lr: 0.1, momentum: 0.9, nesterov: true } },
    schedule: {
      SequentialLR: { schedules: [{ LinearWarmup: { totalIters: 2 } }, { CosineAnnealingLR: { TMax: 5 } }], milestones: [2] },
      per: "step",
      monitor: "loss",
    },
    average: { ExponentialMovingAverage: { decay: 0.9 } },
    epochs: 2,
    clip: { norm: 1, adaptive: 0.1, value: 2, nonFinite: "skip" },
    accumulate: 2,
    earlyStopping: { monitor: "zeroOne", patience: 2, minDelta: 0, restoreBest: true },
    spikeGuard: { factor: 2, window: 5, action: "skip", snapshotEvery: 10 },
    checkpoint: { every: 1, keepLast: 2, keepBest: "zeroOne" },
    metrics: ["accuracy", { f1: { average: "macro" } }],
    seed: 1,
  };
  const odd = [null, -1, 0, 1.5, 2, 1e9, "x", "", "ReLU", [], {}, true, [[]], [1, 2], { x: 1 }, JSON.parse('{"__proto__": 1}')];
  const outcomes = { plan: 0, refused: 0 };
  for (let i = 0; i < CHANGED; i++) {
    const file = structuredClone(whole) as Record<string, unknown>;
    // down to some place, and something else there
    let at = file as Record<string, unknown>;
    let key = random.pick(Object.keys(at));
    while (at[key] !== null && typeof at[key] === "object" && Object.keys(at[key] as object).length > 0 && random.unit() < 0.8) {
      at = at[key] as Record<string, unknown>;
      key = random.pick(Object.keys(at));
    }
    at[key] = random.pick(odd);
    const path = written(file);
    try {
      await planOf(path);
      outcomes.plan++;
    } catch (error) {
      assert.ok(error instanceof ConfigError || error instanceof FormatError, `${JSON.stringify(file)}: ${error}`);
      assert.ok((error as Error).message.startsWith(`${path.split("/").at(-1)}: `), (error as Error).message);
      assert.not.match((error as Error).message, /\n/);
      outcomes.refused++;
    }
  }
  assert.ok(outcomes.plan > 10 && outcomes.refused > 100, JSON.stringify(outcomes));
});

test("the same seed gives the same weights, another one others", async () => {
  const weights = async (seed: number): Promise<number[]> => Array.from((await planOf(written({ ...good, seed }))).model.parameters()[0].data());
  assert.equal(await weights(3), await weights(3));
  assert.not.equal(await weights(3), await weights(4));
});

test("the examples are files that can be", async () => {
  const lenet = await planOf("examples/configs/lenet-mnist.json");
  assert.equal(lenet.inputShape, [1, 1, 28, 28]);
  assert.is(
    lenet.model.parameters().reduce((n, p) => n + p.size, 0),
    61706,
  );
  assert.is(lenet.data.measured.on, "test");
});

test("docs/train-config.md tells of every key and every name, and shows the examples", () => {
  const page = readFileSync("docs/train-config.md", "utf8");
  const names = [sourceTable, augmentationTable, layerTable, lossTable, metricTable, optimizerTable, averageTable, scheduleTable].flatMap((table) =>
    Object.keys(table),
  );
  for (const name of [...KEYS, ...names]) assert.ok(page.includes(`\`${name}\``), name);
  for (const name of ["mlp-iris", "lenet-mnist"]) assert.ok(page.includes(readFileSync(`examples/configs/${name}.json`, "utf8").trim()), name);
});

test.run();
