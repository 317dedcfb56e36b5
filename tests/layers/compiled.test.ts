// Every layer in a step of train.fit: as a program it gives the bits of the step op by op, in weights and statistics too.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { crossEntropy, layers, manualSeed, memory, optim, type Tensor as T, tensor, train } from "../../ts-src/index.js";

const FEATURES = 6;
const STEPS = 4;

function wave(shape: number[], phase: number): T {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => Math.sin(phase + 0.7 * i + 0.01 * i * i))).reshape(shape);
}

/** A linear layer, what is tested, and a linear layer to three classes. */
class Wrapped extends layers.Module {
  readonly first: layers.Linear;
  readonly tested: layers.AnyModule;
  readonly last: layers.Linear;
  private readonly call: (x: T) => T;

  /** `outputs` of the call for an example. */
  constructor(tested: layers.AnyModule, outputs: number, call: (x: T) => T) {
    super();
    this.first = new layers.Linear(FEATURES, FEATURES);
    this.tested = tested;
    this.last = new layers.Linear(outputs, 3);
    this.call = call;
  }

  forward(x: T): T {
    return this.last.forward(this.call(this.first.forward(x)).flatten(1));
  }
}

/** Of one tensor to one tensor. */
function plain(layer: layers.Module, outputs: number, before: (x: T) => T = (x) => x): Wrapped {
  return new Wrapped(layer, outputs, (x) => layer.forward(before(x)));
}

const image = (x: T): T => x.reshape([-1, 2, STEPS, 3]);
const channels = (x: T): T => x.transpose(1, 2);
const N = STEPS * FEATURES;

function recurrent(layer: layers.RNN | layers.GRU | layers.LSTM, width: number): Wrapped {
  return new Wrapped(layer, STEPS * width, (x) => layer.forward(x)[0]);
}

function packed(layer: layers.LSTM): Wrapped {
  return new Wrapped(layer, 4, (x) => {
    const lengths = Array.from({ length: x.shape[0] }, (_, i) => 1 + ((3 * i) % STEPS));
    const [, [h]] = layer.forward(layers.packPaddedSequence(x, lengths, { batchFirst: true, enforceSorted: false }));
    return h.transpose(0, 1);
  });
}

const made: Record<string, () => Wrapped> = {
  Conv1d: () => plain(new layers.Conv1d(FEATURES, 3, 2), 3 * (STEPS - 1), channels),
  Conv2d: () => plain(new layers.Conv2d(2, 3, 3, { padding: 1, groups: 1 }), 3 * STEPS * 3, image),
  ConvTranspose2d: () => plain(new layers.ConvTranspose2d(2, 2, 2, { stride: 2 }), 2 * 2 * STEPS * 6, image),
  MaxPool1d: () => plain(new layers.MaxPool1d(2), STEPS * 3),
  MaxPool2d: () => plain(new layers.MaxPool2d([2, 3]), 4, image),
  AvgPool1d: () => plain(new layers.AvgPool1d(2), STEPS * 3),
  AvgPool2d: () => plain(new layers.AvgPool2d([2, 1]), 12, image),
  AdaptiveAvgPool2d: () => plain(new layers.AdaptiveAvgPool2d(2), 8, image),
  BatchNorm1d: () => plain(new layers.BatchNorm1d(FEATURES), N, channels),
  "BatchNorm1d with a mean of all batches": () => plain(new layers.BatchNorm1d(FEATURES, { momentum: null }), N, channels),
  BatchNorm2d: () => plain(new layers.BatchNorm2d(2), N, image),
  "BatchNorm2d without statistics": () => plain(new layers.BatchNorm2d(2, { trackRunningStats: false }), N, image),
  InstanceNorm1d: () => plain(new layers.InstanceNorm1d(FEATURES, { affine: true, trackRunningStats: true }), N, channels),
  InstanceNorm2d: () => plain(new layers.InstanceNorm2d(2), N, image),
  LayerNorm: () => plain(new layers.LayerNorm(FEATURES), N),
  GroupNorm: () => plain(new layers.GroupNorm(2, FEATURES), N, channels),
  RMSNorm: () => plain(new layers.RMSNorm(FEATURES), N),
  weightNorm: () => plain(layers.weightNorm(new layers.Linear(FEATURES, 5)), STEPS * 5),
  Dropout: () => plain(new layers.Dropout(0.3), N),
  Flatten: () => plain(new layers.Flatten(), N),
  Sequential: () => plain(new layers.Sequential(new layers.Linear(FEATURES, 4), new layers.Dropout(0.2), new layers.Tanh()), STEPS * 4),
  RNN: () => recurrent(new layers.RNN(FEATURES, 4, { batchFirst: true, nonlinearity: "relu" }), 4),
  GRU: () => recurrent(new layers.GRU(FEATURES, 4, { batchFirst: true, bidirectional: true }), 8),
  LSTM: () => recurrent(new layers.LSTM(FEATURES, 5, { batchFirst: true, numLayers: 2, dropout: 0.2 }), 5),
  "LSTM on packed sequences": () => packed(new layers.LSTM(FEATURES, 4, { batchFirst: true })),
  LSTMCell: () => {
    const cell = new layers.LSTMCell(FEATURES, 4);
    return new Wrapped(cell, 4, (x) => {
      let state: [T, T] | undefined;
      for (let t = 0; t < STEPS; t++) state = cell.forward(x.slice(null, t), state);
      return (state as [T, T])[0];
    });
  },
  MultiheadAttention: () => {
    const layer = new layers.MultiheadAttention(FEATURES, 2, { batchFirst: true, dropout: 0.1 });
    return new Wrapped(layer, N, (x) => layer.forward(x, x, x, { isCausal: true })[0]);
  },
  TransformerEncoderLayer: () => plain(new layers.TransformerEncoderLayer(FEATURES, 3, { batchFirst: true, dimFeedforward: 8, normFirst: true }), N),
  TransformerEncoder: () =>
    plain(new layers.TransformerEncoder(new layers.TransformerEncoderLayer(FEATURES, 2, { batchFirst: true, dimFeedforward: 8 }), 2), N),
};

