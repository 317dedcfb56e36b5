// A loader over many rounds: it holds two batches and no more, however its rounds end.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { arange, ConfigError, DisposedError, data, keep, layers, memory, mseLoss, optim, type Tensor, train, zeros } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { DataLoader, TensorDataset } = data;
const set = new TensorDataset(arange(6).reshape([6, 1]), zeros([6, 1]));

test("500 epochs of one batch, with validation, hold as many tensors as 5", async () => {
  const model = new layers.Linear(1, 1);
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-4 });
  const loader = new DataLoader(set, { batchSize: 6, shuffle: true });
  const validation = new DataLoader(set, { batchSize: 4 });
  const epochs = async (n: number): Promise<number> => {
    await train.fit(model, loader, { loss: mseLoss, optimizer, epochs: n, validation, progress: false });
    return memory.stats().tensors;
  };
  const after = await epochs(5);
  assert.is(await epochs(500), after);
});

test("rounds that end with break or with an error hold no more than two batches", () => {
  const loader = new DataLoader(set, { batchSize: 1 });
  const round = (n: number): void => {
    try {
      for (const [x] of loader) {
        if (--n === 0) break;
        if (n === -5) throw new Error(`stop at ${x.item()}`);
      }
    } catch (error) {
      assert.match((error as Error).message, /stop at 4/);
    }
  };
  for (let i = 0; i < 3; i++) round(i);
  const { tensors } = memory.stats();
  for (let i = 0; i < 300; i++) round(i % 4);
  assert.is(memory.stats().tensors, tensors);
});

test("a batch lives until the second one after it, in the next round too", () => {
  const loader = new DataLoader(set, { batchSize: 3 });
  const [, last] = [...loader];
  const rounds = loader[Symbol.iterator]();
  rounds.next();
  assert.equal(last[0].toArray(), [[3], [4], [5]]);
  rounds.next();
  assertThrows(() => last[0].data(), DisposedError, /keep/);
});

test("what the user keeps of a batch stays", () => {
  const loader = new DataLoader(set, { batchSize: 6 });
  const held: Tensor[] = [];
  for (let i = 0; i < 5; i++) for (const [x] of loader) held.push(keep(x));
  for (const x of held) assert.equal(x.toArray(), [[0], [1], [2], [3], [4], [5]]);
});

test("options and datasets that cannot be are ConfigErrors", () => {
  const refused = (dataset: unknown, options: unknown, message: RegExp): void =>
    assertThrows(() => new DataLoader(dataset as data.Dataset, options as data.DataLoaderOptions), ConfigError, message);
  refused(set, null, /DataLoader: expected an object of options \(batchSize/);
  refused(set, 32, /DataLoader: expected an object of options/);
  refused(set, { batch: 32 }, /batchSize.*got batch/);
  refused(set, { shuffle: "yes" }, /shuffle: true or false; got string yes/);
  refused(null, {}, /expected a dataset/);
  refused([1, 2], {}, /expected a dataset/);
  refused({ take: () => [], length: 2.5 }, {}, /length number 2\.5/);
  const wrong = { length: 2, take: () => [zeros([1])] as unknown as data.Batch };
  assertThrows(() => [...new DataLoader(wrong)], ConfigError, /take\(\).*two tensors/);
});

test.run();
