// vmap(f) is f of each example, run once for all: with every other transformation, within it and around it.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { compile, grad, hessian, hvp, jacobian, jvp, slice, stack, tensor, trace, vjp, vmap } = tapir;
type T = tapir.Tensor;
const SEED = 20250116;
console.log(`seed ${SEED}`);
const random = new Random(SEED);
const drawn = (...shape: number[]): T => random.operand({ shape });

/** f of each slice along the first axis, one after the other. */
function each(f: (...xs: T[]) => T, ...xs: T[]): T {
  return stack(Array.from({ length: xs[0].shape[0] }, (_, i) => f(...xs.map((x) => slice(x, i)))));
}

function close(actual: T, expected: T, tolerance = 1e-12): void {
  assert.equal(actual.shape, expected.shape);
  assertClose(actual.data(), expected.data(), { rtol: tolerance, atol: tolerance });
}

const w1 = drawn(16, 4);
const b1 = drawn(16);
const w2 = drawn(3, 16);
const b2 = drawn(3);
const w3 = drawn(3);
interface Weights {
  readonly w1: T;
  readonly b1: T;
  readonly w2: T;
  readonly b2: T;
}
const weights: Weights = { w1, b1, w2, b2 };
const loss = (p: Weights, x: T, y: T): T => tapir.crossEntropy(tapir.linear(tapir.linear(x, p.w1, p.b1).relu(), p.w2, p.b2), y);
const xs = drawn(8, 4);
const ys = tensor([0, 1, 2, 0, 1, 2, 2, 1], { dtype: "int32" });
const perExample = vmap(grad(loss as (...args: never[]) => T) as unknown as (p: Weights, x: T, y: T) => { [name in keyof Weights]: T }, {
  inDims: [null, 0, 0],
});

test("gradients per example of weights that all examples share", () => {
  const got = perExample(weights, xs, ys);
  for (const name of ["w1", "b1", "w2", "b2"] as const) {
    const one = (x: T, y: T): T => (grad(loss as (...args: never[]) => T)(...([weights, x, y] as never[])) as unknown as Weights)[name];
    close(got[name], each(one, xs, ys));
  }
});

test("the number of ops does not grow with the number of examples", () => {
  const nodes = (n: number): number =>
    trace(
      perExample as unknown as (...args: never[]) => { w1: T },
      weights as unknown as { w1: T },
      tapir.zeros([n, 4], { dtype: "float64" }),
      tapir.zeros([n], { dtype: "int32" }),
    ).stats().nodes;
  assert.is(nodes(500), nodes(2));
});

test("it nests with every transformation, on either side", () => {
  const f = (x: T): T => x.tanh().mul(x.sum()).sum();
  const square = drawn(3, 4);
  const cube = drawn(2, 3, 4);
  close(
    vmap(vmap(f))(cube),
    each((m) => each(f, m), cube),
  );
  close(vmap(grad(f) as (x: T) => T)(square), each(grad(f) as (x: T) => T, square));
  close(
    vmap(vmap(grad(f) as (x: T) => T))(cube),
    each((m) => each(grad(f) as (x: T) => T, m), cube),
  );
  close(vmap(hessian(f))(square), each(hessian(f), square));
  close(
    vmap(jacobian((x: T) => x.mul(x.sum())))(square),
    each(
      jacobian((x: T) => x.mul(x.sum())),
      square,
    ),
  );
  const along = (x: T): T => hvp(f, x, x.mul(0).add(1));
  close(vmap(along)(square), each(along, square));
  const tangent = (x: T): T => (jvp(f, x, x.detach()) as [T, T])[1];
  close(vmap(tangent)(square), each(tangent, square));
  const pulled = (x: T, dy: T): T => vjp((t: T) => t.exp().mul(t.sum()), x)[1](dy) as T;
  close(vmap(pulled)(square, drawn(3, 4).mul(0).add(square)), each(pulled, square, square));
  const total = (x: T): T =>
    vmap(grad(f) as (x: T) => T)(x)
      .square()
      .sum();
  const loop = (x: T): T =>
    each(grad(f) as (x: T) => T, x)
      .square()
      .sum();
  close(grad(total)(square) as T, grad(loop)(square) as T);
  close(hvp(total, square, square), hvp(loop, square, square), 1e-11);
  close((jvp(total, square, square) as [T, T])[1], (jvp(loop, square, square) as [T, T])[1]);
  assert.ok(tapir.gradcheck(total, [square], { order: 2 }));
});

