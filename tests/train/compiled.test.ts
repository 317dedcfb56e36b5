// Training as one program gives the bits of training op by op, and a step that fails changes nothing in either.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";

const { configure, layers, manualSeed, noGrad, optim, tensor, train } = tapir;
type T = tapir.Tensor;
type Batch = [T, T];

function wave(shape: number[], phase: number, scale = 1): T {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => scale * Math.sin(phase + 0.7 * i + 0.01 * i * i))).reshape(shape);
}

function weight(shape: number[], phase: number): T {
  const w = tapir.keep(wave(shape, phase, 0.4));
  w.requiresGrad = true;
  return w;
}

/** Batch normalisation with PyTorch's state. */
class Normalised extends layers.Module {
  readonly weight: T;
  readonly bias: T;
  readonly runningMean: T;
  readonly runningVar: T;
  readonly numBatchesTracked = tapir.zeros([], { dtype: "int32" });

  constructor(channels: number) {
    super();
    this.weight = tapir.ones([channels], { requiresGrad: true });
    this.bias = tapir.zeros([channels], { requiresGrad: true });
    this.runningMean = tapir.zeros([channels]);
    this.runningVar = tapir.ones([channels]);
  }

  forward(x: T): T {
    if (this.training) this.numBatchesTracked.add_(1);
    return tapir.batchNorm(x, this.runningMean, this.runningVar, this.weight, this.bias, { training: this.training });
  }
}

class Images extends layers.Module {
  readonly kernel = weight([4, 1, 3, 3], 1);
  readonly first = new Normalised(4);
  readonly second = new Normalised(6);
  readonly hidden = weight([6, 36], 2);
  readonly out = weight([3, 6], 3);

  forward(x: T): T {
    const y = tapir.maxPool2d(this.first.forward(tapir.conv2d(x, this.kernel, null, { padding: 1 })).relu(), 2);
    const h = this.second.forward(tapir.linear(y.flatten(1), this.hidden, null)).gelu();
    return tapir.linear(tapir.dropout(h, { p: 0.3, training: this.training }), this.out, null);
  }
}

class Words extends layers.Module {
  readonly table = weight([11, 6], 4);
  readonly scale = weight([6], 5);
  readonly out = weight([3, 6], 6);

  forward(x: T): T {
    const y = tapir.layerNorm(tapir.embedding(x, this.table), [6], this.scale, null);
    return tapir.linear(tapir.dropout(y.mean({ axis: 1 }), { p: 0.2, training: this.training }), this.out, null);
  }
}

/** A mean of what came so far, as many layers keep one, and statistics of instances. */
class Moving extends layers.Module {
  readonly weight = weight([3, 8], 7);
  readonly mean = tapir.zeros([8]);
  readonly runningMean = tapir.zeros([2]);
  readonly runningVar = tapir.ones([2]);

  forward(x: T): T {
    if (this.training) noGrad(() => this.mean.mul_(0.9).add_(x.mean({ axis: 0 }).mul(0.1)));
    const centred = x.sub(this.mean).reshape([x.shape[0], 2, 4]);
    const { runningMean, runningVar } = this;
    const y = tapir.instanceNorm(centred, { runningMean, runningVar, useInputStats: this.training });
    return tapir.linear(y.reshape(x.shape), this.weight, null);
  }
}

const labels = (n: number, phase: number): T => tensor(Int32Array.from({ length: n }, (_, i) => (3 * i * i + i + phase) % 3));
const sizes = [8, 8, 5];
/** Batches of which the last is smaller. */
function batchesOf(shape: number[]): Batch[] {
  return sizes.map((n, i) => [wave([n, ...shape], 10 * i), labels(n, i)]);
}

const nets: Record<string, { make(): tapir.layers.Module; data: Batch[] }> = {
  "a network of linear layers": { make: () => new layers.Sequential(new layers.Linear(8, 16), new layers.ReLU(), new layers.Linear(16, 3)), data: batchesOf([8]) },
  "convolution, batch norm, pool and dropout": { make: () => new Images(), data: batchesOf([1, 6, 6]) },
  "embedding, layer norm and dropout": {
    make: () => new Words(),
    data: sizes.map((n, j) => [tensor(Int32Array.from({ length: n * 5 }, (_, i) => (i * i + j) % 11)).reshape([n, 5]), labels(n, j)]),
  },
  "instance norm and a moving mean": { make: () => new Moving(), data: batchesOf([8]) },
}; // biome-ignore format: a table

