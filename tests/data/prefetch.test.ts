// Batches assembled ahead by a helper thread are those that are assembled when asked for, and leave nothing behind.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { helperTasks } from "../../bindings/background.js";
import * as tapir from "../../ts-src/index.js";
import { type Key, nextKey } from "../../ts-src/ops/random.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { ConfigError, configure, data, keep, layers, memory, optim, scope, ShapeError, tensor, train } = tapir;
const { DataLoader, ImageDataset, TensorDataset } = data;
type T = tapir.Tensor;
const SEED = 20261125;
console.log(`seed ${SEED}`);
const random = new Random(SEED, 3);

const ROWS = 53;
const drawn = (n: number, most: number): number[] => Array.from({ length: n }, () => random.integer(0, most));
const pixels = tensor(drawn(ROWS * 40, 255), { dtype: "uint8" }).reshape([ROWS, 40]);
const labels = tensor(drawn(ROWS, 9), { dtype: "int32" });
const floats = tapir.randn([ROWS, 17]);

/** Rows as they are, with an own way to make them. */
function custom(make: (index: T) => tapir.data.Batch): tapir.data.Dataset {
  return { length: ROWS, take: make };
}

const datasets: Record<string, () => tapir.data.Dataset> = {
  TensorDataset: () => new TensorDataset(floats, labels),
  "TensorDataset, float64": () => new TensorDataset(floats.to("float64"), labels),
  ImageDataset: () => new ImageDataset(pixels, labels, 0.13, 0.31),
  "ops on what other ops made": () => {
    const set = new ImageDataset(pixels, labels, 0.1, 0.3);
    return custom((index) => {
      const [x, y] = set.take(index);
      return [tapir.concat([x.mul(2).sub(x.mean({ axis: 1, keepdims: true })), x.exp()]), y.to("float32").add(0.5)];
    });
  },
  "reads elements": () => custom((index) => [tensor(Array.from(index.data(), (i) => i * i)), labels.indexSelect(index)]),
  "reads and writes elements between ops": () => {
    const set = new TensorDataset(floats, labels);
    return custom((index) => {
      const [x, y] = set.take(index);
      const scale = x.abs().max().item();
      const counts = tapir.zeros([10], { dtype: "int32" }).indexAdd(y, tapir.ones([y.size], { dtype: "int32" }));
      return [x.div(scale), counts.add(y.sum({ dtype: "int32" }))];
    });
  },
  "changes what it made": () => {
    const set = new TensorDataset(floats, labels);
    const seen = tapir.zeros([17]);
    return custom((index) => {
      const [x, y] = set.take(index);
      seen.add_(x.sum({ axis: 0 }));
      x.mul_(3);
      index.fill_(0);
      return [x.add(seen), takenFrom(labels, index).add(y)];
    });
  },
  "draws random numbers": () => {
    tapir.manualSeed(5);
    const set = new TensorDataset(floats, labels);
    return custom((index) => {
      const [x, y] = set.take(index);
      return [x.add(tapir.randn(x.shape)), y];
    });
  },
  "keeps what it computed": () => {
    const seen = new Map<number, T>();
    return custom((index) => {
      const first = index.data()[0] % 5;
      if (!seen.has(first)) seen.set(first, keep(floats.mul(first).exp()));
      const table = seen.get(first) as T;
      return new TensorDataset(table, labels).take(index);
    });
  },
  "answers the same tensors each time": () => {
    const y = keep(tapir.ones([3]));
    return custom((index) => [new TensorDataset(floats, labels).take(index)[0], y]);
  },
  "a compiled function": () => {
    const f = tapir.compile((x: T) => x.mul(2).add(1).tanh());
    const set = new TensorDataset(floats, labels);
    return custom((index) => {
      const [x, y] = set.take(index);
      return [f(x).add(0.25), y];
    });
  },
  "a kernel of its own": () => {
    const set = new TensorDataset(floats, labels);
    return custom((index) => {
      const [x, y] = set.take(index);
      return [plusOne(x).mul(2), y];
    });
  },
};

