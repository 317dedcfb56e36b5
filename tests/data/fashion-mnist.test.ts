// Fashion-MNIST: compressed files are read, and who lacks them is told how to get them.
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, data, FormatError, tensor } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";

const idx = (sizes: number[], bytes: number[]): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 8, sizes.length]), ...sizes.map((n) => Buffer.from([0, 0, 0, n])), Buffer.from(bytes)]);
const files: Record<string, Buffer> = {
  "train-images-idx3-ubyte": idx([2, 2, 2], [0, 255, 51, 102, 1, 2, 3, 4]),
  "train-labels-idx1-ubyte": idx([2], [7, 9]),
  "t10k-images-idx3-ubyte": idx([1, 2, 2], [9, 9, 9, 9]),
  "t10k-labels-idx1-ubyte": idx([1], [0]),
};

function folder(change: Record<string, Buffer> = {}, compressed = true): string {
  const path = mkdtempSync(join(tmpdir(), "tapir-fashion-"));
  const all = {
    ...Object.fromEntries(Object.entries(files).map(([name, bytes]) => (compressed ? [`${name}.gz`, gzipSync(bytes)] : [name, bytes]))),
    ...change,
  };
  for (const [name, bytes] of Object.entries(all)) writeFileSync(join(path, name), bytes);
  return path;
}

test("files are read compressed or not, from path or from the variable", async () => {
  for (const compressed of [true, false]) {
    const { train, test: held, classes } = await data.fashionMnist({ path: folder({}, compressed) });
    assert.equal([train.length, held.length, classes.length], [2, 1, 10]);
    const [x, y] = train.take(tensor([0], { dtype: "int32" }));
    assert.equal(y.toArray(), [7]);
    assert.equal(classes[7], "Sneaker");
    assert.ok(Math.abs(x.data()[1] - (1 - 0.286) / 0.353) < 1e-6);
  }
  process.env.TAPIR_FASHION_MNIST = folder();
  try {
    assert.is((await data.fashionMnist()).train.length, 2);
  } finally {
    delete process.env.TAPIR_FASHION_MNIST;
  }
});

test("who lacks the files is told how to get them", async () => {
  await assertRejects(
    data.fashionMnist({ path: "/nowhere" }),
    ConfigError,
    /there is none at \/nowhere; install Debian's package dataset-fashion-mnist, or pass \{ path \}/,
  );
  for (const options of [null, 5, { path: 5 }, { folder: "." }])
    await assertRejects(data.fashionMnist(options as object), ConfigError, /^fashionMnist: expected/);
});

test("files that are cut, corrupt or of more classes are FormatErrors that name the file", async () => {
  const images = gzipSync(files["train-images-idx3-ubyte"]);
  await assertRejects(data.fashionMnist({ path: folder({ "train-images-idx3-ubyte.gz": images.subarray(0, -9) }) }), FormatError, /gzip data.*train-images/);
  await assertRejects(data.fashionMnist({ path: folder({ "train-images-idx3-ubyte.gz": files["train-images-idx3-ubyte"] }) }), FormatError, /gzip data/);
  await assertRejects(data.fashionMnist({ path: folder({ "t10k-labels-idx1-ubyte.gz": gzipSync(idx([1], [10])) }) }), FormatError, /0 to 9; got 10 at 0/);
  await assertRejects(data.fashionMnist({ path: mkdtempSync(join(tmpdir(), "tapir-empty-")) }), FormatError, /there is none at .*ubyte/);
});

// where Debian's package is installed the real images are looked at
if (existsSync("/usr/share/datasets/fashion-mnist")) {
  test("the package has 60,000 and 10,000 images, normalized", async () => {
    const { train, test: held } = await data.fashionMnist();
    assert.equal([train.length, held.length], [60_000, 10_000]);
    assert.equal([...train.labels.data().slice(0, 10)], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
    const [x] = train.take(tensor(Int32Array.from({ length: 6000 }, (_, i) => 10 * i)));
    assert.ok(Math.abs(x.mean().item()) < 0.02 && Math.abs(x.std().item() - 1) < 0.02);
  });
}

test.run();
