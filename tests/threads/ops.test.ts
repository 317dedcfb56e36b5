// Every op that divides gives the same bits on any number of threads, in any shape: parts of one element, more threads than rows.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { divideAlways } from "../../bindings/cost.js";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, ops, type SampleOperand } from "../../bindings/op.js";
import * as tapir from "../../ts-src/index.js";
import { Random } from "../draw.js";
import { awaitTeam } from "./team.js";

const { compile, configure, grad } = tapir;
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
      // dropout draws new numbers at each run: below
      if (declaration.split === undefined || name === "dropout") continue;
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
    // sizes at which parts are whole panels, blocks, chunks and output channels, and an edge is left
    const random32 = (...shape: number[]): T => random.operand({ shape }).to("float32");
    const random64 = (...shape: number[]): T => random.operand({ shape });
    const [a, b] = [random32(50, 37), random32(37, 150)];
    const larger: { name: string; f: (...xs: T[]) => T; xs: T[] }[] = [
      { name: "matmul", f: (p, q) => p.matmul(q), xs: [a, b] },
      { name: "matmul of a column of many", f: (p, q) => p.matmul(q), xs: [random32(90, 37), random32(37, 1)] },
      { name: "matmul, transposed", f: (p, q) => p.transpose(0, 1).matmul(q), xs: [random32(37, 140), b] },
      { name: "matmul, both transposed", f: (p, q) => p.transpose(0, 1).matmul(q.transpose(0, 1)), xs: [random32(37, 60), random32(150, 37)] },
      { name: "linear and gelu", f: (p, q, r) => tapir.gelu(tapir.linear(p, q, r)), xs: [random32(50, 37), random32(150, 37), random32(150)] },
      { name: "linear and relu, rows", f: (p, q, r) => tapir.linear(p, q, r).relu(), xs: [random32(90, 37), random32(9, 37), random32(9)] },
      { name: "relu's gradient in a product", f: (p, q, r) => grad((t: T) => p.matmul(t.relu()).mul(r).sum())(q) as T, xs: [a, b, random32(50, 150)] },
      { name: "float64 products of copies, then each element", f: (p, q) => tapir.flip(p, { axis: [1] }).matmul(q).abs().exp(), xs: [random64(50, 37), random64(37, 60)] },
      { name: "float64 attention of views", f: (p) => tapir.scaledDotProductAttention(p.permute(0, 2, 1), tapir.flip(p, { axis: [0] }).permute(0, 2, 1), p.permute(0, 2, 1)).sin(), xs: [random64(6, 8, 9)] },
      { name: "sums of columns that no cache line ends at", f: (p) => p.sum({ axis: 0 }), xs: [random32(300, 53)] },
      { name: "mean of chunks", f: (p) => p.mean(), xs: [random32(9000)] },
      { name: "norm of chunks", f: (p) => p.norm(), xs: [random32(70, 100)] },
      { name: "dropout", f: (p) => tapir.dropout(p, { p: 0.3 }), xs: [random32(70, 10)] },
      { name: "batch norm in training, samples of one element a channel", f: (p, q) => tapir.batchNorm(p, null, null, q, q, { training: true }), xs: [random32(40, 50), random32(50)] },
      { name: "gradients of batch norm", f: (p, q) => tapir.add(...(grad((t: T, w: T) => tapir.batchNorm(t, null, null, w, w, { training: true }).sin().sum(), { wrt: [0, 1] }) as unknown as (...xs: T[]) => [T, T])(p, q)), xs: [random32(3, 50, 50), random32(50)] },
      { name: "gradient of a convolution's weights", f: (p, q) => grad((t: T) => tapir.conv2d(p, t, null).square().sum())(q) as T, xs: [random32(3, 5, 9, 9), random32(18, 5, 3, 3)] },
    ]; // biome-ignore format: a table
    for (const { name, f, xs } of larger) {
      tapir.manualSeed(SEED);
      cases.push({ name, f, xs, expected: scope(() => bytes(f(...xs))) });
    }
    for (const threads of [2, 3, 8]) {
      configure({ threads });
      divideAlways(true);
      awaitTeam();
      let divided = 0;
      for (const { name, f, xs, expected } of cases) {
        const compiled = compile(f);
        for (let k = 0; k < 3; k++) {
          tapir.manualSeed(SEED);
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

test("random tensors, batch norm with running statistics and a recurrent layer, of any number of threads", () => {
  const make = (): Buffer[] => {
    tapir.manualSeed(SEED);
    return scope(() => {
      const drawn = [
        tapir.rand([71, 13]),
        tapir.randn([2000]),
        tapir.randn([999], { dtype: "float64" }),
        tapir.randint(-9, 1000, [515]),
        tapir.randint(0, 9, [65], { dtype: "uint8" }),
        tapir.bernoulli(0.3, [400]),
        tapir.permutation(300),
      ];
      const [mean, variance] = [tapir.zeros([9]), tapir.ones([9])];
      const step = tapir.compile((x: T) => tapir.batchNorm(x, mean, variance, null, null, { training: true }));
      const x = tapir.randn([6, 9, 20]);
      const eager = tapir.batchNorm(x, mean, variance, null, null, { training: true });
      const lstm = new tapir.layers.LSTM(6, 9);
      lstm
        .forward(tapir.randn([4, 20, 6]))[0]
        .square()
        .sum()
        .backward();
      const slopes = lstm.parameters().map((p) => bytes(p.grad as T));
      const later = [0, 1, 2].map(() => bytes(step(x)));
      step.dispose();
      return [...[...drawn, eager, mean, variance].map(bytes), ...later, ...slopes];
    });
  };
  configure({ deterministic: true, threads: 1 });
  const expected = make();
  for (const threads of [2, 3, 8]) {
    configure({ threads });
    divideAlways(true);
    awaitTeam();
    for (const [i, found] of make().entries()) assert.ok(found.equals(expected[i]), `tensor ${i}, ${threads} threads: bits differ`);
    divideAlways(false);
  }
});

test.run();
