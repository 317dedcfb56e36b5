// What fit() offers beside the plain loop: true losses and surrogates, early stopping, clipping, accumulation, schedules, the guard
// against spikes, callbacks.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  ConfigError,
  crossEntropy,
  data,
  focalLoss,
  gradcheck,
  layers,
  manualSeed,
  mseLoss,
  multiMarginLoss,
  NumericError,
  noGrad,
  optim,
  schedules,
  type Tensor,
  tensor,
  train,
  zeros,
} from "../../ts-src/index.js";
import { assertClose, assertRejects, assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 77;
console.log(`seed ${SEED}`);
const int32 = { dtype: "int32" } as const;

/** Points of three classes, two coordinates. */
function points(n: number): data.TensorDataset {
  const random = new Random(SEED);
  const labels = Array.from({ length: n }, () => random.integer(0, 2));
  const rows = labels.map((c) => [Math.cos(2 * c) + random.unit() - 0.5, Math.sin(2 * c) + random.unit() - 0.5]);
  return new data.TensorDataset(tensor(rows), tensor(labels, int32));
}

function classifier(): layers.Module {
  manualSeed(SEED);
  return new layers.Sequential(new layers.Linear(2, 16), new layers.ReLU(), new layers.Linear(16, 3));
}

const weights = (model: layers.Module): string =>
  model
    .parameters()
    .map((p) => Buffer.from(p.data().buffer).toString("hex"))
    .join();

test("surrogates of the zero-one loss: values by their formulas, derivatives to second order", () => {
  const x = tensor(
    [
      [2, 1, -1],
      [0.5, 0.25, 3],
    ],
    { dtype: "float64" },
  );
  const t = tensor([0, 1], int32);
  // row 0: max(0, 1 - 2 + 1) + max(0, 1 - 2 - 1); row 1: max(0, 1 - 0.25 + 0.5) + max(0, 1 - 0.25 + 3)
  assertClose(multiMarginLoss(x, t, { reduction: "none" }).data(), [0, (1.25 + 3.75) / 3], { rtol: 1e-12 });
  assertClose(multiMarginLoss(x, t, { reduction: "none", p: 2, margin: 2 }).data(), [1 / 3, (2.25 ** 2 + 4.75 ** 2) / 3], { rtol: 1e-12 });
  const p = [Math.exp(2) / (Math.exp(2) + Math.exp(1) + Math.exp(-1)), Math.exp(0.25) / (Math.exp(0.5) + Math.exp(0.25) + Math.exp(3))];
  assertClose(
    focalLoss(x, t, { reduction: "none" }).data(),
    p.map((q) => -((1 - q) ** 2) * Math.log(q)),
    { rtol: 1e-12 },
  );
  assertClose(focalLoss(x, t, { gamma: 0 }).data(), crossEntropy(x, t).data(), { rtol: 1e-12 });
  for (const loss of [
    (y: Tensor) => multiMarginLoss(y, t, { p: 2 }),
    (y: Tensor) => focalLoss(y, t),
    (y: Tensor) => focalLoss(y, t, { gamma: 1.5, alpha: 0.25 }),
  ]) {
    // away from the kinks of the margin
    gradcheck(loss as never, [x.mul(1.1)] as never, { order: 2 });
  }
  assertThrows(() => multiMarginLoss(x, tensor([0, 1.5])), Error, /multiMarginLoss: expected targets of dtype int32/);
  assertThrows(() => multiMarginLoss(x, t, { p: 1.5 }), ConfigError, /expected 1 or 2 for p; got number 1.5/);
  assertThrows(() => focalLoss(x, tensor([0, 3], int32)), NumericError, /3/);
});

for (const surrogate of ["nll", "hinge", "logistic", "focal"] as const) {
  test(`training on the surrogate ${surrogate} brings the true loss down, and early stopping watches that`, async () => {
    const model = classifier();
    const history = await train.fit(model, new data.DataLoader(points(300), { batchSize: 30, shuffle: true }), {
      loss: train.zeroOneObjective({ surrogate }),
      optimizer: new optim.Adam(model.parameters(), { lr: 0.02 }),
      validation: new data.DataLoader(points(150), { batchSize: 50 }),
      epochs: 30,
      earlyStopping: { monitor: "zeroOne", patience: 3 },
    });
    const rates = history.epochs.map(({ validation }) => validation?.zeroOne as number);
    assert.ok(Math.min(...rates) < 0.05, `error rates ${rates}`);
    const best = history.bestEpoch as number;
    assert.is(rates[best - 1], Math.min(...rates));
    if (history.stopped !== undefined) assert.is(rates.length, best + 3);
    // the best weights are back
    const { zeroOne } = await train.evaluate(model, new data.DataLoader(points(150), { batchSize: 50 }), { loss: train.zeroOneObjective({ surrogate }) });
    assert.is(zeroOne, Math.min(...rates));
  });
}

test("options of surrogates that do not go together are refused", () => {
  assertThrows(() => train.zeroOneObjective({ gamma: 2 }), ConfigError, /gamma with the surrogate focal only; got string nll/);
  assertThrows(() => train.zeroOneObjective({ surrogate: "mse" as never }), ConfigError, /nll, hinge, logistic, focal or a function/);
  assert.equal(Object.keys(train.topKObjective(5).trueLoss), ["top5"]);
});

test("early stopping says what it can watch", async () => {
  const model = classifier();
  const refused = (earlyStopping: train.EarlyStoppingOptions, message: RegExp): Promise<void> =>
    assertRejects(
      train.fit(model, [], {
        loss: crossEntropy,
        optimizer: new optim.SGD(model.parameters()),
        metrics: { own: () => 1 },
        earlyStopping,
      }),
      ConfigError,
      message,
    );
  await refused({ monitor: "zeroOne" }, /expected monitor loss or own; got string zeroOne/);
  await refused({ monitor: "own" }, /better: "higher" or "lower", as the metric own does not say/);
  await refused({ patience: 0 }, /patience, a whole number of epochs >= 1/);
  await refused({ wait: 1 } as never, /got wait/);
});

/** A line through the origin that one weight fits. */
function line(slope: number): [Tensor, Tensor] {
  const x = tensor([[1], [2], [3], [4]]);
  return [x, x.mul(slope)];
}

function one(): { model: layers.Module; weight: Tensor } {
  const model = new layers.Linear(1, 1, { bias: false });
  const [weight] = model.parameters();
  noGrad(() => weight.copy_(zeros([1, 1])));
  return { model, weight };
}

for (const compile of [true, false]) {
  const how = compile ? "compiled" : "op by op";

  test(`clip by norm keeps the direction and the history tells the norm, ${how}`, async () => {
    const { model, weight } = one();
    const history = await train.fit(model, [line(10)], { loss: mseLoss, optimizer: new optim.SGD([weight], { lr: 1 }), clip: 0.5, compile });
    // d/dw mean((w x - 10 x)^2) = -20 mean(x^2) at w = 0
    assertClose(history.gradientNorms, [150], { rtol: 1e-6 });
    assertClose(weight.data(), [0.5], { rtol: 1e-5 });
    const other = one();
    await train.fit(other.model, [line(10)], { loss: mseLoss, optimizer: new optim.SGD([other.weight], { lr: 1 }), clip: { value: 0.25 }, compile });
    assertClose(other.weight.data(), [0.25], { rtol: 1e-6 });
  });

  test(`gradients that are not finite end training, or their step is left out, and weights stay, ${how}`, async () => {
    // 0 at the beginning, with a slope that is too large for a float32
    const broken = (y: Tensor): Tensor => y.mul(3e38).sum();
    const { model, weight } = one();
    const options = { loss: broken, optimizer: new optim.SGD([weight], { lr: 1, momentum: 0.9 }), compile };
    await assertRejects(train.fit(model, [line(1)], { ...options, clip: { norm: 1 } }), NumericError, /gradients with a finite norm/);
    assert.equal([...weight.data()], [0]);
    const history = await train.fit(model, [line(1), line(1)], {
      ...options,
      clip: { nonFinite: "skip" },
    });
    assert.is(history.skipped.length, 2);
    assert.match(history.skipped[0].reason, /gradients have the norm/);
    assert.equal([...weight.data()], [0]);
  });

  test(`batches of uneven size that are accumulated make the step of one large batch, ${how}`, async () => {
    const set = points(50);
    const [x, y] = [set.inputs, set.targets];
    const part = (from: number, to: number): [Tensor, Tensor] => [x.slice([from, to]).clone(), y.slice([from, to]).clone()];
    const runs: layers.Module[] = [];
    for (const [batches, accumulate] of [
      [[[x, y]], 1],
      [[part(0, 20), part(20, 30), part(30, 50)], 3],
      // the last step of an epoch has fewer batches
      [[part(0, 20), part(20, 30), part(30, 50)], 5],
    ] as [[Tensor, Tensor][], number][]) {
      const model = classifier();
      await train.fit(model, batches, {
        loss: crossEntropy,
        optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }),
        epochs: 5,
        accumulate,
        clip: 1,
        compile,
      });
      runs.push(model);
    }
    const [whole, three, five] = runs.map((model) => model.parameters().flatMap((p) => [...p.data()]));
    assertClose(three, whole, { rtol: 1e-3, atol: 1e-5 });
    assert.equal(five, three);
  });

  test(`a spike of the loss is left out, or training goes back, ${how}`, async () => {
    for (const action of ["skip", "rollback"] as const) {
      const { model, weight } = one();
      const batches = Array.from({ length: 12 }, (_, i) => line(i === 8 ? 1e6 : 1));
      const history = await train.fit(model, batches, {
        loss: mseLoss,
        optimizer: new optim.SGD([weight], { lr: 0.001, momentum: 0.5 }),
        spikeGuard: { factor: 4, window: 4, action, snapshotEvery: 3 },
        compile,
      });
      assert.is(history.skipped.length, 1);
      assert.is(history.skipped[0].step, 9);
      assert.match(history.skipped[0].reason, action === "skip" ? /^loss .* is above [\d.]+$/ : /went back to the last snapshot$/);
      // skipped: as without that batch; gone back: two steps fewer than that
      const other = one();
      const kept = batches.filter((_, i) => i !== 8).slice(0, action === "skip" ? 11 : 9);
      await train.fit(other.model, kept, { loss: mseLoss, optimizer: new optim.SGD([other.weight], { lr: 0.001, momentum: 0.5 }), compile });
      assert.equal([...weight.data()], [...other.weight.data()]);
    }
  });
}

