// A compiled function gives the bits of the eager one, from one call into WebAssembly, without allocating.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, ops, type SampleOperand } from "../../bindings/op.js";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { compile, configure, gradient, grad, tensor, trace } = tapir;
type T = tapir.Tensor;
const SEED = 20240607;
console.log(`seed ${SEED}`);
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, T>, params: unknown) => T;

configure({ deterministic: true });

/** Whether the rule has a derivative for that argument, or says "none". */
function hasDerivative(f: (...xs: T[]) => T, xs: T[], wrt: number): boolean {
  try {
    grad(f, { wrt })(...xs);
    return true;
  } catch (error) {
    if (error instanceof tapir.GradientError && /has no derivative with respect to/.test(error.message)) return false;
    throw error;
  }
}

type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };
for (const [name, declaration] of ops) {
  // dropout draws new numbers at each run: tests/graph/step.test.ts
  if (declaration.samples.length === 0 || name === "dropout") continue;
  test(`${name}: compiled, traced and eager agree bit for bit, value and gradients`, () => {
    const random = new Random(SEED);
    const samples = declaration.samples as readonly (AnySample | ((draw: Draw) => AnySample))[];
    for (let i = 0; i < 6; i++) {
      scope(() => {
        const sample = samples[i % samples.length];
        const { inputs, params } = typeof sample === "function" ? sample(random) : sample;
        const xs = declaration.inputs.map((input) => random.operand(inputs[input]));
        const f = (...args: T[]): T => run(declaration, Object.fromEntries(declaration.inputs.map((input, j) => [input, args[j]])), params);
        // a view of an argument has no elements of its own
        const value = declaration.view ? (...args: T[]): T => f(...args).add(0) : f;
        const same = (g: (...args: T[]) => T | T[]): void => {
          const expected = tapir.noGrad(() => [g(...xs)].flat());
          const compiled = compile(g);
          for (const how of [compile(trace(g, ...xs)), compiled, compiled]) {
            const actual = [how(...xs)].flat() as T[];
            for (const [k, t] of actual.entries()) {
              assert.equal(t.shape, expected[k].shape);
              assert.ok(Buffer.from(t.data().buffer).equals(Buffer.from(expected[k].data().buffer)), `bits differ: ${t} instead of ${expected[k]}`);
            }
          }
          compiled.dispose();
        };
        if (xs[0].dtype !== "bool") same(value);
        if (typeof declaration.vjp !== "function") return;
        const floats = xs.map((x, j) => [x, j] as const).filter(([x]) => x.dtype === "float64");
        const loss = (...args: T[]): T =>
          f(...args)
            .mul(0.5)
            .sum();
        const known = floats.filter(([, j]) => hasDerivative(loss, xs, j));
        if (known.length > 0) same((...args) => known.map(([, j]) => grad(loss, { wrt: j })(...args) as T));
      });
    }
  });
}

test("the result of a trace is a graph that can be run, differentiated and compiled", () => {
  const f = (x: T, w: T): T => x.matmul(w).relu().square().sum();
  const x = tensor([[1, -2, 3]]);
  const w = tensor([[1, 2], [3, -4], [5, 6]]); // biome-ignore format: a matrix
  const graph = trace(f, x, w);
  assert.is((graph.run(x, w) as T).item(), f(x, w).item());
  const dw = gradient(graph, { wrt: 1 });
  const expected = grad(f, { wrt: 1 })(x, w) as T;
  assert.equal((dw.run(x, w) as T).toArray(), expected.toArray());
  assert.equal((compile(dw)(x, w) as T).toArray(), expected.toArray());
  const both = gradient(graph, { wrt: [0, 1] }).run(x, w) as [T, T];
  assert.equal(both[1].toArray(), expected.toArray());
});

test("derivatives of derivatives are graphs again", () => {
  const x = tensor([1, 2, 3], { dtype: "float64" });
  let graph = trace((t: T) => t.mul(t).mul(t).mul(t).sum(), x);
  for (const expected of [
    [4, 32, 108],
    [12, 48, 108],
    [24, 48, 72],
  ]) {
    const derivative = gradient(graph);
    assert.equal((derivative.run(x) as T).toArray(), expected);
    graph = trace((t: T) => (derivative.run(t) as T).sum(), x);
  }
});

