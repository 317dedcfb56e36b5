// What batch normalisation remembers, and when.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, layers, noGrad, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const batches = [
  [1, 2, 4, 9],
  [0, -3, 5, 2],
  [7, 7, 8, 1],
].map((values) => tensor(values).reshape([4, 1]));

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const variance = (values: readonly number[]): number => values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1);
const values = (t: Tensor): number[] => [...t.data()];

test("momentum null keeps the mean of the statistics of all batches", () => {
  const layer = new layers.BatchNorm1d(1, { momentum: null });
  for (const x of batches) layer.forward(x);
  assertClose((layer.running_mean as Tensor).data(), [mean(batches.map((x) => mean(values(x))))], { rtol: 1e-6, atol: 0 });
  assertClose((layer.running_var as Tensor).data(), [mean(batches.map((x) => variance(values(x))))], { rtol: 1e-6, atol: 0 });
  assert.is(layer.num_batches_tracked?.item(), 3);
});

test("training uses the batch, eval() the running statistics, which it leaves as they are", () => {
  const layer = new layers.BatchNorm1d(1, { eps: 0 });
  layer.forward(batches[0]);
  const [m, v] = [0.1 * mean(values(batches[0])), 0.9 + 0.1 * variance(values(batches[0]))];
  layer.eval();
  const y = layer.forward(batches[1]);
  assertClose(
    y.data(),
    values(batches[1]).map((x) => (x - m) / Math.sqrt(v)),
    { rtol: 1e-6, atol: 1e-7 },
  );
  assert.is(layer.num_batches_tracked?.item(), 1);
  assertClose(layer.train().forward(batches[1]).sum().data(), [0], { rtol: 0, atol: 1e-6 });
  assert.is(layer.num_batches_tracked?.item(), 2);
});

test("a batch of one is refused in training, before anything is counted, and taken in eval()", () => {
  for (const momentum of [0.1, null]) {
    const layer = new layers.BatchNorm1d(3, { momentum });
    const before = Object.values(layer.stateDict()).map(values);
    assertThrows(() => layer.forward(zeros([1, 3])), ShapeError, /more than one value a channel in training; got x \[1,3\]/);
    assert.equal(Object.values(layer.stateDict()).map(values), before);
    assert.equal(layer.eval().forward(zeros([1, 3])).shape, [1, 3]);
  }
  assertThrows(() => new layers.BatchNorm1d(3, { trackRunningStats: false }).eval().forward(zeros([1, 3])), ShapeError, /more than one value/);
});

test("norms refuse other numbers of channels and axes", () => {
  assertThrows(() => new layers.BatchNorm1d(3).forward(zeros([2, 4])), ShapeError, /BatchNorm1d: expected x \[N, C\] or \[N, C, L\] with C = 3; got \[2,4\]/);
  assertThrows(() => new layers.BatchNorm2d(3).forward(zeros([2, 3])), ShapeError, /BatchNorm2d: expected x \[N, C, H, W\]/);
  assertThrows(() => new layers.InstanceNorm2d(3).forward(zeros([2, 3, 4])), ShapeError, /InstanceNorm2d: expected x \[N, C, H, W\]/);
  assertThrows(() => new layers.GroupNorm(1, 3).forward(zeros([2, 4])), ShapeError, /GroupNorm: expected x \[N, 3, \.\.\.\]/);
  assertThrows(() => new layers.LayerNorm(3).forward(zeros([2, 4])), ShapeError, /\[3\]/);
});

test("weightNorm refuses what is no parameter, and a second time", () => {
  const layer = layers.weightNorm(new layers.Linear(2, 3));
  assert.equal(Object.keys(layer.stateDict()), ["bias", "weight_g", "weight_v"]);
  assertThrows(() => layers.weightNorm(layer), ConfigError, /normalised already/);
  assertThrows(() => layers.weightNorm(new layers.Linear(2, 3), { name: "scale" }), ConfigError, /parameter string scale/);
  assertThrows(() => layers.weightNorm(new layers.BatchNorm1d(2), { name: "running_mean" }), ConfigError, /expected a parameter/);
  assertThrows(() => layers.weightNorm(new layers.Linear(2, 3), { dim: 2 }), ConfigError, /dim from 0 to 1, or null; got number 2/);
});

test("weightNorm leaves the weight as it was, and g is the length of its rows", () => {
  const plain = new layers.Linear(4, 3);
  const normed = layers.weightNorm(plain.clone());
  assertClose(normed.weight.data(), plain.weight.data(), { rtol: 1e-6, atol: 0 });
  noGrad(() => normed.stateDict().weight_g.fill_(2));
  assertClose(normed.weight.norm({ axis: 1 }).data(), [2, 2, 2], { rtol: 1e-6, atol: 0 });
});

test.run();
