// Every op that divides gives the same bits on any number of threads, in any shape: parts of one element, more threads than rows.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { divideAlways } from "../../bindings/cost.js";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, ops, type SampleOperand } from "../../bindings/op.js";
import * as tapir from "../../ts-src/index.js";
import { Random } from "../draw.js";
import { awaitTeam } from "./team.js";

const { compile, configure } = tapir;
type T = tapir.Tensor;
const SEED = 20261125;
console.log(`seed ${SEED}`);
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, T>, params: unknown) => T;
type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };

const bytes = (t: T): Buffer => Buffer.from(t.data().buffer);

for (const deterministic of [true, false]) {
  test(`every op that divides, ${deterministic ? "strict" : "as fast as it goes"}`, () => {
    const random = new Random(SEED, 12);
    configure({ deterministic, threads: 1 });
    const cases: { name: string; f: (...xs: T[]) => T; xs: T[]; expected: Buffer }[] = [];
    for (const [name, declaration] of ops) {
      if (declaration.split === undefined) continue;
      const samples = declaration.samples as readonly (AnySample | ((draw: Draw) => AnySample))[];
      for (let i = 0; i < 6 && samples.length > 0; i++) {
        const sample = samples[i % samples.length];
        const { inputs, params } = typeof sample === "function" ? sample(random) : sample;
        const wide = declaration.inputs.map((input) => random.operand(inputs[input]));
        const xs = i % 2 === 0 ? wide : wide.map((x) => (x.dtype === "float64" ? x.to("float32") : x));
        const f = (...args: T[]): T => run(declaration, Object.fromEntries(declaration.inputs.map((input, j) => [input, args[j]])), params);
        cases.push({ name, f, xs, expected: scope(() => bytes(f(...xs))) });
      }
    }
    for (const threads of [2, 3, 8]) {
      configure({ threads });
      divideAlways(true);
      awaitTeam();
      let divided = 0;
      for (const { name, f, xs, expected } of cases) {
        const compiled = compile(f);
        for (let k = 0; k < 3; k++) {
          const y = compiled(...xs);
          assert.ok(bytes(y).equals(expected), `${name}, ${threads} threads: bits differ in ${y.describe()} of ${xs.map((x) => x.describe()).join(", ")}`);
        }
        if (compiled.stats().instructions > 1) divided++;
        compiled.dispose();
      }
      divideAlways(false);
      assert.ok(divided > 100, `only ${divided} samples were divided`);
    }
  });
}

test.run();
