// Every declared derivative against finite differences, to second order, on the op's own samples.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type AnyOp, apply, op } from "../../bindings/op.js";
import { GradientError, gradcheck, manualSeed, mul, ops, rand, sub, sum, type Tensor, tensor } from "../../ts-src/index.js";
import { reshape } from "../../ts-src/ops/shape.js";
import { assertThrows } from "../assert-close.js";

const SEED = 20240607;
console.log(`seed ${SEED}`);
manualSeed(SEED);

interface Drawn {
  shape: readonly number[];
  low?: number;
  high?: number;
  away?: number;
  values?: readonly number[];
  dtype?: "int32";
}

function draw(operand: Drawn): Tensor {
  if (operand.values) return reshape(tensor(Int32Array.from(operand.values)), operand.shape);
  const { low = -2, high = 2, away = 0 } = operand;
  const unit = rand(operand.shape, { dtype: "float64" }).data();
  const values = Float64Array.from(unit, (u) => {
    const x = low + u * (high - low);
    return Math.abs(x) < away ? (x < 0 ? x - away : x + away) : x;
  });
  return reshape(tensor(values), operand.shape);
}

// proven through what uses them: `to` in tests/ops/values, `alias` by every grad(grad(f))
const WITHOUT_SAMPLES = ["toFloat", "alias"];
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;

for (const [name, declaration] of ops) {
  if (typeof declaration.vjp !== "function" || WITHOUT_SAMPLES.includes(name)) continue;
  test(`${name}: both derivatives agree with finite differences`, () => {
    assert.ok(declaration.samples.length > 0, "no samples");
    for (const sample of declaration.samples) {
      const xs = declaration.inputs.map((input) => draw(sample.inputs[input] as Drawn));
      const params = (sample as { params?: unknown }).params;
      const f = (...args: Tensor[]): Tensor => run(declaration, Object.fromEntries(declaration.inputs.map((input, i) => [input, args[i]])), params);
      assert.ok(gradcheck(f, xs, { order: 2, rtol: 1e-6, atol: 1e-7 }));
    }
  });
}

test("an op with derivative zero gives a gradient of zeros", () => {
  const x = tensor([1, -2, 3], { requiresGrad: true });
  x.sign().mul(x).sum().backward();
  assert.equal(x.grad?.toArray(), [1, -1, 1]);
});

test("gradcheck names what is wrong with a derivative", () => {
  const wrong = op({
    name: "wrongSquare",
    inputs: ["x"],
    shape: (s: { x: { shape: readonly number[]; dtype: "float64" | "float32" | "int32" | "uint8" | "bool" } }) => s.x,
    kernel: (k, { x }, y) => k.square(y.ptr, x.ptr, y.size),
    saves: ["x"],
    vjp: (dy, { x }) => ({ x: () => mul(dy, x) }),
    samples: [],
  });
  assertThrows(() => gradcheck((x) => apply(wrong, { x }), [tensor([1, 2, 3], { dtype: "float64" })]), GradientError, /order 1, argument 0/);
});

test("gradcheck finds a wrong second derivative", () => {
  const half = op({
    name: "wrongSecond",
    inputs: ["x"],
    shape: (s: { x: { shape: readonly number[]; dtype: "float64" | "float32" | "int32" | "uint8" | "bool" } }) => s.x,
    kernel: (k, { x }, y) => k.square(y.ptr, x.ptr, y.size),
    saves: ["x"],
    vjp: (dy, { x }) => ({ x: () => mul(dy, mul(x.detach(), 2)) }),
    samples: [],
  });
  const x = tensor([1, 2, 3], { dtype: "float64" });
  assert.ok(gradcheck((v) => apply(half, { x: v }), [x]));
  assertThrows(() => gradcheck((v) => apply(half, { x: v }), [x], { order: 2 }), GradientError, /order 2/);
});

test("gradients of broadcast operands have the operands' shapes", () => {
  const a = tensor([[1], [2]], { requiresGrad: true });
  const b = tensor([1, 2, 3], { requiresGrad: true });
  sum(sub(mul(a, b), a)).backward();
  assert.equal(a.grad?.toArray(), [[3], [3]]);
  assert.equal(b.grad?.toArray(), [3, 3, 3]);
});

test.run();
