// Where a loader stands: a run that is taken up again sees the batches that it would have seen.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { arange, ConfigError, configure, data, type Tensor } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { DataLoader, TensorDataset } = data;
const SEED = 20261129;
console.log(`seed ${SEED}`);
const random = new Random(SEED);
configure({ threads: 2 });

const ROWS = 23;
const set = new TensorDataset(arange(ROWS * 5).reshape([ROWS, 5]), arange(0, ROWS, 1, { dtype: "int32" }));
const noisy = (batch: data.Batch, { index, epoch }: data.Place): data.Batch => [batch[0].add(epoch + index[0]), batch[1]];
const bits = (batch: readonly Tensor[]): string => batch.map((t) => Buffer.from(t.data().buffer).toString("base64")).join(" ");
const load = (options: data.DataLoaderOptions, state?: unknown): data.DataLoader => {
  const loader = new DataLoader(set, options);
  if (state !== undefined) loader.loadStateDict(JSON.parse(JSON.stringify(state)));
  return loader;
};

test("a loader that takes up a position goes on with the bits of the one that was not stopped, with prefetch or without", () => {
  for (let run = 0; run < 40; run++) {
    const options = {
      batchSize: random.integer(1, 8),
      shuffle: random.unit() < 0.8,
      seed: random.integer(0, 99),
      dropLast: random.unit() < 0.5,
      transform: random.unit() < 0.5 ? noisy : undefined,
    };
    const whole = load(options);
    const all: string[] = [];
    const states: data.LoaderState[] = [whole.stateDict()];
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const batch of whole) {
        all.push(bits(batch));
        states.push(whole.stateDict());
      }
    }
    const [stopped, first, second] = [random.integer(0, states.length - 1), random.integer(0, 4), random.integer(0, 4)];
    const before = load({ ...options, prefetch: first });
    let seen = 0;
    while (seen < stopped) {
      for (const batch of before) {
        assert.is(bits(batch), all[seen]);
        if (++seen === stopped) break;
      }
    }
    assert.equal(before.stateDict(), states[stopped]);
    const after = load({ ...options, seed: 0, prefetch: second }, before.stateDict());
    assert.equal(after.stateDict(), states[stopped]);
    while (seen < all.length) for (const batch of after) assert.is(bits(batch), all[seen++], JSON.stringify(options));
    assert.equal(after.stateDict(), states[all.length]);
  }
});

test("a round that was broken off is not gone on with unless asked for", () => {
  const loader = load({ batchSize: 10, shuffle: true });
  const expected = load({ batchSize: 10, shuffle: true });
  for (const _ of expected);
  for (const _ of loader) break;
  assert.equal(loader.stateDict(), { seed: 0, epoch: 0, batch: 1, examples: ROWS, batchSize: 10, shuffle: true });
  assert.equal(Array.from(loader, bits), Array.from(expected, bits));
});

test("with for await too, and after the last batch the next round begins", async () => {
  const loader = load({ batchSize: 12 });
  const seen: [number, number][] = [];
  for await (const _ of loader) seen.push([loader.stateDict().epoch, loader.stateDict().batch]);
  assert.equal(seen, [
    [0, 1],
    [1, 0],
  ]);
});

test("a state of another size, or none, is a ConfigError that changes nothing", () => {
  const loader = load({ batchSize: 5, shuffle: true, seed: 4 });
  const state = loader.stateDict();
  const refused = (given: unknown, message: RegExp): void => {
    assertThrows(() => loader.loadStateDict(given as data.LoaderState), ConfigError, message);
    assert.equal(loader.stateDict(), state);
  };
  refused({ ...state, examples: 24 }, /examples 23; got number 24/);
  refused({ ...state, batchSize: 6 }, /batchSize 5; got number 6/);
  refused({ ...state, shuffle: false }, /shuffle true/);
  refused({ ...state, batch: 5 }, /batch, a whole number from 0 to 4; got number 5/);
  refused({ ...state, batch: 1.5 }, /batch/);
  refused({ ...state, epoch: -1 }, /epoch/);
  refused({ ...state, seed: "1" }, /seed/);
  refused({ ...state, step: 1 }, /got step/);
  refused({ seed: 0, epoch: 0, batch: 0 }, /examples/);
  for (const given of [null, undefined, 5, []]) refused(given, /loadStateDict of a DataLoader: expected/);
});

test.run();
