// A saved operand that was changed in place is an error that names op, shape and both versions, whatever op saved it and
// whatever function changed it.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type SampleOperand } from "../../bindings/op.js";
import { GradientError, noGrad, ops, type Tensor, tensor, VersionError } from "../../ts-src/index.js";
import * as inplace from "../../ts-src/ops/inplace.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 20240607;
console.log(`seed ${SEED}`);
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;
const changes: Record<string, (x: Tensor) => unknown> = Object.fromEntries(
  Object.entries(inplace).map(([name, change]) => {
    if (name === "copy_") return [name, (x: Tensor) => inplace.copy_(x, x.clone())];
    return [name, (x: Tensor) => (change as (x: Tensor, b?: number, c?: number) => unknown)(x, 1, 2)];
  }),
);

for (const [name, declaration] of ops) {
  if (typeof declaration.vjp !== "function" || declaration.saves.length === 0) continue;
  test(`${name}: a change of what it saved is a VersionError`, () => {
    const random = new Random(SEED);
    type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };
    const samples = declaration.samples as readonly (AnySample | ((draw: Random) => AnySample))[];
    const drawn = (): AnySample => {
      const sample = random.pick(samples);
      return typeof sample === "function" ? sample(random) : sample;
    };
    for (const [changed, change] of Object.entries(changes)) {
      for (const saved of declaration.saves) {
        let checked = false;
        for (let attempt = 0; attempt < 200 && !checked; attempt++) {
          scope(() => {
            const { inputs, params } = drawn();
            const xs = Object.fromEntries(declaration.inputs.map((input) => [input, random.operand(inputs[input])]));
            for (const x of Object.values(xs)) if (x.dtype === "float64") x.requiresGrad = true;
            const y = run(declaration, xs, params);
            const target = xs[saved] ?? y;
            // elements must exist, and be of a dtype that every in-place function takes
            if (y.size === 0 || target.size === 0 || target.dtype !== "float64" || !target.contiguous || !y.requiresGrad) return;
            noGrad(() => change(target));
            // not every rule reads all that is saved for every operand: all are asked for here
            assertThrows(
              () => y.sum().backward(),
              VersionError,
              new RegExp(`${name} needs its ${saved}, float64 \\[[\\d,]*\\].*at version \\d+, but it was changed in place since and is at version \\d+`),
            );
            checked = true;
          });
        }
        const only = samples.length > 0 && !checked;
        assert.not.ok(only && isFloat(declaration, saved, random), `${changed} of ${saved} was never tried`);
      }
    }
  });
}

/** Whether a saved operand is a float in the op's samples. */
function isFloat(declaration: AnyOp, saved: string, random: Random): boolean {
  if (!declaration.inputs.includes(saved)) return true;
  const sample = declaration.samples[0] as unknown as { inputs: Record<string, SampleOperand> } | ((draw: Random) => { inputs: Record<string, SampleOperand> });
  const operand = (typeof sample === "function" ? sample(random) : sample).inputs[saved];
  return !("values" in operand) || operand.dtype === "float64";
}

test("a second backward without retainGraph says how to keep the graph", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const y = x.square().sum();
  y.backward();
  assertThrows(() => y.backward(), GradientError, /retainGraph: true/);
});

test("a change in place of a leaf that requires a gradient says how to do it", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  assertThrows(() => x.add_(1), GradientError, /noGrad/);
});

test.run();