const takenFrom = (x: T, index: T): T => new TensorDataset(x, x).take(index)[0];
const plusOne = tapir.customOp({
  name: "plusOneInTest",
  inputs: ["x"],
  kernel({ x }, y) {
    const all = new Float32Array(tapir.wasmMemory().buffer);
    for (let i = 0; i < y.size; i++) all[y.ptr / 4 + i] = all[x.ptr / 4 + i] + 1;
  },
  saves: [],
  vjp: "zero",
});

const bits = ([x, y]: tapir.data.Batch): string => [x, y].map((t) => `${t.describe()} ${Buffer.from(t.data().buffer).toString("base64")}`).join(" ");

/** The bits of all batches of a number of rounds. */
function rounds(dataset: tapir.data.Dataset, options: tapir.data.DataLoaderOptions, count = 3): string[] {
  const loader = new DataLoader(dataset, options);
  const seen: string[] = [];
  for (let i = 0; i < count; i++) for (const batch of loader) seen.push(bits(batch));
  return seen;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

configure({ threads: 2 });

for (const [name, make] of Object.entries(datasets)) {
  test(`the batches are those of prefetch 0, bit for bit: ${name}`, () => {
    for (const options of [{ batchSize: 8 }, { batchSize: 8, shuffle: true, seed: 3 }, { batchSize: 7, shuffle: true, dropLast: true }, { batchSize: 1 }]) {
      const expected = rounds(make(), options);
      for (const prefetch of [1, 2, 5, 256]) assert.equal(rounds(make(), { ...options, prefetch }), expected, `prefetch ${prefetch}`);
    }
  });
}

test("the helper takes part, and its batches are the same", () => {
  const make = datasets.ImageDataset;
  const expected = rounds(make(), { batchSize: 4, shuffle: true }, 1);
  const before = helperTasks();
  const end = performance.now() + 20_000;
  while (helperTasks() < before + 5) {
    assert.ok(performance.now() < end, "no helper within 20 s");
    const seen: string[] = [];
    for (const batch of new DataLoader(make(), { batchSize: 4, shuffle: true, prefetch: 2 })) {
      seen.push(bits(batch));
      Atomics.wait(pause, 0, 0, 2);
    }
    assert.equal(seen, expected);
  }
});

test("with one thread nothing is assembled ahead", () => {
  const indices: number[] = [];
  const set = custom((index) => {
    indices.push(index.size);
    return new TensorDataset(floats, labels).take(index);
  });
  configure({ threads: 1 });
  const before = helperTasks();
  let batches = 0;
  for (const _ of new DataLoader(set, { batchSize: 10, prefetch: 3 })) assert.is(indices.length, ++batches);
  assert.is(helperTasks(), before);
  configure({ threads: 2 });
});

test("a dataset that leaves nothing to the helper is asked for one batch at a time after the first", () => {
  let taken = 0;
  const set = custom((index) => {
    taken++;
    return [tensor(Array.from(index.data())), labels];
  });
  const ahead: number[] = [];
  let batches = 0;
  for (const _ of new DataLoader(set, { batchSize: 10, prefetch: 2 })) ahead.push(taken - ++batches);
  assert.equal(ahead, [1, 0, 0, 0, 0, 0]);
});

test("the error of a batch comes when it is asked for, after the batches before it", () => {
  for (const prefetch of [0, 1, 2, 3, 20]) {
    let taken = 0;
    const set = custom((index) => {
      if (++taken === 4) return [takenFrom(floats, index), takenFrom(labels, tapir.full([1], ROWS, { dtype: "int32" }))];
      return [takenFrom(floats, index), takenFrom(labels, index)];
    });
    let seen = 0;
    assertThrows(
      () => {
        for (const _ of new DataLoader(set, { batchSize: 8, prefetch })) seen++;
      },
      ShapeError,
      /row numbers from 0 to 52; got 53/,
    );
    assert.is(seen, 3);
  }
});

test("rounds that end early, with an error or at their end hold as much memory as after the first, the helper's included", () => {
  const set = datasets["ops on what other ops made"]();
  const loader = new DataLoader(set, { batchSize: 5, shuffle: true, prefetch: 3 });
  const round = (n: number): void => {
    try {
      scope(() => {
        for (const [x] of loader) {
          if (--n === 0) break;
          if (n === -2) throw new Error(`stop at ${x.size}`);
        }
      });
    } catch (error) {
      assert.match((error as Error).message, /stop at/);
    }
  };
  for (let i = 0; i < 20; i++) round(i % 9);
  const before = memory.stats();
  for (let i = 0; i < 200; i++) round(i % 9);
  for (let i = 0; i < 20; i++) round(i % 9);
  const after = memory.stats();
  assert.is(after.tensors, before.tensors);
  assert.is(after.bytes, before.bytes);
});

test("an iterator that is left without an end gives its memory back as garbage, the data included", async () => {
  const collect = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 100 && !done(); i++) {
      (globalThis as unknown as { gc(): void }).gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await collect(() => false);
  const before = memory.stats();
  const begin = (): void => {
    const x = tapir.ones([400, 1000]);
    const loader = new DataLoader(new TensorDataset(x, tapir.ones([400])), { batchSize: 20, prefetch: 4 });
    loader[Symbol.iterator]().next();
  };
  begin();
  assert.ok(memory.stats().tensors > before.tensors);
  await collect(() => memory.stats().tensors <= before.tensors);
  assert.ok(memory.stats().tensors <= before.tensors, `${before.tensors} became ${memory.stats().tensors}`);
});

test("batches live until the second one after them, in the next round too", () => {
  const loader = new DataLoader(new TensorDataset(floats, labels), { batchSize: 20, prefetch: 2 });
  const [, , [x]] = [...loader];
  const next = loader[Symbol.iterator]();
  next.next();
  assert.equal(x.data(), floats.slice([40, ROWS]).data());
  next.next();
  assertThrows(() => x.data(), tapir.DisposedError, /keep/);
  next.return();
});

test("two iterators at once, of one loader and of two, see the batches that they would see alone", () => {
  const options = { batchSize: 6, shuffle: true };
  const [first, second] = [rounds(datasets.ImageDataset(), options, 2).slice(0, 9), rounds(datasets.ImageDataset(), options, 2).slice(9)];
  const other = rounds(datasets.TensorDataset(), options, 1);
  const [a, b] = [datasets.ImageDataset(), datasets.TensorDataset()].map((set) => new DataLoader(set, { ...options, prefetch: 2 }));
  const all = [a, a, b].map((loader) => loader[Symbol.iterator]());
  const seen: string[][] = [[], [], []];
  for (let i = 0; i < 9; i++) {
    for (const [j, iterator] of all.entries()) seen[j].push(bits(iterator.next().value as tapir.data.Batch));
  }
  assert.equal(seen, [first, second, other]);
  for (const iterator of all) iterator.return();
});

test("a batch may be computed with, changed and kept while the next ones are assembled", () => {
  const set = new TensorDataset(floats, labels);
  const held: T[] = [];
  for (const [x] of new DataLoader(set, { batchSize: 9, prefetch: 2 })) {
    x.mul_(2);
    held.push(keep(x));
  }
  assert.equal(tapir.concat(held).data(), floats.mul(2).data());
});

test("data that is changed in place or disposed in a round is not torn: a batch has it as it was when it was assembled", () => {
  const x = keep(tapir.zeros([40, 5000]));
  const set = new TensorDataset(x, tapir.zeros([40]));
  const compiled = tapir.compile(() => {
    x.add_(1);
    return x.sum();
  });
  for (const change of [() => x.add_(1), compiled]) {
    for (const [batch] of new DataLoader(set, { batchSize: 4, prefetch: 2 })) {
      const values = new Set(batch.data());
      assert.is(values.size, 1);
      change();
    }
  }
  const loader = new DataLoader(set, { batchSize: 5, prefetch: 3 });
  const last = x.data()[0];
  let seen = 0;
  assertThrows(
    () => {
      for (const [batch] of loader) {
        seen++;
        x.dispose();
        assert.ok(batch.data().every((value) => value === last));
        for (let i = 0; i < 10; i++) tapir.full([40, 5000], -1).dispose();
      }
    },
    tapir.DisposedError,
    /x/,
  );
  assert.is(seen, 6);
});

test("a gradient that lies in one block with what a batch ahead is to write has its elements", () => {
  const base = new TensorDataset(tapir.ones([32, 50_000]), tapir.zeros([32]));
  let latest: T | undefined;
  const set = {
    length: 32,
    take(index: T): tapir.data.Batch {
      const [x, y] = base.take(index);
      latest = keep(x.exp().log());
      return [x, y];
    },
  };
  for (const _ of new DataLoader(set, { batchSize: 8, prefetch: 2 })) {
    const gradient = latest as T;
    const w = tapir.zeros(gradient.shape, { requiresGrad: true });
    w.add(0).backward({ gradient });
    assert.ok((w.grad as T).data().every((value) => Math.abs(value - 1) < 1e-3));
  }
});

test("settings may change in a round", () => {
  const set = datasets.TensorDataset();
  const expected = rounds(set, { batchSize: 2 }, 1);
  const seen: string[] = [];
  const settings: tapir.Configuration[] = [{ threads: 1 }, { threads: 3 }, { deterministic: true }, { threads: 2 }, { deterministic: false }, {}];
  for (const batch of new DataLoader(set, { batchSize: 2, prefetch: 3 })) {
    seen.push(bits(batch));
    configure(settings[seen.length % settings.length]);
  }
  assert.equal(seen, expected);
  configure({ threads: 2, deterministic: false });
});

test("training gives the same weights, compiled or not", async () => {
  const set = new ImageDataset(pixels, labels, 0.13, 0.31);
  const trained = async (prefetch: number, compile: boolean): Promise<string> => {
    tapir.manualSeed(1);
    const model = new layers.Sequential(new layers.Linear(40, 16), new layers.ReLU(), new layers.Linear(16, 10));
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
    const loader = new DataLoader(set, { batchSize: 8, shuffle: true, prefetch });
    const validation = new DataLoader(set, { batchSize: 20, prefetch });
    const { losses } = await train.fit(model, loader, { loss: tapir.crossEntropy, optimizer, epochs: 3, validation, compile, progress: false });
    return JSON.stringify([losses, model.parameters().map((p) => Buffer.from(p.data().buffer).toString("base64"))]);
  };
  for (const compile of [true, false]) assert.is(await trained(2, compile), await trained(0, compile));
});

/** Rows with noise, as take() of a dataset draws it. */
const noisy = custom((index) => {
  const [x, y] = new TensorDataset(floats, labels).take(index);
  return [x.add(tapir.randn(x.shape)), y];
});

test("batches that draw and a loop that draws give the same numbers, whatever prefetch and threads are", () => {
  const drawn = (threads: number, prefetch: number): string[] => {
    configure({ threads });
    tapir.manualSeed(1);
    const seen: string[] = [];
    const loader = new DataLoader(noisy, { batchSize: 8, shuffle: true, seed: 3, prefetch });
    for (let round = 0; round < 2; round++) {
      for (const batch of loader) seen.push(bits(batch), bits([tapir.dropout(tapir.ones([32]), { p: 0.5 }), batch[1]]));
      // between rounds the program draws as well
      tapir.rand([1]);
    }
    configure({ threads: 2 });
    return seen;
  };
  const expected = drawn(1, 0);
  assert.is(new Set(expected).size, expected.length);
  for (const [threads, prefetch] of [[2, 0], [1, 2], [2, 1], [2, 4], [3, 256]]) assert.equal(drawn(threads, prefetch), expected, `${threads} threads, prefetch ${prefetch}`); // biome-ignore format: short
});

test("training draws the same numbers too: noise in the batches and dropout in the model", async () => {
  class Drop extends layers.Module {
    forward(x: T): T {
      return tapir.dropout(x, { p: 0.5, training: this.training });
    }
  }
  const trained = async (threads: number, prefetch: number): Promise<string> => {
    configure({ threads });
    tapir.manualSeed(1);
    const model = new layers.Sequential(new layers.Linear(17, 16), new Drop(), new layers.Linear(16, 10));
    const loader = new DataLoader(noisy, { batchSize: 8, shuffle: true, prefetch });
    const validation = new DataLoader(noisy, { batchSize: 20, prefetch });
    const optimizer = new optim.Adam(model.parameters());
    const { losses } = await train.fit(model, loader, { loss: tapir.crossEntropy, optimizer, epochs: 3, seed: 5, validation, progress: false });
    configure({ threads: 2 });
    return JSON.stringify([losses, model.parameters().map((p) => Buffer.from(p.data().buffer).toString("base64"))]);
  };
  const expected = await trained(1, 0);
  for (const [threads, prefetch] of [[2, 0], [1, 2], [2, 2]]) assert.is(await trained(threads, prefetch), expected, `${threads} threads, prefetch ${prefetch}`); // biome-ignore format: short
});

test("what a batch draws depends on the seeds of program and loader, the round and the batch, and the program draws as if it had not", () => {
  const noise = (seed: number, own: number, prefetch: number): string[] => {
    tapir.manualSeed(seed);
    const first = tapir.rand([3]).data();
    const set = custom((index) => [tapir.randn([2]), index.clone()]);
    const seen = rounds(set, { batchSize: 9, seed: own, prefetch }, 2);
    const second = tapir.rand([3]).data();
    tapir.manualSeed(seed);
    assert.equal([tapir.rand([3]).data(), tapir.rand([3]).data()], [first, second]);
    return seen;
  };
  const all = [...noise(1, 0, 0), ...noise(1, 1, 0), ...noise(2, 0, 0), ...noise(2, 1, 0)];
  assert.is(new Set(all).size, 4 * 2 * 6);
  assert.equal([...noise(1, 0, 3), ...noise(1, 1, 1), ...noise(2, 0, 256), ...noise(2, 1, 2)], all);
});

test("a round draws from the seed with which it began, and manualSeed() within take() stays there", () => {
  const set = custom((index) => {
    const mine = tapir.rand([2]);
    tapir.manualSeed(8);
    return [tapir.stack([mine, tapir.rand([2])]), index.clone()];
  });
  const seen = (prefetch: number): string[] => {
    tapir.manualSeed(1);
    const found: string[] = [];
    for (const batch of new DataLoader(set, { batchSize: 9, prefetch })) {
      tapir.manualSeed(found.length);
      found.push(bits(batch));
    }
    found.push(String(tapir.rand([2]).data()));
    tapir.manualSeed(5);
    assert.is(found.pop(), String(tapir.rand([2]).data()));
    tapir.manualSeed(8);
    const eighth = tapir.rand([2]).data();
    for (const [x] of new DataLoader(set, { batchSize: 9, prefetch })) assert.equal(x.slice([1, 2]).data(), eighth);
    return found;
  };
  assert.equal(seen(2), seen(0));
});

test("the streams of batches are no others' streams", () => {
  const keys: Key[] = [];
  const set = custom((index) => {
    keys.push(nextKey(), nextKey());
    return [index.clone(), index.clone()];
  });
  for (const seed of [0, 1, 4294967295]) rounds(set, { batchSize: 5, seed }, 4);
  assert.is(new Set(keys.map(({ low, high }) => `${low} ${high}`)).size, 3 * 4 * 11 * 2);
  for (const { low, high } of keys) {
    // the program's are even, those of shuffles and of gradcheck are 1
    assert.ok(Number.isInteger(low) && low >= 0 && low < 2 ** 32 && Number.isInteger(high) && high > 2 && high < 2 ** 32 && high % 4 === 3, `${low} ${high}`);
  }
});

test("prefetch that cannot be is a ConfigError", () => {
  const set = datasets.TensorDataset();
  for (const prefetch of [-1, 1.5, 257, Number.NaN, "2", null, true]) {
    assertThrows(() => new DataLoader(set, { prefetch: prefetch as number }), ConfigError, /prefetch, a whole number of batches from 0 to 256/);
  }
});

test("a process with a helper ends by itself, in the middle of a round too", () => {
  const program = `
    import { configure, data, arange } from ${JSON.stringify(pathToFileURL("dist/index.js").href)};
    configure({ threads: 2 });
    const x = arange(600).reshape([100, 6]);
    const loader = new data.DataLoader(new data.TensorDataset(x, x), { batchSize: 4, prefetch: 2 });
    let rows = 0;
    for (const [a] of loader) rows += a.shape[0];
    const next = loader[Symbol.iterator]();
    next.next();
    next.next();
    console.log(rows);
  `;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", timeout: 60_000 });
  assert.is(child.status, 0, child.stderr);
  assert.is(child.stdout.trim(), "100");
});

test.run();
