// Datasets and batches; files that are missing, cut or corrupt.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { arange, ConfigError, DisposedError, data, FormatError, ShapeError, tensor } from "../../ts-src/index.js";
import { assertRejects, assertThrows } from "../assert-close.js";

const { DataLoader, TensorDataset } = data;
const idx = (type: number, sizes: number[], bytes: number[]): Buffer =>
  Buffer.concat([
    Buffer.from([0, 0, type, sizes.length]),
    ...sizes.map((n) => Buffer.from([n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255])),
    Buffer.from(bytes),
  ]);

function folder(change: Record<string, Buffer> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "tapir-idx-"));
  const files: Record<string, Buffer> = {
    "train-images-idx3-ubyte": idx(8, [2, 2, 2], [0, 255, 51, 102, 1, 2, 3, 4]),
    "train-labels-idx1-ubyte": idx(8, [2], [7, 9]),
    "t10k-images-idx3-ubyte": idx(8, [1, 2, 2], [9, 9, 9, 9]),
    "t10k-labels-idx1-ubyte": idx(8, [1], [0]),
    ...change,
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
  return directory;
}

test("MNIST has 60,000 and 10,000 examples, normalized", async () => {
  const { train: images, test: held } = await data.mnist();
  assert.is(images.length, 60_000);
  assert.is(held.length, 10_000);
  const [x, y] = images.take(tensor([0, 1], { dtype: "int32" }));
  assert.equal(y.toArray(), [5, 0]);
  assert.equal(x.shape, [2, 784]);
  assert.ok(Math.abs(x.data()[0] + 0.1307 / 0.3081) < 1e-6);
});

test("files that are missing, cut, of another type or with wrong labels are FormatErrors that name the file", async () => {
  assert.is((await data.mnist({ directory: folder() })).train.length, 2);
  for (const options of [null, 5, { directory: 5 }, { folder: "." }]) await assertRejects(data.mnist(options as object), ConfigError, /^mnist: expected/);
  await assertRejects(data.mnist({ directory: "/nowhere" }), FormatError, /there is none at \/nowhere/);
  const cut = folder({ "train-images-idx3-ubyte": idx(8, [2, 2, 2], [1, 2, 3]) });
  await assertRejects(data.mnist({ directory: cut }), FormatError, /expected 8 bytes for \[2,2,2\]; got 3.*train-images/);
  await assertRejects(data.mnist({ directory: folder({ "t10k-labels-idx1-ubyte": idx(13, [1], [0]) }) }), FormatError, /magic/);
  await assertRejects(data.mnist({ directory: folder({ "t10k-labels-idx1-ubyte": Buffer.from([0, 0]) }) }), FormatError, /header/);
  await assertRejects(data.mnist({ directory: folder({ "train-labels-idx1-ubyte": idx(8, [2], [7, 10]) }) }), FormatError, /0 to 9; got 10 at 1/);
  await assertRejects(data.mnist({ directory: folder({ "train-labels-idx1-ubyte": idx(8, [3], [7, 1, 2]) }) }), FormatError, /2 labels/);
});

test("a loader gives each example once, in an order that the seed fixes", () => {
  const set = new TensorDataset(arange(10), arange(0, 10, 1, { dtype: "int32" }));
  const order = (loader: data.DataLoader): number[] => [...loader].flatMap(([, y]) => (y.disposed ? [] : [...y.data()]));
  const seen = (seed: number): number[] => {
    const all: number[] = [];
    for (const [x, y] of new DataLoader(set, { batchSize: 3, shuffle: true, seed })) {
      assert.equal([...x.data()], [...y.data()]);
      all.push(...y.data());
    }
    return all;
  };
  assert.equal(seen(1), seen(1));
  assert.not.equal(seen(1), seen(2));
  assert.equal([...seen(1)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.is(new DataLoader(set, { batchSize: 3, dropLast: true }).length, 3);
  assert.is(new DataLoader(set, { batchSize: 3 }).length, 4);
  assert.ok(order(new DataLoader(set, { batchSize: 3 })).length < 10, "batches older than two are freed");
});

test("an old batch says that its step is over", () => {
  const loader = new DataLoader(new TensorDataset(arange(10), arange(10)), { batchSize: 2 });
  const batches = [...loader];
  assertThrows(() => batches[0][0].data(), DisposedError, /keep/);
  assert.equal(batches[4][0].toArray(), [8, 9]);
});

test("bad datasets and options are refused", () => {
  const set = new TensorDataset(arange(10), arange(10));
  assertThrows(() => new DataLoader(set, { batchSize: 0 }), ConfigError, /batchSize >= 1/);
  assertThrows(() => new DataLoader(set, { batchsize: 2 } as object), ConfigError, /batchsize/);
  assertThrows(() => new TensorDataset(arange(3), arange(4)), ShapeError, /\[3\] and \[4\]/);
});

test.run();