test("derivatives reach weights through vmap(grad(f)), and ops on them alone", () => {
  const total = (w: T, x: T): T => {
    const slopes = vmap((v: T) => grad((u: T) => u.mul(w.square()).tanh().sum())(v) as T)(x);
    return slopes.square().sum();
  };
  const meta = (w: T, x: T): T => vmap((v: T) => grad((u: T) => u.square().mul(v).exp().sum())(w) as T)(x).sum();
  const [w, x] = [drawn(3).mul(0.5), drawn(2, 3).mul(0.5)];
  for (const f of [total, meta]) assert.ok(tapir.gradcheck(f, [w, x], { order: 2, rtol: 1e-5 }));
});

test("a pullback is mapped as any function, and can be differentiated", () => {
  const f = (x: T): T => x.exp().mul(x.sum());
  const rows = drawn(4, 3);
  const x = drawn(3);
  const [, pullback] = vjp(f, x);
  const mapped = vmap(pullback as (dy: T) => T);
  close(mapped(rows), each(pullback as (dy: T) => T, rows));
  assert.not(mapped(rows).requiresGrad);
  const through = (at: T, dys: T): T =>
    vmap(vjp(f, at)[1] as (dy: T) => T)(dys)
      .square()
      .sum();
  assert.ok(tapir.gradcheck(through, [x, rows], { order: 2, rtol: 1e-5 }));
  // begun in one vmap, called in another
  close(
    vmap((at: T) => vmap(vjp((t: T) => f(t).mul(w3), at)[1] as (dy: T) => T)(rows))(rows),
    each((at) => each(vjp((t: T) => f(t).mul(w3), at)[1] as (dy: T) => T, rows), rows),
  );
});

test("backward() outside differentiates through it, and traced steps hold it", () => {
  const w = w1.clone().detach();
  w.requiresGrad = true;
  vmap((x: T) => tapir.matmul(w, x).tanh().sum())(xs)
    .sum()
    .backward();
  const v = w1.clone().detach();
  v.requiresGrad = true;
  each((x) => tapir.matmul(v, x).tanh().sum(), xs)
    .sum()
    .backward();
  close(w.grad as T, v.grad as T);
});

test("compiled and traced, the bits are those of eager", () => {
  const f = perExample as unknown as (...args: T[]) => { w1: T };
  const args = [weights, xs, ys] as unknown as T[];
  const eager = f(...args).w1.data();
  const compiled = compile(f);
  const graph = trace(f as (...args: never[]) => { w1: T }, ...args);
  for (const run of [compiled, compiled, (...given: T[]) => graph.run(...given) as { w1: T }]) assert.equal(run(...args).w1.data(), eager);
  const inner = compile((x: T) => x.exp().sum());
  close(
    vmap((x: T) => inner(x))(xs),
    each((x) => x.exp().sum(), xs),
  );
});

test("inDims and outDims name the axis of the examples, for trees too; null is for what they share", () => {
  const m = drawn(4, 3);
  close(vmap((x: T) => x.mul(2), { inDims: 1 })(m), m.transpose().mul(2));
  close(vmap((x: T) => x.mul(2), { inDims: -1, outDims: 1 })(m), m.mul(2));
  close(vmap((x: T, y: T) => x.add(y), { inDims: [0, null] })(m, slice(m, 0)), m.add(slice(m, 0)));
  const parts = vmap(({ a, b }: { a: T; b: readonly [T, T] }) => ({ sum: a.add(b[0]), shared: b[1] }), {
    inDims: [{ a: 1, b: [0, null] }],
    outDims: { sum: -1, shared: null },
  })({ a: m, b: [m.transpose().clone(), b1] });
  close(parts.sum, m.mul(2));
  assert.is(parts.shared, b1);
  close(vmap((x: T) => ({ x, same: b2 }))(m).same, stack([b2, b2, b2, b2]));
  assertThrows(() => vmap((x: T) => x, { inDims: null })(m), tapir.ConfigError, /vmap: expected a tensor with examples/);
  assertThrows(() => vmap((x: T) => x, { inDims: 2 })(m), tapir.ShapeError, /vmap/);
  assertThrows(() => vmap((x: T) => x, { inDims: [{ a: 0 }] })(m), tapir.ConfigError, /inDims a number or null/);
  assertThrows(() => vmap((x: { a: T }) => x.a, { inDims: [{ b: 0 }] })({ a: m }), tapir.ConfigError, /inDims.*none for a/);
  assertThrows(() => vmap((x: T) => x, { outDims: null })(m), tapir.ConfigError, /outDims null/);
  assertThrows(() => vmap((x: T) => x, { axis: 0 } as never), tapir.ConfigError, /inDims, outDims, randomness; got axis/);
});