test("an average of the weights is what is measured and restored, while training goes on with its own weights", async () => {
  const made: string[] = [];
  for (const compile of [true, false]) {
    const model = classifier();
    const average = new optim.ExponentialMovingAverage(model.parameters(), { decay: 0.8 });
    const loader = new data.DataLoader(points(64), { batchSize: 16, shuffle: true });
    const validation = new data.DataLoader(points(64), { batchSize: 64 });
    const history = await train.fit(model, loader, {
      loss: crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.2 }),
      epochs: 4,
      validation,
      average,
      compile,
    });
    // the weights are those of a training without an average
    const plain = classifier();
    const same = new data.DataLoader(points(64), { batchSize: 16, shuffle: true });
    await train.fit(plain, same, { loss: crossEntropy, optimizer: new optim.SGD(plain.parameters(), { lr: 0.2 }), epochs: 4, compile });
    assert.is(weights(model), weights(plain));
    average.copyTo();
    const { loss } = await train.evaluate(model, validation, { loss: crossEntropy });
    assert.is(history.epochs[3].validation?.loss, loss);
    made.push(weights(model));
  }
  assert.is(made[0], made[1]);
  const model = classifier();
  const refused = train.fit(model, [], { loss: crossEntropy, optimizer: new optim.SGD(model.parameters()), average: {} as never });
  await assertRejects(refused, ConfigError, /expected average, an ExponentialMovingAverage or a StochasticWeightAverage/);
});