test("weights that a compiled function reaches are read anew at each call", () => {
  const w = tensor([2, 3]);
  const f = compile((x: T) => x.mul(w));
  assert.equal(f(tensor([1, 1])).toArray(), [2, 3]);
  w.add_(1);
  assert.equal(f(tensor([1, 1])).toArray(), [3, 4]);
});

test("other shapes are traced anew, the same ones are not", () => {
  const f = compile((x: T, { scale }: { scale: number }) => x.mul(scale).sum());
  const call = (n: number, scale: number): number => f(tapir.ones([n]), { scale } as unknown as { scale: number } & T).item();
  assert.equal([call(2, 3), call(3, 3), call(2, 3), call(2, 4)], [6, 9, 6, 8]);
  assert.is(f.stats().traces, 3);
});

test("a function that is traced again and again warns once and says what to do", () => {
  const warned: string[] = [];
  const warn = console.warn;
  console.warn = (line: string) => void warned.push(line);
  try {
    const f = compile((x: T) => x.sum());
    for (let n = 1; n <= 20; n++) f(tapir.ones([n]));
    assert.is(f.stats().traces, 20);
    f.dispose();
  } finally {
    console.warn = warn;
  }
  assert.is(warned.length, 1);
  assert.match(warned[0], /^compile: a function was traced 16 times.*pad its arguments/);
});

test("a compiled call allocates no memory, and results live until the second call after", () => {
  const f = compile((x: T, w: T) => x.matmul(w).tanh().sum());
  const [x, w] = [tapir.ones([8, 16]), tapir.ones([16, 4])];
  for (let i = 0; i < 10; i++) f(x, w);
  const before = tapir.memory.stats();
  const first = f(x, w);
  for (let i = 0; i < 100; i++) f(x, w);
  assert.is(tapir.memory.stats().tensors, before.tensors);
  assert.is(tapir.memory.stats().wasmBytes, before.wasmBytes);
  assertThrows(() => first.item(), tapir.DisposedError, /keep\(loss\)/);
});

test("what cannot be traced is a typed error with the user's line", () => {
  const x = tensor([1, 2]);
  assertThrows(() => trace((t: T) => (t.sum().item() > 0 ? t : t.neg()), x), tapir.ConfigError, /^trace: .*compile\.test\.ts:\d+/);
  assertThrows(() => trace((t: T) => t.add_(1), x), tapir.ConfigError, /trace: .*changes the elements/);
  assertThrows(() => trace((t: T) => t.add(tapir.randn([2])), x), tapir.ConfigError, /draws no random tensors/);
  assertThrows(() => trace(() => 5 as unknown as T, x), tapir.ConfigError, /returns a tensor/);
  const first = (...ts: T[]): T => ts[0].sum();
  assertThrows(() => gradient(trace((t: T) => t.mul(2), x)), tapir.GradientError, /one float element; got \w+ float32 \[2\]/);
  assertThrows(
    () =>
      gradient(
        trace((t: T) => t.sum(), x),
        { wrt: 3 },
      ),
    tapir.GradientError,
    /wrt from 0 to 0; got 3/,
  );
  assertThrows(() => gradient(trace(first, x, x), { wrt: 1, unused: "error" }), tapir.GradientError, /argument 1/);
  assert.equal((gradient(trace(first, x, x), { wrt: 1 }).run(x, x) as T).toArray(), [0, 0]);
  assertThrows(() => trace((t: T) => t.sum(), x).run(tensor([1])), tapir.ShapeError, /shape \[2\]; got \[1\]/);
  const f = compile((logits: T, labels: T) => tapir.crossEntropy(logits, labels));
  assert.ok(f(tapir.zeros([1, 3]), tensor([1], { dtype: "int32" })).item() > 1);
  assertThrows(() => f(tapir.zeros([1, 3]), tensor([7], { dtype: "int32" })), tapir.NumericError, /got 7 at row 0/);
});

test("a chain of 100,000 ops traces, differentiates and runs", () => {
  const x = tensor([1, 2], { dtype: "float64" });
  const f = (t: T): T => {
    let y = t;
    for (let i = 0; i < 100_000; i++) y = y.mul(1);
    return y.sum();
  };
  const graph = trace(f, x);
  assert.is((graph.run(x) as T).item(), 3);
  assert.equal((compile(gradient(graph))(x) as T).toArray(), [1, 1]);
});

test.run();