test("random numbers are an error until said to differ, or to be shared", () => {
  const ones = tapir.ones([64, 100]);
  const dropped = (x: T): T => tapir.dropout(x, { p: 0.5 });
  const distinct = (t: T): number => new Set(Array.from({ length: t.shape[0] }, (_, i) => String(slice(t, i).toArray()))).size;
  assertThrows(() => vmap(dropped)(ones), tapir.ConfigError, /vmap: .*randomness "different" or "same"/);
  assertThrows(() => vmap((x: T) => x.add(tapir.randn([100])))(ones), tapir.ConfigError, /randomness/);
  assert.equal(vmap((x: T) => tapir.dropout(x, { training: false }))(ones).toArray(), ones.toArray());
  for (const draw of [
    dropped,
    (x: T): T => x.add(tapir.randn([100])),
    (x: T): T => x.add(tapir.rand([100])),
    (x: T): T => x.mul(tapir.bernoulli(0.5, [100])),
    (x: T): T => x.mul(tapir.randint(0, 9, [100]).to("float32")),
    (x: T): T => x.mul(tapir.permutation(100).to("float32")),
    (): T => tapir.dropout(tapir.ones([100])),
  ]) {
    assert.is(distinct(vmap(draw, { randomness: "different" })(ones)), 64);
    assert.is(distinct(vmap(draw, { randomness: "same" })(ones)), 1);
  }
  const nested = (inner: "same" | "different", outer: "same" | "different"): T =>
    vmap(vmap(dropped, { randomness: inner }), { randomness: outer })(tapir.ones([8, 8, 100])).reshape([64, 100]);
  assert.equal(
    [nested("same", "same"), nested("same", "different"), nested("different", "same"), nested("different", "different")].map(distinct),
    [1, 8, 8, 64],
  );
});

test("a derivative draws the mask of its op again, and with one seed the numbers are the same", () => {
  const ones = tapir.ones([8, 50]);
  for (const randomness of ["same", "different"] as const) {
    const both = vmap(
      (x: T): [T, T] => {
        const [y, pullback] = vjp((t: T) => tapir.dropout(t), x);
        return [pullback(tapir.ones([50])) as T, y as T];
      },
      { randomness },
    );
    const run = (): [T, T] => {
      tapir.manualSeed(3);
      return both(ones);
    };
    const [dx, y] = run();
    assert.equal(dx.toArray(), y.toArray());
    assert.equal(run()[1].toArray(), y.toArray());
  }
  // drawn outside, a mask is shared, whatever the mode
  const [y, pullback] = vjp((x: T) => tapir.dropout(x), slice(ones, 0));
  for (const row of vmap(pullback as (dy: T) => T)(ones).toArray() as number[][]) assert.equal(row, (y as T).toArray());
});

test("stopGradient and noGrad stop every derivative, also those of the whole batch", () => {
  const x = drawn(2, 3);
  const stopped = (f: (t: T) => T): number[] => [...(grad((t: T) => vmap(f)(t).sum())(x) as T).data()];
  const [plain] = [[...x.data()]];
  assert.equal(
    stopped((t) => t.detach().mul(t).sum()),
    plain,
  );
  assert.equal(
    stopped((t) =>
      tapir
        .noGrad(() => t.mul(1))
        .mul(t)
        .sum(),
    ),
    plain,
  );
  assert.equal(
    stopped((t) =>
      tapir
        .noGrad(() => grad((u: T) => u.square().sum())(t) as T)
        .mul(t)
        .sum(),
    ),
    [...x.mul(2).data()],
  );
  close(
    tensor(
      stopped((t) => t.mul(t).sum()),
      { dtype: "float64" },
    ),
    x.mul(2).reshape([6]),
  );
});