/** SGD with momentum behind a clip of the gradients' norm. */
class Clipped {
  readonly inner: tapir.optim.SGD;
  readonly paramGroups: { lr: number }[];
  private readonly params: T[];

  constructor(params: T[]) {
    this.params = params;
    this.inner = new optim.SGD(params, { lr: 0.1, momentum: 0.9 });
    this.paramGroups = this.inner.paramGroups;
  }
  zeroGrad(): void {
    this.inner.zeroGrad();
  }
  step(): void {
    optim.clipGradNorm(this.params, 0.5);
    this.inner.step();
  }
  stateDict(): object {
    return this.inner.stateDict();
  }
}

type Optimizer = { step(): void; zeroGrad(): void; paramGroups: { lr: number }[]; stateDict(): object };
const optimizers: Record<string, (p: T[]) => Optimizer> = {
  "SGD with momentum": (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, dampening: 0.1, weightDecay: 0.01 }),
  Adam: (p) => new optim.Adam(p, { lr: 0.01 }),
  "a clipped gradient": (p) => new Clipped(p),
};

/** All tensors in a value, by path, as hexadecimal digits of their bytes; numbers as they are. */
function bits(value: unknown, path = "", found: Record<string, string> = {}): Record<string, string> {
  if (value instanceof tapir.Tensor) found[path] = Buffer.from(value.data().buffer).toString("hex");
  else if (value !== null && typeof value === "object" && !(value instanceof Map)) {
    for (const [name, item] of Object.entries(value)) bits(item, `${path}.${name}`, found);
  } else if (typeof value === "number") found[path] = String(value);
  return found;
}

interface Run {
  history: tapir.train.History | undefined;
  error: unknown;
  after: Record<string, string>;
}

async function trained(make: () => tapir.layers.Module, optimizer: (p: T[]) => Optimizer, data: Batch[], compile: boolean): Promise<Run> {
  const model = make();
  const steps = optimizer(model.parameters());
  const run: Run = { history: undefined, error: undefined, after: {} };
  try {
    run.history = await train.fit(model, data, {
      loss: tapir.crossEntropy,
      optimizer: steps,
      epochs: 3,
      metrics: { accuracy: train.accuracy },
      validation: data.slice(0, 1),
      seed: 7,
      compile,
      onProgress({ ended }) {
        if (!ended) for (const group of steps.paramGroups) group.lr *= 0.95;
      },
    });
  } catch (error) {
    run.error = error;
  }
  run.after = bits({ model, optimizer: steps.stateDict() });
  return run;
}

function figures(history: tapir.train.History | undefined): unknown {
  return [history?.losses, history?.epochs.map(({ training, validation }) => ({ training, validation }))];
}

for (const deterministic of [true, false]) {
  for (const [net, { make, data }] of Object.entries(nets)) {
    for (const [name, optimizer] of Object.entries(optimizers)) {
      test(`${net}, ${name}, ${deterministic ? "strict" : "default"} build: fit compiled gives the bits of fit op by op`, async () => {
        configure({ deterministic });
        manualSeed(1);
        const fixed = bits(make());
        const model = (): tapir.layers.Module => {
          manualSeed(1);
          const made = make();
          assert.equal(bits(made), fixed);
          return made;
        };
        const [eager, compiled] = [await trained(model, optimizer, data, false), await trained(model, optimizer, data, true)];
        if (compiled.error) throw compiled.error;
        assert.equal(figures(compiled.history), figures(eager.history));
        assert.equal(compiled.after, eager.after);
        assert.is.not(compiled.history?.losses[0], compiled.history?.losses[6]);
      });
    }
  }
}

test("exclusive or with a squared error, as in examples/xor.mjs: the same bits", async () => {
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]); // biome-ignore format: a table
  const y = tensor([[0], [1], [1], [0]]);
  const runs: unknown[] = [];
  for (const compile of [false, true]) {
    manualSeed(1);
    const model = new layers.Sequential(new layers.Linear(2, 16), new layers.ReLU(), new layers.Linear(16, 1));
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    const { losses } = await train.fit(model, [[x, y]], { loss: tapir.mseLoss, optimizer, epochs: 300, compile });
    assert.ok(losses[299] < 0.01);
    runs.push([losses, bits(model)]);
  }
  assert.equal(runs[1], runs[0]);
});

