// Softmax, norms, dropout and attention: what cases against PyTorch do not show.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { tensor } = tapir;

test("softmax of a long row sums to one and agrees with the exponential", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = tapir.randn([3, 10007], { dtype }).mul(5);
    const y = x.softmax().data();
    const logs = x.logSoftmax().data();
    const tolerance = dtype === "float32" ? 2e-6 : 1e-14;
    for (let r = 0; r < 3; r++) assertClose([Array.from(y.slice(r * 10007, (r + 1) * 10007)).reduce((a, b) => a + b, 0)], [1], { rtol: 10 * tolerance });
    assertClose(y, [...logs].map(Math.exp), { rtol: 20 * tolerance, atol: 1e-30 });
  }
});

test("softmax along an axis has the bits of no other layout", () => {
  const x = tapir.randn([6, 7, 5]);
  const y = x.softmax({ axis: 1 });
  const other = x.permute(0, 2, 1).softmax({ axis: -1 }).permute(0, 2, 1);
  assertClose(y.data(), other.data(), { rtol: 1e-6 });
});

test("batchNorm in training updates the running statistics in place, with the unbiased variance", () => {
  const x = tensor([
    [1, 10],
    [2, 20],
    [6, 60],
  ]);
  const mean = tapir.zeros([2]);
  const variance = tapir.ones([2]);
  tapir.batchNorm(x, mean, variance, null, null, { training: true, momentum: 0.5 });
  assertClose(mean.data(), [1.5, 15], { rtol: 1e-6 });
  assertClose(variance.data(), [4, 350.5], { rtol: 1e-6 });
  tapir.batchNorm(x, mean, variance, null, null);
  assertClose(mean.data(), [1.5, 15], { rtol: 1e-6 });
  assertThrows(() => tapir.batchNorm(x, null, null), tapir.ConfigError, /training: true/);
  assertThrows(() => tapir.batchNorm(tapir.ones([1, 3]), null, null, null, null, { training: true }), tapir.ShapeError, /more than one value/);
});

test("a derivative is not changed by a later update of the running statistics", () => {
  const x = tapir.randn([8, 3], { requiresGrad: true });
  const mean = tapir.zeros([3]);
  const variance = tapir.ones([3]);
  const y = tapir.batchNorm(x, mean, variance, null, null, { training: true });
  tapir.batchNorm(x.detach(), mean, variance, null, null, { training: true });
  y.square().sum().backward();
  assert.equal(x.grad?.shape, [8, 3]);
});

test("instanceNorm updates the running statistics with the means over the samples", () => {
  const x = tensor([[[1, 3]], [[5, 9]]]);
  const mean = tapir.zeros([1]);
  const variance = tapir.zeros([1]);
  tapir.instanceNorm(x, { runningMean: mean, runningVar: variance, momentum: 1 });
  assertClose(mean.data(), [4.5], { rtol: 1e-6 });
  assertClose(variance.data(), [5], { rtol: 1e-6 });
});

test("norms of many rows and long rows keep their accuracy in float32", () => {
  const x = tapir.randn([1000, 1000]).add(100);
  const y = tapir.layerNorm(x, 1000).data();
  let [sum, squares] = [0, 0];
  for (const v of y) {
    sum += v;
    squares += v * v;
  }
  assertClose([sum / y.length, squares / y.length], [0, 1], { atol: 2e-5 });
});

test("dropout keeps, scales, and drops the same elements in the derivative", () => {
  tapir.manualSeed(1);
  for (const dtype of ["float32", "float64"] as const) {
    const x = tapir.ones([1000], { dtype, requiresGrad: true });
    const y = x.dropout({ p: 0.25 });
    const kept = [...y.data()];
    assert.ok(kept.every((v) => v === 0 || Math.abs(v - 4 / 3) < 1e-6));
    const share = kept.filter((v) => v === 0).length / 1000;
    assert.ok(Math.abs(share - 0.25) < 0.07, `share ${share}`);
    y.sum().backward();
    assert.equal([...(x.grad as tapir.Tensor).data()], kept);
  }
  const x = tapir.randn([5]);
  assert.equal(x.dropout({ training: false }).data(), x.data());
  assert.equal([...x.dropout({ p: 1 }).data()].map(Math.abs), [0, 0, 0, 0, 0]);
  assertThrows(() => x.dropout({ p: 1.5 }), tapir.ConfigError, /0 to 1 for p; got 1.5/);
  assertThrows(() => x.dropout({ P: 1 } as object), tapir.ConfigError, /got P/);
});

