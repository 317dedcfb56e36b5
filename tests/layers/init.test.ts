// Starting values by their laws: bounds, moments, orthogonality, the distribution function.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DtypeError, layers, manualSeed, matmul, ShapeError, type Tensor, zeros } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { init } = layers;
const SEED = 21;

function moments(t: Tensor): { mean: number; deviation: number; least: number; most: number } {
  const values = [...t.data()];
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return { mean, deviation, least: Math.min(...values), most: Math.max(...values) };
}

/** Asserts mean and deviation of N = 60,000 numbers within five of their own standard deviations. */
function assertMoments(t: Tensor, mean: number, deviation: number, label: string): void {
  const found = moments(t);
  const error = deviation / Math.sqrt(t.size);
  assert.ok(Math.abs(found.mean - mean) < 5 * error, `${label}, seed ${SEED}: mean ${found.mean} instead of ${mean}`);
  assert.ok(Math.abs(found.deviation - deviation) < 5 * error, `${label}, seed ${SEED}: deviation ${found.deviation} instead of ${deviation}`);
}

// fan in 100, fan out 600
const weight = (): Tensor => zeros([600, 100]);

test("uniform and normal, by numbers, Xavier and Kaiming, have their bounds and deviations", () => {
  manualSeed(SEED);
  assertMoments(init.uniform(weight(), -1, 3), 1, 4 / Math.sqrt(12), "uniform");
  assertMoments(init.normal(weight(), 2, 0.5), 2, 0.5, "normal");
  assertMoments(init.xavierNormal(weight(), 2), 0, 2 * Math.sqrt(2 / 700), "xavierNormal");
  assertMoments(init.kaimingNormal(weight()), 0, Math.sqrt(2 / 100), "kaimingNormal");
  assertMoments(init.kaimingNormal(weight(), { mode: "fanOut", nonlinearity: "tanh" }), 0, 5 / 3 / Math.sqrt(600), "kaimingNormal of tanh");
  assertMoments(init.kaimingUniform(weight(), { a: Math.sqrt(5) }), 0, Math.sqrt(1 / 3 / 100), "kaimingUniform");
  for (const [t, bound] of [
    [init.xavierUniform(weight()), Math.sqrt(6 / 700)],
    [init.kaimingUniform(weight()), Math.sqrt(6 / 100)],
    [init.kaimingUniform(zeros([40, 4, 5, 5]), { nonlinearity: "relu" }), Math.sqrt(6 / 100)],
  ] as const) {
    const { least, most } = moments(t);
    assert.ok(least >= -bound && most <= bound && least < -0.99 * bound && most > 0.99 * bound, `seed ${SEED}: ${least} to ${most}, bound ${bound}`);
  }
});

test("calculateGain knows the gains of torch.nn.init", () => {
  const gains = (["linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leakyRelu"] as const).map((name) => init.calculateGain(name));
  assert.equal(gains, [1, 1, 1, 5 / 3, Math.sqrt(2), 0.75, Math.sqrt(2 / (1 + 0.01 ** 2))]);
  assert.is(init.calculateGain("leakyRelu", 1), 1);
  assertThrows(() => init.calculateGain("gelu" as "relu"), ConfigError, /among linear, .*leakyRelu; got string gelu/);
});

test("constant, zeros, ones and eye fill what they are given", () => {
  const t = zeros([2, 3]);
  assert.is(init.constant(t, 1.5), t);
  assert.equal([...t.data()], new Array(6).fill(1.5));
  assert.equal([...init.eye(t).data()], [1, 0, 0, 0, 1, 0]);
  assert.equal([...init.ones(t).data()], new Array(6).fill(1));
  assert.equal([...init.zeros(t).data()], new Array(6).fill(0));
  assertThrows(() => init.eye(zeros([2])), ShapeError, /a matrix; got \[2\]/);
});

test("orthogonal rows, or columns where these are fewer, in both dtypes, and differ by seed", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (const shape of [[5, 8], [8, 5], [6, 6], [4, 3, 2, 2]]) {
      manualSeed(SEED);
      const t = init.orthogonal(zeros(shape, { dtype }), 2);
      const m = t.reshape([shape[0], -1]);
      const [rows, cols] = m.shape;
      const product = rows <= cols ? matmul(m, m.transpose()) : matmul(m.transpose(), m);
      const n = Math.min(rows, cols);
      assertClose(product.data(), Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 4 : 0)), { rtol: 0, atol: dtype === "float32" ? 2e-6 : 1e-14 });
      manualSeed(SEED);
      assert.equal(init.orthogonal(zeros(shape, { dtype }), 2).data(), t.data());
      assert.not.equal(init.orthogonal(zeros(shape, { dtype }), 2).data(), t.data());
    }
  }
}); // biome-ignore format: shapes in one line

test("a truncated normal stays within its bounds and has the moments of its law", () => {
  manualSeed(SEED);
  const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  // Phi(1) and Phi(2), of tables
  const [one, two] = [0.8413447460685429, 0.9772498680518208];
  const t = init.truncNormal(weight(), 0, 1, -1, 2);
  const mass = two - (1 - one);
  const mean = (density(-1) - density(2)) / mass;
  const variance = 1 + (-1 * density(-1) - 2 * density(2)) / mass - mean ** 2;
  assertMoments(t, mean, Math.sqrt(variance), "truncNormal");
  const { least, most } = moments(t);
  assert.ok(least >= -1 && most <= 2);
  const narrow = moments(init.truncNormal(weight(), 5, 2));
  assert.ok(narrow.least >= -2 && narrow.most <= 2 && narrow.mean > 0.5);
  assertThrows(() => init.truncNormal(weight(), 0, 1, 2, 1), ConfigError, /low < high/);
  assertThrows(() => init.truncNormal(weight(), 0, 1, 20, 30), ConfigError, /less than 8 deviations from mean 0/);
  assertThrows(() => init.truncNormal(weight(), 0, 0), ConfigError, /deviation/);
});

test("weights with one axis and what is no tensor are refused, and what cannot be chosen", () => {
  for (const name of ["xavierUniform", "xavierNormal", "kaimingUniform", "kaimingNormal", "orthogonal"] as const) {
    assertThrows(() => init[name](zeros([3])), ShapeError, new RegExp(name));
    assertThrows(() => init[name](null as unknown as Tensor), DtypeError, new RegExp(name));
  }
  assertThrows(() => init.kaimingUniform(weight(), { mode: "fan_in" as "fanIn" }), ConfigError, /"fanIn" or "fanOut"; got string fan_in/);
  assertThrows(() => init.kaimingNormal(weight(), { gain: 1 } as never), ConfigError, /got gain/);
});

test("parameters of modules are filled in place, and still want gradients", () => {
  const { weight: w } = new layers.Linear(3, 2);
  assert.is(init.xavierUniform(w), w);
  assert.ok(w.requiresGrad);
});

test.run();