for (const [name, optimizer] of Object.entries(optimizers)) {
  for (const at of [0, 2]) {
    test(`${name}: a loss that is not finite at step ${at + 1} leaves weights, statistics and optimizer as they were, compiled and eager alike`, async () => {
      configure({ deterministic: true });
      const data = batchesOf([1, 6, 6]);
      const bad = data[at][0].data();
      bad[3] = Number.NaN;
      const spoilt = data.map((batch, i): Batch => (i === at ? [tensor(bad as Float32Array).reshape(batch[0].shape), batch[1]] : batch));
      const good = await trained(() => new Images(), optimizer, data.slice(0, at), false);
      const runs = [await trained(() => new Images(), optimizer, spoilt, false), await trained(() => new Images(), optimizer, spoilt, true)];
      for (const { error, after } of runs) {
        assert.instance(error, tapir.NumericError);
        assert.match(
          (error as Error).message,
          /^fit: expected a finite loss; got NaN; the input has NaN at element 3 of float32 \[\d,1,6,6\]: clean the data$/,
        );
        assert.equal(after, runs[0].after);
      }
      if (at === 0) assert.equal(runs[1].after, good.after);
      else assert.ok(Number(Object.keys(runs[1].after).length) > 0);
      assert.is(runs[1].after[".model.first.numBatchesTracked"], `0${at}000000`);
    });
  }
}

test("after a step that failed, training goes on as if that step had not been", async () => {
  configure({ deterministic: true });
  for (const [name, optimizer] of Object.entries(optimizers)) {
    const results: Record<string, string>[] = [];
    for (const failing of [false, true]) {
      const model = new Images();
      const steps = optimizer(model.parameters());
      const options = { loss: tapir.crossEntropy, optimizer: steps };
      const [first, second] = batchesOf([1, 6, 6]);
      const bad: Batch = [first[0].mul(Number.NaN), first[1]];
      if (failing) await assertRejects(train.fit(model, [bad], options), tapir.NumericError, /finite loss/);
      await train.fit(model, [first], { ...options, seed: 3 });
      if (failing) await assertRejects(train.fit(model, [bad], options), tapir.NumericError, /finite loss/);
      await train.fit(model, [second], { ...options, seed: 4 });
      results.push(bits({ model, state: steps.stateDict() }));
    }
    assert.equal(results[1], results[0], name);
  }
});

test("a metric that throws stops a compiled step before anything is changed", async () => {
  const model = new Images();
  const steps = new optim.Adam(model.parameters());
  const before = bits({ model, state: steps.stateDict() });
  const metrics = {
    broken: (): number => {
      throw new Error("no");
    },
  };
  await assertRejects(train.fit(model, batchesOf([1, 6, 6]), { loss: tapir.crossEntropy, optimizer: steps, metrics, compile: true }), Error, /^no$/);
  assert.equal(bits({ model, state: steps.stateDict() }), before);
});

/** What was written to stderr by console.warn while fn ran. */
async function warnings(fn: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { warn } = console;
  console.warn = (line: string) => lines.push(line);
  try {
    await fn();
  } finally {
    console.warn = warn;
  }
  return lines;
}

class Reading extends layers.Module {
  readonly weight = weight([3, 8], 1);
  readonly gain = tapir.ones([]);

  forward(x: T): T {
    const y = tapir.linear(x, this.weight, null).mul(this.gain.item());
    noGrad(() => this.gain.mul_(0.9));
    return y;
  }
}

test("a model that reads elements trains op by op; one line on stderr says why, compile: true makes it an error, compile: false says nothing", async () => {
  const runs: Record<string, string>[] = [];
  for (const compile of [undefined, false]) {
    const model = new Reading();
    const options = { loss: tapir.crossEntropy, optimizer: new optim.Adam(model.parameters()), epochs: 2, compile };
    const lines = await warnings(() => train.fit(model, batchesOf([8]), options));
    assert.is(lines.length, compile === false ? 0 : 1);
    if (compile === undefined)
      assert.match(lines[0], /^fit: the step runs op by op, as it cannot be compiled: trace: .*reads .* float32 \[\].*compiled\.test\.ts:\d+.*compile: false/);
    runs.push(bits(model));
  }
  assert.equal(runs[0], runs[1]);
  const model = new Reading();
  const before = bits(model);
  const options = { loss: tapir.crossEntropy, optimizer: new optim.Adam(model.parameters()), compile: true };
  await assertRejects(train.fit(model, batchesOf([8]), options), tapir.ConfigError, /reads or changes the elements/);
  assert.equal(bits(model), before);
  await assertRejects(train.fit(model, batchesOf([8]), { ...options, compile: 1 as never }), tapir.ConfigError, /compile: true or false; got number 1/);
});