test("after a rollback the learning rate is that of the schedule, and an average goes back too", async () => {
  const { model, weight } = one();
  const optimizer = new optim.SGD([weight], { lr: 0.001 });
  const average = new optim.ExponentialMovingAverage([weight], { decay: 0.5 });
  const batches = Array.from({ length: 12 }, (_, i) => line(i === 8 ? 1e6 : 1));
  const rates: number[] = [];
  const schedule = new schedules.StepLR(optimizer, { stepSize: 1, gamma: 0.5 });
  const history = await train.fit(model, batches, {
    loss: mseLoss,
    optimizer,
    average,
    schedule: { schedule, per: "step" },
    spikeGuard: { factor: 4, window: 4, action: "rollback", snapshotEvery: 5 },
    callbacks: [{ onStepEnd: () => void rates.push(optimizer.paramGroups[0].lr) }],
  });
  assert.is(history.skipped.length, 1);
  // a step that is left out takes none of the schedule
  assertClose(
    rates,
    [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11].map((n) => 0.001 * 0.5 ** n),
    { rtol: 1e-12 },
  );
  assert.is(average.stateDict().n_averaged, 5 + 3);
});

for (const compile of [true, false]) {
  test(`a parameter that is frozen between trainings stays, also with accumulated gradients, ${compile ? "compiled" : "op by op"}`, async () => {
    const model = classifier();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.1 });
    const [first] = model.parameters();
    let frozen: number[] = [];
    const callbacks = [
      {
        onEpochEnd({ epoch }: train.Progress) {
          if (epoch !== 1) return;
          first.requiresGrad = false;
          frozen = [...first.data()];
        },
      },
    ];
    const loader = new data.DataLoader(points(60), { batchSize: 10 });
    await train.fit(model, loader, { loss: crossEntropy, optimizer, epochs: 3, accumulate: 2, compile, callbacks });
    assert.equal([...first.data()], frozen);
  });
}

