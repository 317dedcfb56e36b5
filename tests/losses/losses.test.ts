// Losses: what cases against PyTorch do not show.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { tensor } = tapir;
const float64 = { dtype: "float64" } as const;

test("a reverse pass through zeroOneLoss says that it has no derivative and names surrogates", () => {
  const x = tensor(
    [
      [1, 2],
      [3, 0],
    ],
    { requiresGrad: true },
  );
  const t = tensor([1, 1], { dtype: "int32" });
  const rate = tapir.zeroOneLoss(x, t);
  assert.is(rate.item(), 0.5);
  assertThrows(() => rate.backward(), tapir.GradientError, /zeroOneLoss: .*crossEntropy or hingeLoss/);
  assertThrows(() => tapir.crossEntropy(x, t).add(tapir.zeroOneLoss(x, t).mul(2)).backward(), tapir.GradientError, /zeroOneLoss/);
  assertThrows(() => tapir.grad((y: tapir.Tensor) => tapir.zeroOneLoss(y, t))(x), tapir.GradientError, /zeroOneLoss/);
});

test("losses that are composed can be differentiated twice", () => {
  const x = () => tensor([0.2, 0.4, 0.7, 0.9], float64).reshape([2, 2]);
  const t = tensor([0.3, 0.1, 0.8, 0.6], float64).reshape([2, 2]);
  const sign = tensor([1, -1, -1, 1], float64).reshape([2, 2]);
  const classes = tensor([1, 0], { dtype: "int32" });
  const losses: Record<string, (y: tapir.Tensor, target: tapir.Tensor) => tapir.Tensor> = {
    mseLoss: (y, target) => tapir.mseLoss(y, target),
    l1Loss: (y, target) => tapir.l1Loss(y, target),
    huberLoss: (y, target) => tapir.huberLoss(y, target, { delta: 0.25 }),
    smoothL1Loss: (y, target) => tapir.smoothL1Loss(y, target, { beta: 0.25 }),
    binaryCrossEntropy: (y, target) => tapir.binaryCrossEntropy(y, target),
    binaryCrossEntropyWithLogits: (y, target) => tapir.binaryCrossEntropyWithLogits(y, target, { posWeight: tensor([2, 3], float64) }),
    hingeLoss: (y) => tapir.hingeLoss(y, sign),
    klDiv: (y, target) => tapir.klDiv(y, target, { reduction: "batchmean" }),
    "klDiv of logarithms": (y, target) => tapir.klDiv(y, target, { logTarget: true }),
    cosineSimilarity: (y, target) => tapir.cosineSimilarity(y, target),
    tripletMarginLoss: (y, target) => tapir.tripletMarginLoss(y, target, sign, { margin: 3 }),
    "tripletMarginLoss, p 3": (y, target) => tapir.tripletMarginLoss(y, target, sign, { margin: 3, p: 3 }),
    "tripletMarginLoss, p Infinity": (y, target) => tapir.tripletMarginLoss(y, target, sign, { margin: 3, p: Number.POSITIVE_INFINITY }),
    "crossEntropy of probabilities": (y, target) => tapir.crossEntropy(y, target, { labelSmoothing: 0.1 }),
    "crossEntropy with weights": (y) => tapir.crossEntropy(y, classes, { labelSmoothing: 0.1, weight: tensor([1, 3], float64) }),
  };
  for (const [name, loss] of Object.entries(losses)) assert.ok(tapir.gradcheck(loss, [x(), t], { order: 2, atol: 1e-7 }), name);
});

test("sub-gradients at kinks are PyTorch's", () => {
  const at = (loss: (x: tapir.Tensor) => tapir.Tensor, x: number): number =>
    tapir
      .grad(loss)(tensor([x], float64))
      .item();
  const zero = tensor([0], float64);
  assert.is(Math.abs(at((x) => tapir.l1Loss(x, zero), 0)), 0);
  assert.is(
    at((x) => tapir.huberLoss(x, zero), 1),
    1,
  );
  assert.is(Math.abs(at((x) => tapir.hingeLoss(x, tensor([1], float64)), 1)), 0);
  const same = tensor([[1, 2]], float64);
  const gradient = tapir.grad((x: tapir.Tensor) => tapir.tripletMarginLoss(x, same, tensor([[5, 5]], float64), { eps: 0, margin: 9 }))(same);
  assert.ok([...gradient.data()].every(Number.isFinite));
});

