// Metrics: against counts by hand and scikit-learn's definitions.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, layers, NumericError, nllLoss, ShapeError, type Tensor, tensor, train } from "../../ts-src/index.js";
import { assertClose, assertRejects, assertThrows } from "../assert-close.js";

const int32 = { dtype: "int32" } as const;
// what a row says is the place of its 1
const said = (...classes: number[]): Tensor => tensor(classes.map((c) => [0, 1, 2].map((i) => Number(i === c))));
const truths = tensor([0, 0, 0, 1, 1, 2], int32);
const output = said(0, 0, 1, 1, 2, 2);

test("accuracy, error rate and top-k accuracy are shares of rows", () => {
  assert.is(train.accuracy(output, truths), 4 / 6);
  assertClose([train.zeroOne(output, truths)], [2 / 6], { rtol: 1e-7 });
  const ranked = tensor([
    [3, 2, 1],
    [3, 2, 1],
    [3, 2, 1],
  ]);
  const t = tensor([0, 1, 2], int32);
  assert.is(train.topKAccuracy(1)(ranked, t), 1 / 3);
  assert.is(train.topKAccuracy(2)(ranked, t), 2 / 3);
  assert.is(train.topKAccuracy(9)(ranked, t), 1);
  assertThrows(() => train.topKAccuracy(0), ConfigError, /topKAccuracy: expected k/);
});

test("a confusion matrix gives precision, recall and F1 by class, macro, micro, weighted and binary", () => {
  const matrix = new train.ConfusionMatrix(3).add(output, truths);
  assert.equal(matrix.rows, [
    [2, 1, 0],
    [0, 1, 1],
    [0, 0, 1],
  ]);
  const [p, r] = [
    [1, 1 / 2, 1 / 2],
    [2 / 3, 1 / 2, 1],
  ];
  const f = p.map((precision, c) => (2 * precision * r[c]) / (precision + r[c]));
  const mean = (xs: number[]): number => xs.reduce((a, b) => a + b) / 3;
  assertClose([matrix.precision(), matrix.recall(), matrix.f1()], [mean(p), mean(r), mean(f)], { rtol: 1e-12 });
  assertClose([matrix.f1("weighted")], [(3 * f[0] + 2 * f[1] + f[2]) / 6], { rtol: 1e-12 });
  assert.is(matrix.f1("micro"), matrix.accuracy);
  assertThrows(() => matrix.f1("binary"), ConfigError, /two classes/);
  const two = new train.ConfusionMatrix(2, [50, 10, 5, 35]);
  assertClose([two.f1("binary")], [(2 * 35) / (2 * 35 + 10 + 5)], { rtol: 1e-12 });
  assert.is(matrix.toString(), "true  0  1  2\n   0  2  1  0\n   1  0  1  1\n   2  0  0  1");
  assert.is(new train.ConfusionMatrix(2).f1(), 0, "of nothing");
});

test("a target outside the classes is refused, and nothing is counted", () => {
  const matrix = new train.ConfusionMatrix(3);
  assertThrows(() => matrix.add(output, tensor([0, 0, 0, 1, 1, 3], int32)), NumericError, /classes from 0 to 2; got 3 at row 5/);
  assert.is(matrix.examples, 0);
  assertThrows(() => matrix.add(output, tensor([0], int32)), ShapeError, /expected output \[N, C\] and target \[N\]/);
  assertThrows(() => new train.ConfusionMatrix(1), ConfigError, /classes, a whole number >= 2/);
});

test("evaluate gathers F1 over all batches, not as a mean of batches, and perplexity is e to the mean loss", async () => {
  class Rows extends layers.Module {
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const batches: [Tensor, Tensor][] = [
    [said(0, 0), tensor([0, 0], int32)],
    [said(1, 1, 2, 2), tensor([0, 1, 1, 2], int32)],
  ];
  const loss = (y: Tensor, t: Tensor): Tensor => nllLoss(y.mul(-1), t);
  const scores = await train.evaluate(new Rows(), batches, {
    loss,
    metrics: { f1: train.f1({ classes: 3 }), perplexity: train.perplexity, recall: train.recall({ classes: 3, average: "weighted" }) },
  });
  const matrix = new train.ConfusionMatrix(3).add(output, truths);
  assertClose([scores.f1, scores.recall], [matrix.f1(), matrix.recall("weighted")], { rtol: 1e-12 });
  assertClose([scores.loss, scores.perplexity], [4 / 6, Math.exp(4 / 6)], { rtol: 1e-6 });
  assertThrows(() => train.f1({ classes: 3, average: "binary" }), ConfigError, /two classes/);
  await assertRejects(train.evaluate(new Rows(), batches, { loss, metrics: { loss: train.accuracy } }), ConfigError, /another name for a metric than loss/);
});

test.run();
