// The batching rule of every op against the op on one example after the other, on its samples and with each choice of operands
// that are batched.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, type SampleOperand } from "../../bindings/op.js";
import { GradientError, grad, mul, ops, slice, stack, type Tensor, tensor, vmap } from "../../ts-src/index.js";
import { assertClose } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 20250115;
const RANDOM_CASES = 12;
const EXAMPLES = 3;
console.log(`seed ${SEED}`);

type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, Tensor>, params: unknown) => Tensor;

/** Their answers depend in size on the elements, so a function that calls them reads elements and cannot be mapped. */
const WITHOUT_RULE = ["groupNumbers", "groupFirsts", "nonzero"];

/** Its weights being batched, a product of matrices and a sum take the place of its one kernel; all other ops give the same bits. */
const CLOSE = new Set(["linear"]);

const many = (draw: Draw, shape: readonly number[], low: number, high: number, dtype: "int32" | "bool" | "uint8" = "int32"): SampleOperand => ({
  values: Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => draw.integer(low, high)),
  shape,
  dtype,
});
const floats = (draw: Draw): AnySample => ({ inputs: { x: { shape: draw.shape() } } });
const pairs = (draw: Draw): AnySample => {
  const [a, b] = draw.broadcast();
  return { inputs: { a: many(draw, a, -2, 2), b: many(draw, b, -2, 2) } };
};
const truths = (draw: Draw): AnySample => {
  const [a, b] = draw.broadcast();
  return { inputs: { a: many(draw, a, 0, 1, "bool"), b: many(draw, b, 0, 1, "bool") } };
};
const searched = (draw: Draw): AnySample => {
  const shape = draw.shape(1).map((n) => Math.max(1, n));
  const axes = draw.pick([[draw.integer(0, shape.length - 1)], shape.map((_, i) => i)]);
  return { inputs: { x: many(draw, shape, -2, 2) }, params: { axes, keepdims: draw.pick([true, false]) } };
};
const someRows = (draw: Draw, x: (shape: readonly number[]) => SampleOperand, params?: unknown): AnySample => {
  const shape = draw.shape(1, 3).map((n) => Math.max(1, n));
  return { inputs: { x: x(shape), index: many(draw, [draw.integer(1, 4)], 0, shape[0] - 1) }, ...(params === undefined ? {} : { params }) };
};

/** Operands of the ops that declare no samples, as they have no derivative to prove. */
const OTHER: Record<string, (draw: Draw) => AnySample> = {
  ...Object.fromEntries(["eq", "ne", "lt", "le", "gt", "ge"].map((name) => [name, pairs])),
  ...Object.fromEntries(["floor", "ceil", "round", "trunc", "isfinite", "alias"].map((name) => [name, floats])),
  logicalAnd: truths,
  logicalOr: truths,
  argmax: searched,
  argmin: searched,
  to: (draw) => ({ ...floats(draw), params: { dtype: "int32" } }),
  toFloat: (draw) => ({ ...floats(draw), params: { dtype: "float32" } }),
  takeRows: (draw) => someRows(draw, (shape) => ({ shape })),
  takeRowsScaled: (draw) => someRows(draw, (shape) => many(draw, shape, 0, 255, "uint8"), { scale: 0.5, shift: -1 }),
  cumsumInt32(draw) {
    const shape = draw.shape(1);
    return { inputs: { x: many(draw, shape, -3, 3) }, params: { axis: draw.integer(0, shape.length - 1) } };
  },
  argsort(draw) {
    const shape = draw.shape(draw.integer(0, 1)).map((n) => Math.max(1, n));
    return { inputs: { x: many(draw, shape, -3, 3) }, params: { descending: draw.pick([true, false]), count: shape.at(-1) ?? 1 } };
  },
  oneHot(draw) {
    const depth = draw.integer(1, 4);
    const n = draw.integer(0, 4);
    return { inputs: { index: many(draw, [n, 1], 0, depth - 1) }, params: { fn: "oneHot", axis: 1, from: [n], depth, dtype: "float32" } };
  },
  maxPoolIndices: (draw) => ops.get("maxPool")?.samples.flatMap((sample) => (typeof sample === "function" ? [sample(draw) as AnySample] : []))[0] as AnySample,
  instanceStats: (draw) => ({ inputs: { x: { shape: [draw.integer(1, 3), draw.integer(1, 3), draw.integer(2, 4)] } } }),
  crossEntropyScale(draw) {
    const cols = draw.integer(1, 4);
    const params = { ignore: draw.pick([-100, 0]), smoothing: draw.pick([0, 0.1]), reduction: draw.pick(["none", "sum", "mean"]), cols, dtype: "float64" };
    return { inputs: { target: many(draw, [draw.integer(1, 4)], params.ignore === 0 && cols > 1 ? 1 : 0, cols - 1) }, params };
  },
  groupSizes(draw) {
    const count = draw.integer(1, 4);
    return { inputs: { x: many(draw, [draw.integer(1, 6)], 0, count - 1) }, params: { count } };
  },
  zeroOneLoss(draw) {
    const [n, classes] = [draw.integer(1, 4), draw.integer(1, 4)];
    return { inputs: { x: { shape: [n, classes] }, target: many(draw, [n], 0, classes - 1) } };
  },
};

