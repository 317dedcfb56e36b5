// Random numbers: known answers bit for bit, and what does not change them.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { kernelsOf } from "../../bindings/kernels.js";
import { scratch, view } from "../../bindings/memory.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { manualSeed } = tapir;

function words(counter: readonly number[], key: readonly number[], dtype: "float32" | "float64"): number[] {
  const out = scratch(384);
  const [a, b, c, d] = counter;
  kernelsOf(dtype).philox(out, a, b, c, d, key[0], key[1]);
  return [...view(out, 4, "int32")].map((word) => word >>> 0);
}

test("Philox 4x32-10 gives the known answers of Random123", () => {
  const lines = readFileSync("tests/fixtures/random/philox4x32.txt", "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.is(lines.length, 3);
  for (const line of lines) {
    const numbers = line.split(" ").map((word) => Number.parseInt(word, 16));
    for (const dtype of ["float32", "float64"] as const) assert.equal(words(numbers.slice(0, 4), numbers.slice(4, 6), dtype), numbers.slice(6), line);
  }
});

test("rand begins with the known answer of counter 0 and key 0: 24 bits in float32, 53 in float64", () => {
  const known = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
  manualSeed(0);
  assert.equal(
    [...tapir.rand([4]).data()],
    known.map((word) => (word >>> 8) / 2 ** 24),
  );
  manualSeed(0);
  const [a, b, c, d] = known;
  const joined = (high: number, low: number): number => ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  assert.equal([...tapir.rand([2], { dtype: "float64" }).data()], [joined(a, b), joined(c, d)]);
});

test("each block of four elements comes from its own counter, whatever the number of elements", () => {
  const seed = 123456789;
  manualSeed(seed);
  tapir.rand([1]);
  const drawn = tapir.rand([83]).data();
  for (let i = 0; i < 83; i++) assert.is(drawn[i], (words([i >> 2, 0, 1, 0], [seed, 0], "float32")[i & 3] >>> 8) / 2 ** 24, `element ${i}`);
});

test("an element does not depend on the size of the call", () => {
  const draws: Record<string, (n: number) => tapir.Tensor> = {
    rand: (n) => tapir.rand([n]),
    "rand float64": (n) => tapir.rand([n], { dtype: "float64" }),
    randn: (n) => tapir.randn([n]),
    "randn float64": (n) => tapir.randn([n], { dtype: "float64" }),
    randint: (n) => tapir.randint(-1000, 1000, [n]),
    bernoulli: (n) => tapir.bernoulli(0.3, [n]),
    dropout: (n) => tapir.dropout(tapir.ones([n])),
    "dropout float64": (n) => tapir.dropout(tapir.ones([n], { dtype: "float64" })),
  };
  for (const [name, draw] of Object.entries(draws)) {
    manualSeed(11);
    const all = [...draw(301).data()];
    for (const n of [0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 64, 100]) {
      manualSeed(11);
      assert.equal([...draw(n).data()], all.slice(0, n), `${name} ${n}`);
    }
  }
});

test("parts of a call that begin later give the same elements", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const k = kernelsOf(dtype);
    const y = tapir.zeros([100], { dtype });
    const parts = tapir.zeros([100], { dtype });
    const bytes = dtype === "float32" ? 4 : 8;
    k.normal(y.ptr, 100, 0, 1, 2, 3, scratch(384));
    for (const [from, to] of [
      [64, 100],
      [0, 32],
      [32, 64],
    ]) {
      k.normal(parts.ptr + from * bytes, to - from, from, 1, 2, 3, scratch(384));
    }
    assert.equal(parts.data(), y.data());
  }
});

test("randn is Box and Muller's formula of the words", () => {
  manualSeed(5);
  const drawn = tapir.randn([20], { dtype: "float64" }).data();
  const unit = (high: number, low: number): number => ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  const expected: number[] = [];
  for (let block = 0; block < 10; block++) {
    const [a, b, c, d] = words([block, 0, 0, 0], [5, 1], "float64");
    const r = Math.sqrt(-2 * Math.log(1 - unit(a, b)));
    expected.push(r * Math.cos(2 * Math.PI * unit(c, d)), r * Math.sin(2 * Math.PI * unit(c, d)));
  }
  assertClose(drawn, expected, { rtol: 1e-13, atol: 1e-14 });
});

