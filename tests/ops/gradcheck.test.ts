// Every declared derivative against finite differences, to second order: on the op's own samples, then on random ones of
// many shapes and memory layouts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, op, type SampleOperand } from "../../bindings/op.js";
import { GradientError, gradcheck, mul, ops, sub, sum, type Tensor, tensor } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 20240607;
const RANDOM_CASES = 50;
console.log(`seed ${SEED}`);

// proven through what uses them: `to` in tests/ops/values, `alias` by every grad(grad(f))
const WITHOUT_SAMPLES = ["toFloat", "alias"];
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;
type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };

for (const [name, declaration] of ops) {
  if (typeof declaration.vjp !== "function" || WITHOUT_SAMPLES.includes(name)) continue;
  test(`${name}: both derivatives agree with finite differences on ${RANDOM_CASES} random shapes`, () => {
    const random = new Random(SEED);
    const samples = declaration.samples as readonly (AnySample | ((draw: Draw) => AnySample))[];
    const drawn = samples.filter((sample) => typeof sample === "function");
    assert.ok(drawn.length > 0, "no sample is drawn at random");
    const cases: AnySample[] = samples.filter((sample) => typeof sample !== "function");
    const fixed = cases.length;
    for (let i = 0; i < RANDOM_CASES; i++) cases.push(drawn[i % drawn.length](random));
    for (const [i, { inputs, params }] of cases.entries()) {
      scope(() => {
        const xs = declaration.inputs.map((input) => random.operand(inputs[input]));
        const layouts = xs.map((x) => (i < fixed ? (t: Tensor) => t : random.layout(x)));
        const f = (...args: Tensor[]): Tensor =>
          run(declaration, Object.fromEntries(declaration.inputs.map((input, j) => [input, layouts[j](args[j])])), params);
        try {
          gradcheck(f, xs, { order: 2, rtol: 1e-6, atol: 1e-7 });
        } catch (error) {
          assert.unreachable(`case ${i}, ${JSON.stringify({ shapes: xs.map((x) => x.shape), params })}: ${String(error)}`);
        }
      });
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