/** Whether the rule has a gradient for that operand, or says "none". */
function differentiable(wrt: number, given: readonly Tensor[], f: (...xs: Tensor[]) => Tensor, dims: readonly (number | null)[]): boolean {
  try {
    grad((...xs: Tensor[]) => f(...xs).sum(), { wrt })(...given.map((x, j) => (dims[j] === 0 ? slice(x, 0) : x)));
    return true;
  } catch (error) {
    if (error instanceof GradientError && /has no derivative/.test(error.message)) return false;
    throw error;
  }
}

test("every op has a batching rule, but those whose answers depend in size on the elements", () => {
  const without = [...ops.values()].filter((declaration) => declaration.batch === undefined).map(({ name }) => name);
  assert.equal(without, WITHOUT_RULE);
});

for (const [name, declaration] of ops) {
  if (WITHOUT_RULE.includes(name)) continue;
  test(`${name}: of a batch, or a batch of batches, is a stack of those of its examples, gradients too, ${CLOSE.has(name) ? "within 1e-12" : "values bit for bit"}`, () => {
    const random = new Random(SEED);
    const declared = declaration.samples as readonly (AnySample | ((draw: Draw) => AnySample))[];
    const samples = declared.length > 0 ? declared : [OTHER[name]];
    for (let i = 0; i < Math.max(RANDOM_CASES, samples.length); i++) {
      const sample = samples[i % samples.length];
      const drawn = typeof sample === "function" ? sample(random) : sample;
      const names = declaration.inputs;
      // each choice of operands that are batched in turn, but none
      const choice = 1 + (i % (2 ** names.length - 1));
      const dims = names.map((_, j) => ((choice >> j) & 1 ? 0 : null));
      scope(() => {
        const shifted = (of: SampleOperand): SampleOperand => ("values" in of ? { ...of, values: random.pick([of.values, [...of.values].reverse()]) } : of);
        // elements that the parameters or other operands depend on stay as they are
        const fixed = ["firstSame", "embeddingScale", "embeddingPadding"].includes(name);
        const examples = names.map((input) =>
          Array.from({ length: EXAMPLES }, () => random.operand(fixed ? drawn.inputs[input] : shifted(drawn.inputs[input]))),
        );
        const layouts = examples.map(([x]) => random.layout(x));
        const given = examples.map((xs, j) => (dims[j] === 0 ? stack(xs.map((x) => layouts[j](x))) : layouts[j](xs[0])));
        const f = (...xs: Tensor[]): Tensor => run(declaration, Object.fromEntries(names.map((input, j) => [input, xs[j]])), drawn.params);
        const expected = Array.from({ length: EXAMPLES }, (_, e) => f(...given.map((x, j) => (dims[j] === 0 ? slice(x, e) : x))));
        const where = `case ${i}, ${JSON.stringify({ shapes: examples.map(([x]) => x.shape), dims, params: drawn.params })}`;
        const same = (got: Tensor, want: Tensor, close: boolean): void => {
          assert.equal(got.shape, want.shape);
          assert.is(got.dtype, want.dtype);
          if (close) assertClose(got.data(), want.data(), { rtol: 1e-12, atol: 1e-12 });
          else assert.equal(new Uint8Array(got.data().buffer), new Uint8Array(want.data().buffer));
        };
        try {
          const mapped = vmap(f, { inDims: dims });
          const want = stack(expected);
          same(mapped(...given), want, CLOSE.has(name));
          // twice, the outer batch the last axis of each second operand
          const outer = dims.map((dim, j) => (dim === null ? null : j % 2 === 0 ? 0 : given[j].ndim));
          const twice = given.map((x, j) => (outer[j] === null ? x : stack([x, x], { axis: outer[j] as number })));
          same(vmap(mapped, { inDims: outer })(...twice), stack([want, want]), CLOSE.has(name));
          if (typeof declaration.vjp !== "function") return;
          const floats = names.map((_, j) => j).filter((j) => given[j].dtype === "float64" && differentiable(j, given, f, dims));
          for (const wrt of floats) {
            const slope = grad((...xs: Tensor[]) => mul(f(...xs), f(...xs)).sum(), { wrt });
            const each = Array.from({ length: EXAMPLES }, (_, e) => slope(...given.map((x, j) => (dims[j] === 0 ? slice(x, e) : x))));
            same(vmap(slope, { inDims: dims })(...given), stack(each), true);
          }
        } catch (error) {
          assert.unreachable(`${where}: ${String(error)}`);
        }
      });
    }
  });
}

test("an op without a rule is applied to the examples one by one", () => {
  const x = tensor([
    [1, 1, 2],
    [0, 3, 3],
  ]);
  const order = tensor([[0, 1, 2], [0, 1, 2]], { dtype: "int32" }); // biome-ignore format: rows
  const numbers = vmap((row: Tensor, sorted: Tensor) => run(ops.get("groupNumbers") as AnyOp, { x: row, order: sorted }, undefined));
  assert.equal(numbers(x, order).toArray(), [[0, 0, 1], [0, 1, 1]]); // biome-ignore format: rows
});

test.run();