test("float32 and float64 drop the same elements", () => {
  tapir.manualSeed(2);
  const single = tapir.ones([100]).dropout().data();
  tapir.manualSeed(2);
  assert.equal([...tapir.ones([100], { dtype: "float64" }).dropout().data()], [...single]);
});

test("a query that may see no key gives zeros, and zero gradients", () => {
  const q = tapir.randn([2, 4], { requiresGrad: true });
  const k = tapir.randn([3, 4], { requiresGrad: true });
  const v = tapir.randn([3, 2], { requiresGrad: true });
  const mask = tensor([
    [true, false, true],
    [false, false, false],
  ]);
  const y = tapir.scaledDotProductAttention(q, k, v, { mask });
  assert.equal((y.toArray() as number[][])[1], [0, 0]);
  y.sum().backward();
  assert.equal(((q.grad as tapir.Tensor).toArray() as number[][])[1].map(Math.abs), [0, 0, 0, 0]);
  assert.ok((k.grad as tapir.Tensor).data().every(Number.isFinite));
});

test("attention drops weights in training alone, and mask and isCausal must both allow", () => {
  const x = tapir.randn([4, 4]);
  const both = tapir.scaledDotProductAttention(x, x, x, { isCausal: true, mask: tapir.ones([4, 4], { dtype: "bool" }) });
  assert.equal(both.data(), tapir.scaledDotProductAttention(x, x, x, { isCausal: true }).data());
  assert.not.equal(tapir.scaledDotProductAttention(x, x, x, { dropoutP: 0.5 }).data(), tapir.scaledDotProductAttention(x, x, x).data());
});

test("functions that are composed leave no tensors behind, nor do errors", () => {
  scope(() => {
    const x = tapir.rand([4, 6]).add(0.1).div(2);
    const t = tapir.rand([4, 6]);
    const w = tapir.ones([6]);
    const classes = tensor([0, 1, 2, 3], { dtype: "int32" });
    const calls: (() => tapir.Tensor)[] = [
      () => x.softmax({ axis: 0 }),
      () => tapir.layerNorm(x, 6, w, w),
      () => tapir.groupNorm(x, 2),
      () => tapir.instanceNorm(x.reshape([2, 2, 6])),
      () => tapir.batchNorm(x, null, null, w, w, { training: true }),
      () => tapir.rmsNorm(x, 6, w),
      () => tapir.scaledDotProductAttention(x, x, x, { isCausal: true }),
      () => tapir.crossEntropy(x, classes, { weight: w, labelSmoothing: 0.1 }),
      () => tapir.crossEntropy(x, t, { weight: w, labelSmoothing: 0.1 }),
      () => tapir.nllLoss(x, classes, { weight: w }),
      () => tapir.huberLoss(x, t),
      () => tapir.smoothL1Loss(x, t),
      () => tapir.binaryCrossEntropy(x, t, { weight: w }),
      () => tapir.binaryCrossEntropyWithLogits(x, t, { posWeight: w }),
      () => tapir.klDiv(x, t),
      () => tapir.cosineSimilarity(x, t),
      () => tapir.tripletMarginLoss(x, t, x, { swap: true }),
      () => tapir.zeroOneLoss(x, classes),
      () => tapir.bernoulli(t),
      () => tapir.permutation(9),
    ];
    for (const call of calls) {
      const before = tapir.memory.stats().tensors;
      const y = call();
      assert.is(tapir.memory.stats().tensors, before + 1, String(call));
      y.dispose();
      assert.is(tapir.memory.stats().tensors, before, String(call));
    }
    const bad = tensor([0, 1, 9, 3], { dtype: "int32" });
    const before = tapir.memory.stats().tensors;
    assertThrows(() => tapir.crossEntropy(x, bad), tapir.NumericError, /got 9 at row 2/);
    assertThrows(() => tapir.nllLoss(x, bad), tapir.NumericError, /got 9 at row 2/);
    assertThrows(() => tapir.bernoulli(x.data().length, [2]), tapir.NumericError, /got 24/);
    assert.is(tapir.memory.stats().tensors, before);
  });
});

test.run();