test("evaluate leaves each module as it was, in training or in use", async () => {
  const model = new layers.Sequential(new layers.Linear(2, 4), new layers.BatchNorm1d(4), new layers.Linear(4, 3));
  const norm = model.namedModules()[2][1];
  norm.eval();
  await train.evaluate(model, new data.DataLoader(points(20), { batchSize: 10 }), { loss: crossEntropy });
  assert.is(norm.training, false);
  assert.is(model.training, true);
});

test("the focal loss of sure examples has a finite slope for any gamma", () => {
  const x = tensor([[200, 0, 0]], { requiresGrad: true });
  focalLoss(x, tensor([0], int32), { gamma: 0.5 }).backward();
  assert.ok(x.grad?.data().every((value) => Number.isFinite(value)));
});

test("callbacks that hear nothing, or are no functions, are refused", async () => {
  const model = classifier();
  const options = { loss: crossEntropy, optimizer: new optim.SGD(model.parameters()) };
  for (const callback of [{ onEpochEnds: () => undefined }, { onEpochEnd: 3 }, {}]) {
    await assertRejects(train.fit(model, [], { ...options, callbacks: [callback as never] }), ConfigError, /fit: expected callbacks, a list of/);
  }
});

test("adaptive clipping bounds a step by the weights", async () => {
  const { model, weight } = one();
  noGrad(() => weight.copy_(tensor([[2]])));
  await train.fit(model, [line(10)], { loss: mseLoss, optimizer: new optim.SGD([weight], { lr: 1 }), clip: { adaptive: 0.01 } });
  assertClose(weight.data(), [2 + 0.01 * 2], { rtol: 1e-6 });
});

test("accumulated, compiled and op by op have the same bits", async () => {
  const made: string[] = [];
  for (const compile of [true, false]) {
    const model = classifier();
    const loader = new data.DataLoader(points(64), { batchSize: 7, shuffle: true });
    await train.fit(model, loader, {
      loss: crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }),
      epochs: 3,
      accumulate: 3,
      clip: 0.5,
      compile,
    });
    made.push(weights(model));
  }
  assert.is(made[0], made[1]);
});

test("a schedule takes a step after each epoch with the score it watches, or after each step of the optimizer", async () => {
  const model = classifier();
  const seen: (number | undefined)[] = [];
  const schedule = { step: (score?: number) => void seen.push(score), stateDict: () => ({}), loadStateDict: () => undefined };
  const options = { loss: crossEntropy, optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }), epochs: 2 };
  const loader = new data.DataLoader(points(50), { batchSize: 10 });
  const history = await train.fit(model, loader, { ...options, schedule });
  assert.equal(
    seen,
    history.epochs.map(({ training }) => training.loss),
  );
  seen.length = 0;
  await train.fit(model, loader, { ...options, accumulate: 2, schedule: { schedule, per: "step" } });
  assert.is(seen.length, 6);
  const metrics = { accuracy: train.accuracy };
  const falling = { schedule: new schedules.ReduceLROnPlateau(options.optimizer, {}), monitor: "accuracy" };
  await assertRejects(
    train.fit(model, loader, { ...options, metrics, schedule: falling }),
    ConfigError,
    /takes a higher accuracy for better; got .* mode "max"/,
  );
  await train.fit(model, loader, {
    ...options,
    metrics,
    schedule: { ...falling, schedule: new schedules.ReduceLROnPlateau(options.optimizer, { mode: "max" }) },
  });
  await assertRejects(train.fit(model, loader, { ...options, schedule: { schedule, per: "batch" as never } }), ConfigError, /per "epoch" or "step"/);
});

test("callbacks see each step and epoch, and may end training", async () => {
  const model = classifier();
  const calls: string[] = [];
  const history = await train.fit(model, new data.DataLoader(points(50), { batchSize: 10 }), {
    loss: crossEntropy,
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    epochs: 5,
    callbacks: [
      {
        onStepEnd: ({ epoch, step }) => void calls.push(`${epoch}.${step}`),
        async onEpochEnd({ epoch }, { epochs }) {
          calls.push(`end ${epochs.length}`);
          return epoch === 2 ? "stop" : undefined;
        },
      },
    ],
  });
  assert.equal(calls, ["1.1", "1.2", "1.3", "1.4", "1.5", "end 1", "2.1", "2.2", "2.3", "2.4", "2.5", "end 2"]);
  assert.is(history.stopped, "a callback asked for it");
  assert.is(history.learningRates.length, 10);
});

test("an epoch of which every step is left out is a NumericError, not a training that does nothing", async () => {
  const { model, weight } = one();
  await assertRejects(
    train.fit(model, [line(Number.NaN)], { loss: mseLoss, optimizer: new optim.SGD([weight], { lr: 0.1 }), spikeGuard: {} }),
    NumericError,
    /epoch 1 that was not left out; got none: loss NaN is not finite/,
  );
});

test.run();