const activations = "ReLU LeakyReLU ELU SELU GELU SiLU Mish Tanh Sigmoid LogSigmoid Softsign Softplus Hardtanh Hardswish Hardsigmoid Softmax LogSoftmax".split(
  " ",
);
for (const name of activations) made[name] = () => plain(new layers[name as "ReLU"](), N);

/** Indices to rows, which stand in place of the first linear layer. */
class Words extends layers.Module {
  readonly table = new layers.Embedding(9, FEATURES, { paddingIdx: 0, maxNorm: 1.5 });
  readonly last = new layers.Linear(STEPS * FEATURES, 3);

  forward(x: T): T {
    return this.last.forward(this.table.forward(x).flatten(1));
  }
}

const sizes = [5, 5, 3];
const labels = (n: number, phase: number): T => tensor(Int32Array.from({ length: n }, (_, i) => (2 * i * i + i + phase) % 3));
const numbers = (): [T, T][] => sizes.map((n, i) => [wave([n, STEPS, FEATURES], 10 * i), labels(n, i)]);
const indices = (): [T, T][] =>
  sizes.map((n, j) => [tensor(Int32Array.from({ length: n * STEPS }, (_, i) => (i * i + j) % 9)).reshape([n, STEPS]), labels(n, j)]);

function bits(state: layers.StateDict): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([name, t]) => [name, Buffer.from(t.data().buffer).toString("hex")]));
}

async function trained(make: () => layers.Module, data: [T, T][], compile: boolean): Promise<{ state: Record<string, string>; losses: number[] }> {
  manualSeed(3);
  const model = make();
  const history = await train.fit(model, data, {
    loss: crossEntropy,
    optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }),
    epochs: 2,
    compile,
    progress: false,
    seed: 5,
  });
  return { state: bits(model.stateDict()), losses: history.losses };
}

const all: [string, () => layers.Module, () => [T, T][]][] = [
  ...Object.entries(made).map(([name, make]): [string, () => layers.Module, () => [T, T][]] => [name, make, numbers]),
  ["Embedding", () => new Words(), indices],
];

for (const [name, make, data] of all) {
  test(`${name} trains as a program with the bits of training op by op`, async () => {
    const eager = await trained(make, data(), false);
    const compiled = await trained(make, data(), true);
    assert.equal(compiled, eager);
    manualSeed(3);
    assert.not.equal(eager.state, bits(make().stateDict()), "nothing was learnt");
  });
}

test("training steps of recurrent and attention layers leave no memory behind", () => {
  for (const name of ["LSTM", "GRU", "LSTM on packed sequences", "TransformerEncoder", "BatchNorm1d with a mean of all batches", "weightNorm"]) {
    const model = made[name]();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const [x, y] = numbers()[0];
    const step = (): void => {
      optimizer.zeroGrad();
      crossEntropy(model.forward(x), y).backward();
      optimizer.step();
    };
    for (let i = 0; i < 4; i++) step();
    const before = memory.stats().bytes;
    for (let i = 0; i < 20; i++) step();
    assert.is(memory.stats().bytes, before, name);
  }
});

test.run();
