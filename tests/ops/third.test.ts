// grad of grad of grad of every op that has a derivative, against central differences of the second one.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, op, type SampleOperand, type Spec } from "../../bindings/op.js";
import { ConfigError, div, GradientError, gradcheck, mul, ops, square, type Tensor, tensor } from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 20250117;
const RANDOM_CASES = 6;
console.log(`seed ${SEED}`);

// toFloat changes to float32, alias is the beginning of every other op's variables
const WITHOUT_SAMPLES = ["toFloat", "alias"];
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;
type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };

for (const [name, declaration] of ops) {
  if (typeof declaration.vjp !== "function" || WITHOUT_SAMPLES.includes(name)) continue;
  test(`${name}: the third derivative, mixed ones too, agrees with finite differences on ${RANDOM_CASES} random shapes`, () => {
    const random = new Random(SEED);
    const samples = declaration.samples as readonly (AnySample | ((draw: Draw) => AnySample))[];
    const drawn = samples.filter((sample) => typeof sample === "function");
    const cases: AnySample[] = samples.filter((sample) => typeof sample !== "function");
    for (let i = 0; i < RANDOM_CASES; i++) cases.push(drawn[i % drawn.length](random));
    for (const [i, { inputs, params }] of cases.entries()) {
      scope(() => {
        const xs = declaration.inputs.map((input) => random.operand(inputs[input]));
        // of an op that is linear in each operand the third derivative is 0; squared, its rules are composed with others
        const f = (...args: Tensor[]): Tensor => square(run(declaration, Object.fromEntries(declaration.inputs.map((input, j) => [input, args[j]])), params));
        try {
          gradcheck(f, xs, { order: 3, rtol: 1e-5, atol: 1e-6 });
        } catch (error) {
          assert.unreachable(`case ${i}, ${JSON.stringify({ shapes: xs.map((x) => x.shape), params })}: ${String(error)}`);
        }
      });
    }
  });
}

test("gradcheck finds a third derivative that is wrong where the second is right", () => {
  const squareBy = (name: string, slope: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) => {
    const declared = op({
      name,
      inputs: ["x"],
      shape: (s: { x: Spec }) => s.x,
      kernel: (k, { x }, y) => k.square(y.ptr, x.ptr, y.size),
      saves: ["x"],
      vjp: (dy, { x }) => ({ x: () => mul(dy, slope(x)) }),
      samples: [],
    });
    return (x) => apply(declared, { x });
  };
  const wrongSecond = squareBy("secondLeftOut", (x) => mul(x.detach(), 2));
  // 2 x as 2 x^2 / x, by a square whose second derivative counts as 0: 4 / x enters the third derivative, which is 0
  const wrongThird = squareBy("thirdLeftOut", (x) => mul(div(wrongSecond(x), x), 2));
  const x = tensor([0.5, 1, 2], { dtype: "float64" });
  assert.ok(gradcheck(wrongThird, [x], { order: 2 }));
  assertThrows(() => gradcheck(wrongThird, [x], { order: 3 }), GradientError, /order 3, argument 0/);
  assert.ok(gradcheck((t) => t.square().mul(t.exp()), [x], { order: 5, rtol: 1e-5 }));
  for (const order of [0, 1.5, "3"]) assertThrows(() => gradcheck(square, [x], { order: order as number }), ConfigError, /whole order from 1/);
});

test.run();
