// Passes that join ops: fewer passes over memory, the same bits.
import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, ops, type SampleOperand } from "../../bindings/op.js";
import type { Graph } from "../../ts-src/graph/graph.js";
import { composed } from "../../ts-src/graph/passes/composed.js";
import { epilogues } from "../../ts-src/graph/passes/epilogues.js";
import { fusion } from "../../ts-src/graph/passes/fusion.js";
import { optimise } from "../../ts-src/graph/passes/optimise.js";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { compile, grad, rand, tensor, trace } = tapir;
type T = tapir.Tensor;
const SEED = 20251125;
console.log(`seed ${SEED}`);
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, T>, params: unknown) => T;

/** Names of the ops of a graph, in order. */
function names(graph: Graph): string[] {
  return graph.nodes.filter((node) => node.op !== undefined).map((node) => node.name);
}

function bits(t: T): string {
  return `${t.shape} ${createHash("sha256").update(new Uint8Array(t.data().buffer)).digest("hex")}`;
}

/** A compiled function gives what the function gives. */
function same(f: (...xs: T[]) => T | T[], xs: T[], what: string): void {
  const compiled = compile(f);
  const [expected, actual] = [f, compiled].map((g) => [g(...xs)].flat().map(bits));
  compiled.dispose();
  assert.equal(actual, expected, what);
}

// rows and columns with edges, few rows (made transposed), one row, one column, nothing to add up, several blocks of the inner axis
const sizes = [
  [31, 33, 35],
  [12, 40, 20],
  [1, 33, 36],
  [33, 1, 36],
  [1, 1, 5],
  [5, 7, 0],
  [8, 40, 600],
  [200, 9, 1100],
];

for (const dtype of ["float32", "float64"] as const) {
  test(`${dtype}: a product with bias and activation in one pass has the bits of the three`, () => {
    tapir.manualSeed(SEED);
    for (const [m, n, k] of sizes) {
      scope(() => {
        const [x, w, b] = [[m, k], [n, k], [n]].map((shape) => tapir.randn(shape, { dtype })); // biome-ignore format: short
        for (const f of [tapir.relu, tapir.tanh, tapir.sigmoid, tapir.gelu, tapir.silu]) {
          same((...xs) => f(tapir.linear(xs[0], xs[1], xs[2])), [x, w, b], `${f.name} of linear ${m} ${n} ${k}`);
          same((...xs) => f(tapir.matmul(xs[0], xs[1].transpose())), [x, w], `${f.name} of matmul ${m} ${n} ${k}`);
        }
        same((...xs) => tapir.gelu(tapir.linear(xs[0], xs[1], xs[2]), { approximate: "tanh" }), [x, w, b], `gelu by tanh ${m} ${n} ${k}`);
        for (const f of [tapir.relu, tapir.tanh, tapir.sigmoid]) {
          const loss = (...xs: T[]): T =>
            tapir
              .linear(f(tapir.linear(xs[0], xs[1], xs[2])), xs[1].transpose())
              .square()
              .sum();
          same((...xs) => [0, 1, 2].map((wrt) => grad(loss, { wrt })(...xs) as T), [x, w, b], `gradient of ${f.name} ${m} ${n} ${k}`);
        }
      });
    }
  });
}

test("linear begins its sums with the bias, whatever the layout of the product", () => {
  // sums of whole numbers are exact in any order
  for (const [m, n, k] of sizes) {
    const whole = (shape: number[], step: number): T =>
      tensor(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * step) % 17) - 8)).reshape(shape);
    const [x, w, b] = [whole([m, k], 7), whole([n, k], 5), whole([n], 3)];
    const expected = x.data().length === 0 ? x.matmul(w.transpose()).add(b) : tapir.einsum("ik,jk->ij", x, w).add(b);
    assert.equal(tapir.linear(x, w, b).toArray(), expected.toArray(), `${m} ${n} ${k}`);
  }
});

test("an activation joins the product before it, unless something else reads that", () => {
  const [x, w, b] = [rand([4, 8]), rand([5, 8]), rand([5])];
  const step = (t: T): T => tapir.linear(t, w, b).relu();
  assert.equal(names(trace(step, x)), ["linear", "relu"]);
  assert.equal(names(epilogues(trace(step, x))), ["linear+relu"]);
  const twice = (t: T): T[] => {
    const z = tapir.linear(t, w, b);
    return [z.gelu(), z.sum()];
  };
  assert.equal(names(epilogues(trace(twice, x))), ["linear", "gelu", "sum"]);
  const back = trace(
    grad((t: T) => tapir.matmul(tapir.linear(t, w, b).relu(), w).sum()),
    x,
  );
  assert.equal(
    names(epilogues(back)).filter((name) => name.includes("+")),
    ["linear+relu", "matmul+reluGrad"],
  );
});