test("what one example cannot answer for all is a typed error", () => {
  const m = drawn(2, 3);
  assertThrows(
    () => vmap((x: T) => (x.sum().item() > 0 ? x : x.neg()))(m),
    tapir.ConfigError,
    /^vmap: expected a function that is made of ops; .*vmap\.test\.ts:\d+/,
  );
  assertThrows(() => vmap((x: T) => x.add_(1))(m), tapir.ConfigError, /^vmap: .*changes nothing by its examples; got add_/);
  assertThrows(() => vmap((x: T) => x.unique() as T)(m), tapir.ConfigError, /^vmap: .*reads/);
  assertThrows(() => vmap((x: T) => tapir.bernoulli(x), { randomness: "same" })(m), tapir.ConfigError, /^vmap: .*reads/);
  assertThrows(() => vmap((async (x: T) => x) as unknown as (x: T) => T)(m), tapir.ConfigError, /async/);
  const w = tensor([1, 2, 3], { dtype: "float64", requiresGrad: true });
  assertThrows(
    () =>
      vmap((x: T) => {
        x.mul(w).sum().backward();
        return x;
      })(m),
    tapir.GradientError,
    /backward: expected derivatives by grad\(\).*within vmap/,
  );
  assert.is(w.grad, undefined);
  const optimizer = new tapir.optim.SGD([w], { lr: 1 });
  w.grad = tensor([1, 1, 1], { dtype: "float64" });
  vmap((x: T) => {
    optimizer.step();
    return x;
  })(m);
  assert.equal(w.toArray(), [0, 1, 2]); // once: nothing in it differs from example to example
  const statistics = [tapir.zeros([3], { dtype: "float64" }), tapir.ones([3], { dtype: "float64" })] as const;
  const normal = (t: T): T => tapir.batchNorm(t, ...statistics, null, null, { training: true });
  assertThrows(() => vmap(normal)(drawn(2, 4, 3)), tapir.ConfigError, /batchNorm: expected no running statistics.*vmap/);
});

test("a handle of an example means nothing outside", () => {
  let kept: T | undefined;
  vmap((x: T) => {
    kept = x.mul(2);
    return x;
  })(drawn(2, 3));
  assertThrows(() => (kept as T).data(), tapir.DisposedError, /its scope ended/);
});

test("it leaves no tensor behind", () => {
  const run = (): void => {
    for (const t of Object.values(perExample(weights, xs, ys))) t.dispose();
    (grad((t: T) => vmap((x: T) => x.exp().sum())(t).sum())(xs) as T).dispose();
  };
  for (let i = 0; i < 40; i++) run();
  (globalThis as unknown as { gc(): void }).gc();
  const before = tapir.memory.stats().tensors;
  for (let i = 0; i < 400; i++) run();
  (globalThis as unknown as { gc(): void }).gc();
  assert.ok(tapir.memory.stats().tensors <= before + 60, `${before} became ${tapir.memory.stats().tensors}`);
});

test("padding and frequencies of an embedding count where the derivative is taken outside", () => {
  const index = tensor([[0, 1], [1, 1]], { dtype: "int32" }); // biome-ignore format: a matrix
  for (const options of [{ paddingIdx: 1 }, { scaleGradByFreq: true }]) {
    const mapped = (w: T): T => vmap((i: T) => tapir.embedding(i, w, options))(index).sum();
    const each = (w: T): T => tapir.add(...([0, 1].map((i) => tapir.embedding(index.slice(i), w, options).sum()) as [T, T]));
    assert.equal((grad(mapped)(tapir.ones([2, 2])) as T).toArray(), (grad(each)(tapir.ones([2, 2])) as T).toArray());
  }
});

test.run();