test("optimizers that read elements train op by op and say so; schedules, averages and Muon train as programs", async () => {
  for (const Class of [optim.LBFGS, optim.FullMatrixAdagrad]) {
    const model = new layers.Sequential(new layers.Linear(8, 3));
    const optimizer = new Class(model.parameters(), { lr: 0.1 });
    let losses: number[] = [];
    const lines = await warnings(async () => {
      ({ losses } = await train.fit(model, batchesOf([8]), { loss: tapir.crossEntropy, optimizer, epochs: 5 }));
    });
    assert.is(lines.length, 1);
    assert.match(lines[0], new RegExp(`^fit: the step runs op by op, as it cannot be compiled: ${Class.name}: expected a step outside of a trace`));
    assert.ok(losses[losses.length - 1] < losses[0], losses.join());
    const options = { loss: tapir.crossEntropy, optimizer, compile: true };
    await assertRejects(train.fit(model, batchesOf([8]), options), tapir.ConfigError, /outside of a trace/);
  }
  const model = new layers.Sequential(new layers.Linear(8, 6, { bias: false }), new layers.ReLU(), new layers.Linear(6, 3, { bias: false }));
  const optimizer = new optim.Muon(model.parameters(), { lr: 0.05 });
  const lines = await warnings(() => train.fit(model, batchesOf([8]), { loss: tapir.crossEntropy, optimizer, epochs: 5 }));
  assert.equal(lines, []);
});

test("statistics that the loss reads after the step has changed them are put back when it is not finite", async () => {
  const [[x, y]] = batchesOf([8]);
  for (const compile of [false, true]) {
    const model = new Moving();
    const optimizer = new optim.Adam(model.parameters());
    const options = { loss: tapir.crossEntropy, optimizer, compile };
    await train.fit(model, batchesOf([8]), options);
    const before = bits({ model, state: optimizer.stateDict() });
    await assertRejects(train.fit(model, [[x.mul(Number.NaN), y]], options), tapir.NumericError, /finite loss/);
    assert.equal(bits({ model, state: optimizer.stateDict() }), before);
  }
});

test("weights that are frozen, and modules that are switched, between epochs count from the next compiled step", async () => {
  const runs: Record<string, string>[] = [];
  for (const compile of [false, true]) {
    const model = new Images();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.5 });
    await train.fit(model, batchesOf([1, 6, 6]), {
      loss: tapir.crossEntropy,
      optimizer,
      epochs: 3,
      seed: 5,
      compile,
      onProgress({ epoch, ended }) {
        if (!ended) return;
        model.kernel.requiresGrad = epoch === 2;
        model.first.train(epoch === 2);
      },
    });
    runs.push(bits(model));
  }
  assert.equal(runs[1], runs[0]);
});

test("batches of many shapes train: beyond eight shapes, those without a program run op by op", async () => {
  const runs: Record<string, string>[] = [];
  for (const compile of [false, true]) {
    const model = new Words();
    const data = Array.from(
      { length: 12 },
      (_, j): Batch => [tensor(Int32Array.from({ length: 4 * (j + 1) }, (_, i) => i % 11)).reshape([4, j + 1]), labels(4, j)],
    );
    await train.fit(model, data, { loss: tapir.crossEntropy, optimizer: new optim.Adam(model.parameters()), epochs: 2, seed: 1, compile });
    runs.push(bits(model));
  }
  assert.equal(runs[1], runs[0]);
});

test("detectAnomaly looks through the ops of fit", async () => {
  const model = new layers.Sequential(new layers.Linear(8, 3));
  const loss = (y: T, t: T): T => tapir.crossEntropy(y.sub(1e9).log(), t);
  await assertRejects(
    tapir.detectAnomaly(() => train.fit(model, batchesOf([8]), { loss, optimizer: new optim.Adam(model.parameters()) })),
    tapir.NumericError,
    /^log: expected a finite output; got NaN/,
  );
});

test("training as a program gives its memory back", async () => {
  const model = new Images();
  const optimizer = new optim.Adam(model.parameters());
  const data = batchesOf([1, 6, 6]);
  const options = { loss: tapir.crossEntropy, optimizer, compile: true };
  await train.fit(model, data, options);
  // what the tests before have left
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const before = tapir.memory.stats();
  for (let i = 0; i < 20; i++) await train.fit(model, data, options);
  const after = tapir.memory.stats();
  assert.ok(after.tensors <= before.tensors && after.bytes <= before.bytes, `${before.bytes} bytes before, ${after.bytes} after`);
});

test.run();