test("two elementwise ops become one kernel where there is one and nothing reads what lies between", () => {
  const [a, b, c] = [1, 2, 3].map(() => rand([40]));
  const cases: [string, (...xs: T[]) => T][] = [
    ["mulAdd", (p, q, r) => p.mul(q).add(r)],
    ["mulAdd", (p, q, r) => r.add(p.mul(q))],
    ["mulAdd", (p) => p.mul(3).add(1)],
    ["mulAdd", (p, q) => q.mul(p).add(-2)],
    ["mulAdd", (p, _, r) => tapir.mul(0.1, p).add(r)],
    ["mulSub", (p, q, r) => p.mul(q).sub(r)],
    ["mulMul", (p, q, r) => p.mul(q).mul(r)],
    ["addMul", (p, q, r) => p.add(q).mul(r)],
    ["subMul", (p, q, r) => p.sub(q).mul(r)],
    ["addAdd", (p, q, r) => p.add(q).add(r)],
    ["addRelu", (p, q) => p.add(q).relu()],
    ["subSquare", (p, q) => p.sub(q).square()],
  ];
  for (const [name, f] of cases) {
    assert.equal(names(composed(trace(f, a, b, c))), [name]);
    same(f, [a, b, c], name);
    for (const n of [1, 2, 3, 5, 7, 8, 13]) {
      same(
        f,
        [a, b, c].map((t) => t.slice([0, n])),
        `${name} of ${n}`,
      );
    }
  }
  const others: ((...xs: T[]) => T | T[])[] = [
    (p, q, r) => r.sub(p.mul(q)), // no such kernel
    (p, q) => [p.mul(q), p.mul(q).add(1)], // the product is a result too
    (p, q) => p.mul(q.reshape([40, 1])).add(1), // rows are broadcast
  ];
  for (const f of others) {
    const graph = optimise(trace(f as (...xs: T[]) => T, a, b, c));
    assert.not.ok(names(graph).some((name) => /^(mul|add|sub)[A-Z]/.test(name)) && f !== others[2], graph.toString());
    same(f, [a, b, c], f.toString());
  }
});

test("a cross-entropy and its gradient are one pass over the logits, with the bits of the two", () => {
  tapir.manualSeed(SEED);
  const step =
    (options: tapir.CrossEntropyOptions, scale = 1, weights?: number[]) =>
    (x: T, target: T): T[] => {
      const logits = x.mul(2);
      const weight = weights && tensor(weights, { dtype: x.dtype });
      const [loss, dx] = tapir.valueAndGrad((t: T) => tapir.crossEntropy(t, target, { ...options, weight }).mul(scale))(logits);
      return [loss as T, dx as T];
    };
  for (const dtype of ["float32", "float64"] as const) {
    for (const [rows, cols] of [
      [1, 1],
      [16, 3],
      [5, 10],
      [32, 17],
      [3, 67],
    ]) {
      // biome-ignore format: short
      const x = tapir.randn([rows, cols], { dtype });
      const weights = Array.from({ length: cols }, (_, i) => 0.25 + (i % 3));
      const target = tensor(Int32Array.from({ length: rows }, (_, i) => (7 * i) % cols));
      for (const options of [{}, { reduction: "sum" }, { labelSmoothing: 0.1 }, { ignoreIndex: cols > 1 ? 0 : -100, labelSmoothing: 0.3 }] as const) {
        for (const w of [undefined, weights]) same(step(options, 1, w) as never, [x, target], `${dtype} ${rows} x ${cols} ${Object.keys(options)} ${w}`);
      }
    }
  }
  const [x, target] = [tapir.randn([4, 3]), tensor(Int32Array.of(0, 2, 1, 0))];
  const graph = trace(step({}) as (a: T, b: T) => T[], x, target);
  assert.equal(names(graph).filter((name) => name.startsWith("crossEntropy")), ["crossEntropy", "crossEntropyGrad"]); // biome-ignore format: short
  assert.equal(names(optimise(graph)).filter((name) => name.startsWith("crossEntropy")), ["crossEntropyWithGrad"]); // biome-ignore format: short
  const none = trace(step({}, 2) as (a: T, b: T) => T[], x, target);
  same(step({}, 2) as never, [x, target], "a gradient that comes from a multiple of the loss");
  assert.ok(names(optimise(none)).some((name) => name.startsWith("crossEntropy")));
  const call = compile(step({}) as (a: T, b: T) => T[]);
  call(x, target);
  assertThrows(() => call(x, tensor(Int32Array.of(0, 3, 1, 0))), tapir.NumericError, /^crossEntropy: expected targets from 0 to 2.*got 3 at row 1/);
  call.dispose();
});