function moments(x: ArrayLike<number>): number[] {
  const n = x.length;
  const values = Array.from(x);
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const central = (k: number): number => values.reduce((a, b) => a + (b - mean) ** k, 0) / n;
  const variance = central(2);
  return [mean, variance, central(3) / variance ** 1.5, central(4) / variance ** 2];
}

test("moments of a million numbers are within five standard errors", () => {
  const n = 1_000_000;
  const error = 5 / Math.sqrt(n);
  manualSeed(1);
  for (const dtype of ["float32", "float64"] as const) {
    const [mean, variance, skew, kurtosis] = moments(tapir.randn([n], { dtype }).data());
    assertClose([mean, variance, skew, kurtosis], [0, 1, 0, 3], { atol: error * Math.sqrt(24) }, `randn ${dtype}`);
    const [m, v] = moments(tapir.rand([n], { dtype }).data());
    assertClose([m, v], [0.5, 1 / 12], { atol: error * 0.3 }, `rand ${dtype}`);
  }
  const counts = new Array(7).fill(0);
  for (const i of tapir.randint(-3, 4, [n]).data()) counts[i + 3]++;
  assertClose(counts, new Array(7).fill(n / 7), { atol: 5 * Math.sqrt(n / 7) });
  const ones = Array.from(tapir.bernoulli(0.2, [n]).data());
  assertClose([ones.reduce((a, b) => a + b, 0) / n], [0.2], { atol: error * 0.4 });
});

test("randint covers both ends of int32 and takes other dtypes", () => {
  manualSeed(2);
  const wide = tapir.randint(-(2 ** 31), 2 ** 31 - 1, [1000]).data();
  assert.ok(wide.some((v) => v < -(2 ** 30)) && wide.some((v) => v > 2 ** 30));
  assert.is(tapir.randint(0, 256, [4], { dtype: "uint8" }).dtype, "uint8");
  assert.is(tapir.randint(0, 2, [4], { dtype: "bool" }).dtype, "bool");
  assert.ok([...tapir.randint(5, 6, [9], { dtype: "float64" }).data()].every((v) => v === 5));
});

test("bernoulli takes a tensor of probabilities, and 0 and 1 are certain", () => {
  manualSeed(3);
  const p = tapir.tensor([0, 1, 0, 1], { dtype: "float64" });
  const y = tapir.bernoulli(p);
  assert.is(y.dtype, "float64");
  assert.equal([...y.data()], [0, 1, 0, 1]);
  assert.equal(tapir.bernoulli(p, [3, 4]).shape, [3, 4]);
  assertThrows(() => tapir.bernoulli(tapir.tensor([0.5, 1.5])), tapir.NumericError, /0 to 1; got 1.5/);
  assertThrows(() => tapir.bernoulli(Number.NaN, [2]), tapir.NumericError, /got NaN/);
  assertThrows(() => tapir.bernoulli(0.5), tapir.ConfigError, /expected a shape/);
});

test("permutation holds each number once, int32, and repeats with the seed", () => {
  manualSeed(4);
  const p = tapir.permutation(1000);
  assert.is(p.dtype, "int32");
  assert.equal(
    [...p.data()].sort((a, b) => a - b),
    [...Array(1000).keys()],
  );
  assert.not.equal(p.data(), Int32Array.from(Array(1000).keys()));
  manualSeed(4);
  assert.equal(tapir.permutation(1000).data(), p.data());
  assert.equal(tapir.permutation(0).shape, [0]);
  assertThrows(() => tapir.permutation(1.5), tapir.ConfigError, /whole number/);
  // each place is equally likely
  const places = new Array(4).fill(0);
  for (let i = 0; i < 4000; i++) places[tapir.permutation(4).data().indexOf(0)]++;
  assertClose(places, [1000, 1000, 1000, 1000], { atol: 150 });
});

test("calls in turn draw different numbers", () => {
  manualSeed(6);
  assert.not.equal(tapir.rand([8]).data(), tapir.rand([8]).data());
});

test.run();
