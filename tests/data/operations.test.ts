// Datasets made of datasets: which examples they hold, in which order, and that nothing of them stays behind.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { hasBackground, inBackground } from "../../bindings/background.js";
import * as tapir from "../../ts-src/index.js";
import { arange, ConfigError, configure, DtypeError, data, memory, ShapeError, tensor } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { DataLoader, TensorDataset } = data;
const SEED = 20261130;
console.log(`seed ${SEED}`);
const random = new Random(SEED);
configure({ threads: 2 });

/** Example i has the input [i, i + 0.5] and the target i. */
function counting(n: number, from = 0): data.TensorDataset {
  const y = arange(from, from + n, 1, { dtype: "int32" });
  return new TensorDataset(tapir.stack([y.to("float32"), y.to("float32").add(0.5)], { axis: 1 }), y);
}

/** The targets of all examples in order; inputs must fit them. */
function all(set: data.Dataset, options: data.DataLoaderOptions = {}): number[] {
  const seen: number[] = [];
  for (const [x, y] of new DataLoader(set, { batchSize: 7, ...options })) {
    assert.equal(
      [...x.data()],
      [...y.data()].flatMap((i) => [i, i + 0.5]),
    );
    seen.push(...y.data());
  }
  return seen;
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test("split deals every example to one part, in an order that the seed fixes", () => {
  for (let run = 0; run < 50; run++) {
    const n = random.integer(10, 200);
    const weights = Array.from({ length: random.integer(1, 4) }, () => 0.1 + random.unit());
    const sum = weights.reduce((a, b) => a + b);
    const seed = random.integer(0, 1000);
    if (weights.some((weight) => (weight / sum) * n < 2)) continue;
    const parts = counting(n).split(
      weights.map((weight) => weight / sum),
      { seed },
    );
    for (const [i, part] of parts.entries()) assert.ok(Math.abs(part.length - (weights[i] / sum) * n) <= 1);
    const dealt = parts.map((part) => all(part));
    assert.equal(sorted(dealt.flat()), upTo(n));
    assert.equal(
      parts.map((part) => all(part, { prefetch: 2 })),
      dealt,
    );
  }
  const [a, b] = counting(10).split([0.8, 0.2], { seed: 1 });
  assert.equal([a.length, b.length], [8, 2]);
  assert.not.equal(all(a), all(counting(10).split([0.8, 0.2], { seed: 2 })[0]));
  assert.equal(
    counting(10)
      .split([7, 3], { shuffle: false })
      .map((part) => all(part)),
    [
      [0, 1, 2, 3, 4, 5, 6],
      [7, 8, 9],
    ],
  );
});

test("kFold validates on each example once and trains on the others", () => {
  for (let run = 0; run < 20; run++) {
    const n = random.integer(5, 60);
    const k = random.integer(2, 5);
    const folds = counting(n).kFold(k, { seed: run });
    assert.is(folds.length, k);
    assert.equal(sorted(folds.flatMap(({ validation }) => all(validation))), upTo(n));
    for (const { training, validation } of folds) {
      assert.ok(Math.abs(validation.length - n / k) < 1);
      assert.equal(sorted([...all(training), ...all(validation)]), upTo(n));
    }
  }
});

test("shuffle keeps one order, and batch gives a loader", () => {
  const set = counting(20).shuffle({ seed: 3 });
  assert.equal(all(set), all(set));
  assert.equal(sorted(all(set)), upTo(20));
  assert.not.equal(all(set), upTo(20));
  assert.not.equal(all(set), all(counting(20).shuffle({ seed: 4 })));
  assert.is(set.batch(6, { dropLast: true }).length, 3);
});

test("filter asks once, when examples are wanted, and keeps the order", () => {
  let asked = 0;
  const even = counting(3000).filter(([, y]) => {
    asked++;
    return y.remainder(2).eq(0);
  });
  assert.is(asked, 0);
  assert.is(even.length, 1500);
  assert.equal(
    all(even),
    upTo(1500).map((i) => 2 * i),
  );
  assert.is(asked, 3);
  assert.is(counting(5).filter(([, y]) => y.lt(0)).length, 0);
});

test("map changes batches, and knows their numbers and the round", () => {
  const seen: [number[], number][] = [];
  const set = counting(6)
    .shuffle({ seed: 1 })
    .map(([x, y], { index, epoch }) => {
      seen.push([[...index], epoch]);
      return [x.add(epoch).sub(epoch), y];
    });
  const loader = set.batch(4);
  for (let i = 0; i < 2; i++) for (const _ of loader);
  assert.equal(seen, [
    [[0, 1, 2, 3], 0],
    [[4, 5], 0],
    [[0, 1, 2, 3], 1],
    [[4, 5], 1],
  ]);
  assert.equal(all(set), all(counting(6).shuffle({ seed: 1 })));
});

test("concat joins datasets, also within a batch, and own datasets take part", () => {
  const own: data.Dataset = {
    length: 4,
    take: (index) => [
      index
        .to("float32")
        .unsqueeze(1)
        .add(tensor([8, 8.5])),
      index.add(8),
    ],
  };
  const set = data.concat(counting(5), counting(3, 5), own);
  assert.equal(all(set), upTo(12));
  assert.equal(sorted(all(set, { shuffle: true, batchSize: 5 })), upTo(12));
  assert.equal(all(set, { shuffle: true, batchSize: 5 }), all(set, { shuffle: true, batchSize: 5, prefetch: 3 }));
  assert.equal(all(data.map(own, (batch) => batch)), [8, 9, 10, 11]);
  assert.equal(all(counting(5).concat(counting(3, 5))), upTo(8));
  const [x] = set.take(tensor(new Int32Array(0)));
  assert.equal(x.shape, [0, 2]);
});

test("chains of operations give the same batches with prefetch, and leave no tensor behind", () => {
  const chain = (): data.Examples =>
    counting(40)
      .concat(counting(30, 40))
      .filter(([, y]) => y.ge(10))
      .split([0.7, 0.3], { seed: 5 })[0]
      .map(([x, y]) => [x.mul(2).sub(x), y])
      .shuffle({ seed: 2 });
  const expected = all(chain(), { shuffle: true, seed: 7 });
  for (const prefetch of [1, 3, 20]) assert.equal(all(chain(), { shuffle: true, seed: 7, prefetch }), expected);
  for (const prefetch of [0, 2]) {
    const loader = new DataLoader(chain(), { batchSize: 7, prefetch });
    for (const _ of loader);
    const { tensors } = memory.stats();
    for (let i = 0; i < 50; i++) for (const _ of loader);
    assert.is(memory.stats().tensors, tensors, `prefetch ${prefetch}`);
  }
});

test("a helper has work with parts of a dataset, too", () => {
  assert.ok(hasBackground());
  const index = tensor([1, 0, 5], { dtype: "int32" });
  for (const set of [counting(9), counting(9).shuffle(), counting(9).split([6, 3])[0].shuffle(), counting(3).concat(counting(5, 3)).shuffle()]) {
    const [, expected] = set.take(index);
    const job = inBackground(() => set.take(index));
    assert.ok(job.posted);
    assert.equal(job.wait()[1].toArray(), expected.toArray());
  }
});

test("what cannot be is a typed error", () => {
  const set = counting(10);
  const any = (value: unknown): never => value as never;
  for (const parts of [[], [0.5, 0.6], [0.5, -0.5, 1], [11], [3, 3], null, 5, ["a"], [Number.NaN, 1], [0.99, 0.01]]) {
    assertThrows(() => set.split(any(parts)), ConfigError, /^split: expected/);
  }
  for (const k of [0, 1, 11, 2.5, "3", undefined]) assertThrows(() => set.kFold(any(k)), ConfigError, /folds from 2 to 10/);
  assertThrows(() => set.split([1], any({ seeds: 1 })), ConfigError, /seeds/);
  assertThrows(() => set.split([1], { shuffle: any(1) }), ConfigError, /shuffle/);
  assertThrows(() => set.shuffle({ seed: -1 }), ConfigError, /seed/);
  assertThrows(() => set.map(any(5)), ConfigError, /map: expected a function/);
  assertThrows(() => set.filter(any(5)), ConfigError, /filter: expected a function/);
  assertThrows(() => data.map(any(null), (batch) => batch), ConfigError, /map: expected a dataset/);
  assertThrows(() => data.concat(), ConfigError, /at least one/);
  assertThrows(() => set.concat(any([])), ConfigError, /concat: expected a dataset/);
  assertThrows(() => set.batch(any(0)), ConfigError, /batchSize/);
  assertThrows(() => set.batch(1, any({ batchSize: 3 })), ConfigError, /batchSize/);
  assertThrows(() => new DataLoader(set, { transform: any(5) }), ConfigError, /transform/);
  assertThrows(() => set.map(() => any(null)).take(tensor([0], { dtype: "int32" })), ConfigError, /map: expected the transform to answer/);
  assertThrows(() => set.filter(([x]) => x).length, ShapeError, /bool \[10\]/);
  assertThrows(() => set.shuffle().take(tensor([10], { dtype: "int32" })), ShapeError, /from 0 to 9; got 10/);
  assertThrows(() => set.shuffle().take(tensor([1])), ShapeError, /int32 \[n\]/);
  const other = new TensorDataset(arange(6).reshape([3, 2]), arange(3));
  assertThrows(() => [...new DataLoader(set.concat(other), { batchSize: 13 })], DtypeError, /concat/);
});

test("a transform that answers another number of rows is refused", () => {
  const doubled = counting(4).map(([x, y]) => [tapir.concat([x, x]), y]);
  assertThrows(() => [...new DataLoader(doubled, { batchSize: 2 })], ShapeError, /as many rows as it was given, 2; got float32 \[4,2\] and int32 \[2\]/);
});

test.run();