const LARGE = 2 ** 20 + 37;

test("a chain on large tensors runs piece by piece with the same bits, and holds less memory", () => {
  tapir.manualSeed(SEED);
  const [x, a] = [rand([LARGE]), rand([LARGE])];
  const f = (t: T, u: T): T => t.mul(u).tanh().add(t).sigmoid().mul(2).neg();
  assert.equal(names(fusion(trace(f, x, a))), ["fused"]);
  assert.is(fusion(trace(f, x, a)).stats().fusedGroups, 1);
  same(f as never, [x, a], "chain");
  assert.is(bits(fusion(trace(f, x, a)).run(x, a) as T), bits(f(x, a)), "op by op");
  const compiled = compile(f);
  compiled(x, a);
  assert.ok(compiled.stats().planBytes < 65536, `${compiled.stats().planBytes} bytes`);
  compiled.dispose();
  const small = rand([1000]);
  assert.equal(names(fusion(trace(f, small, small))).length, 6, "small tensors stay in the cache anyway");
});

test("pieces are cut along the first axis where an operand is broadcast", () => {
  const [x, row, column] = [rand([1031, 1100]), rand([1100]), rand([1031, 1])];
  const f = (...xs: T[]): T => xs[0].mul(xs[1]).add(xs[2]).exp().mul(xs[0]);
  assert.equal(names(fusion(trace(f, x, row, column))), ["fused"]);
  same(f, [x, row, column], "rows and columns");
  same((t) => t.transpose().exp().mul(2).neg(), [x], "a transposed operand");
});

test("what is read twice, is a result, or precedes a change of memory is not drawn into a group", () => {
  const x = rand([LARGE]);
  const shared = (t: T): T => {
    const e = t.exp();
    return e.mul(e.neg());
  };
  assert.equal(names(fusion(trace(shared, x))), ["exp", "fused"]);
  same(shared, [x], "shared");
  const results = (t: T): T[] => {
    const e = t.exp();
    return [e, e.neg()];
  };
  assert.equal(names(fusion(trace(results, x))), ["exp", "neg"]);
  const w = rand([LARGE]);
  w.requiresGrad = true;
  const optimizer = new tapir.optim.SGD([w], { lr: 0.5 });
  const before = w.clone();
  const step = compile((t: T) => {
    const old = w.mul(t); // of the weights as they were
    w.mul(t).sum().backward();
    optimizer.step();
    return old.neg();
  });
  const result = step(x);
  assert.is(bits(result), bits(before.mul(x).neg()));
  step.dispose();
});

test("an elementwise op takes the memory of an operand that it reads last", () => {
  const x = rand([4096]);
  const f = (t: T): T => t.exp().neg().mul(t).tanh().square();
  same(f as never, [x], "in place");
  const chain = compile(f);
  chain(x);
  assert.is(chain.stats().planBytes, 0, "all lies where the result will");
  chain.dispose();
});

type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };
for (const [name, declaration] of ops) {
  if (declaration.split !== "elements" || declaration.samples.length === 0) continue;
  test(`${name}: an element has the same bits wherever it lies, and where it takes the memory of its operand`, () => {
    const random = new Random(SEED);
    for (let i = 0; i < 8; i++) {
      const sample = declaration.samples[i % declaration.samples.length] as AnySample | ((draw: Draw) => AnySample);
      scope(() => {
        const { inputs, params } = typeof sample === "function" ? sample(random) : sample;
        const xs = declaration.inputs.map((input) => random.operand(inputs[input]));
        const f = (operands: T[]): T => run(declaration, Object.fromEntries(declaration.inputs.map((input, j) => [input, operands[j]])), params);
        const whole = f(xs);
        if (whole.ndim === 0 || whole.shape[0] === 0) return;
        const at = random.integer(0, whole.shape[0] - 1);
        const cut = (t: T): T => (t.ndim === whole.ndim && t.shape[0] > 1 ? t.slice([at, at + 1]).clone() : t);
        assert.is(bits(f(xs.map(cut))), bits(whole.slice([at, at + 1]).clone()), `slice ${at} of ${whole.shape}`);
        // each operand in turn is made within the function, so that the result may lie where it lay
        for (const j of xs.keys()) {
          if (xs[j].dtype !== "float64") continue;
          const g = (...ts: T[]): T => f(ts.map((t, k) => (k === j ? t.mul(0.5) : t)));
          same(g, xs, `in the place of ${declaration.inputs[j]}`);
        }
      });
    }
  });
}

test.run();