test("losses are methods of their input", () => {
  const x = tensor([0.5, 0.25]);
  const t = tensor([1, 0]);
  assertClose(x.mseLoss(t).data(), tapir.mseLoss(x, t).data(), {});
  assertClose(x.binaryCrossEntropy(t, { reduction: "none" }).data(), [Math.log(2), -Math.log(0.75)], { rtol: 1e-6 });
});

test("bad losses are typed errors of one line", () => {
  const x = tapir.ones([2, 3]);
  const wrong = (value: unknown): never => value as never;
  assertThrows(() => tapir.mseLoss(x, tapir.ones([3])), tapir.ShapeError, /mseLoss: .*\[2,3\] and \[3\]/);
  assertThrows(() => tapir.l1Loss(x, wrong(undefined)), tapir.DtypeError, /l1Loss: expected a tensor for target/);
  assertThrows(() => tapir.huberLoss(x, x, { delta: 0 }), tapir.ConfigError, /above 0/);
  assertThrows(() => tapir.smoothL1Loss(x, x, { beta: Number.NaN }), tapir.ConfigError, /beta; got NaN/);
  assertThrows(() => tapir.hingeLoss(x, x, { reduction: wrong("average") }), tapir.ConfigError, /none, sum, mean; got string average/);
  assertThrows(() => tapir.klDiv(x, x, wrong({ log_target: true })), tapir.ConfigError, /got log_target/);
  assertThrows(() => tapir.klDiv(x, x, wrong(null)), tapir.ConfigError, /object of options/);
  assertThrows(() => tapir.crossEntropy(x, x, { ignoreIndex: 1 }), tapir.ConfigError, /ignoreIndex/);
  assertThrows(() => tapir.crossEntropy(x, tensor([0, 1], { dtype: "int32" }), { ignoreIndex: 2 ** 32 }), tapir.ConfigError, /ignoreIndex/);
  assertThrows(() => tapir.nllLoss(x, tensor([0, 1], { dtype: "int32" }), { weight: tapir.ones([2]) }), tapir.ShapeError, /weight of shape \[3\]/);
  assertThrows(() => tapir.binaryCrossEntropy(x, x, { weight: tapir.ones([4]) }), tapir.ShapeError, /broadcast/);
  assertThrows(() => tapir.tripletMarginLoss(x, x, x, { p: -1 }), tapir.ConfigError, /above 0/);
  assertThrows(() => tapir.cosineSimilarity(tapir.ones([3]), tapir.ones([3])), tapir.ShapeError, /axis/);
});

test("a weight without a derivative that requires a gradient is an error that names it, not a zero", () => {
  const x = tensor([[0.25, 0.5], [0.75, 0.125]]); // biome-ignore format: a matrix
  const classes = tensor([0, 1], { dtype: "int32" });
  const w = tensor([1, 3], { requiresGrad: true });
  const calls: Record<string, (w: tapir.Tensor) => tapir.Tensor> = {
    "crossEntropy: expected weight": (weight) => tapir.crossEntropy(x, classes, { weight }),
    "nllLoss: expected weight": (weight) => tapir.nllLoss(x, classes, { weight }),
    "binaryCrossEntropy: expected weight": (weight) => tapir.binaryCrossEntropy(x, x, { weight }),
    "binaryCrossEntropyWithLogits: expected weight": (weight) => tapir.binaryCrossEntropyWithLogits(x, x, { weight }),
    "binaryCrossEntropyWithLogits: expected posWeight": (posWeight) => tapir.binaryCrossEntropyWithLogits(x, x, { posWeight }),
  };
  for (const [message, f] of Object.entries(calls)) {
    assertThrows(() => f(w), tapir.GradientError, new RegExp(`^${message} without gradient`));
    f(w.detach());
    tapir.noGrad(() => f(w));
  }
  // with probabilities there is one, as in PyTorch
  tapir.crossEntropy(x, x, { weight: w, reduction: "sum" }).backward();
  assert.is.not(w.grad?.toArray(), undefined);
});

test.run();
