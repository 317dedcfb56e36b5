// Pullbacks, pushforwards and the matrices made of them, against closed forms.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { hessian, hvp, jacobian, jvp, tensor, vjp } = tapir;
type T = tapir.Tensor;
const x = tensor([1, 2, 3], { dtype: "float64" });
const m = tensor(
  [
    [1, 2, 3],
    [4, 5, 7],
  ],
  { dtype: "float64" },
);

test("vjp gives the value and a pullback that may be called many times", () => {
  const [y, pullback] = vjp((v: T) => m.matmul(v.square()), x);
  assert.equal((y as T).toArray(), [36, 87]);
  for (let i = 0; i < 40; i++) assert.equal((pullback(tensor([1, 0], { dtype: "float64" })) as T).toArray(), [2, 8, 18]);
  assert.equal((pullback(tensor([0, 1], { dtype: "float64" })) as T).toArray(), [8, 20, 42]);
});

test("vjp takes trees, and functions of several arguments", () => {
  const a = tensor([1, 2]);
  const b = tensor([3, 4]);
  const one = tensor([1, 1]);
  const [, ofList] = vjp(([p, q]: [T, T]) => p.mul(q), [a, b]);
  assert.equal((ofList(one) as [T, T]).map((t) => t.toArray()), [[3, 4], [1, 2]]); // biome-ignore format: pairs
  const [, ofTwo] = vjp((p: T, q: T) => p.mul(q), a, b);
  assert.equal((ofTwo(one) as [T, T]).map((t) => t.toArray()), [[3, 4], [1, 2]]); // biome-ignore format: pairs
  const [value, ofObject] = vjp(({ p }: { p: T }) => ({ s: p.sum(), d: p.mul(2) }), { p: a });
  assert.is((value as { s: T }).s.item(), 3);
  assert.equal((ofObject({ s: tensor(1), d: one }) as { p: T }).p.toArray(), [3, 3]);
});

test("jvp is the derivative along a direction", () => {
  const v = tensor([1, -1, 2], { dtype: "float64" });
  const [y, dy] = jvp((t: T) => t.tanh().mul(t), x, v) as [T, T];
  assertClose(
    y.data(),
    [1, 2, 3].map((t) => t * Math.tanh(t)),
    { rtol: 1e-14 },
  );
  assertClose(
    dy.data(),
    [1, 2, 3].map((t, i) => (Math.tanh(t) + t * (1 - Math.tanh(t) ** 2)) * [1, -1, 2][i]),
    { rtol: 1e-13 },
  );
});

test("jacobian and hessian have the shapes out + in", () => {
  const j = jacobian((t: T) => m.matmul(t.square()))(x);
  assert.equal(j.toArray(), [[2, 8, 18], [8, 20, 42]]); // biome-ignore format: a matrix
  const h = hessian((t: T) => t.mul(t).mul(t).sum())(x);
  assert.equal(h.toArray(), [[6, 0, 0], [0, 12, 0], [0, 0, 18]]); // biome-ignore format: a matrix
  assert.equal(jacobian((t: T) => t.reshape([3, 1]).matmul(t.reshape([1, 3])))(x).shape, [3, 3, 3]);
});

test("hvp is the hessian times a direction", () => {
  const v = tensor([1, 0.5, -2], { dtype: "float64" });
  const f = (t: T): T => t.exp().mul(t.sum()).sum();
  const whole = hessian(f)(x).matmul(v);
  assertClose(hvp(f, x, v).data(), whole.data(), { rtol: 1e-13 });
});

test("transformations nest", () => {
  const third = tapir.grad((t: T) =>
    tapir
      .grad((s: T) =>
        tapir
          .grad((r: T) => r.mul(r).mul(r).mul(r).sum())(s)
          .sum(),
      )(t)
      .sum(),
  );
  assert.equal(third(x).toArray(), [24, 48, 72]);
  const [, tangent] = jvp((t: T) => (jvp((s: T) => s.mul(s).mul(s), t, t.mul(0).add(1)) as [T, T])[1], x, tensor([1, 1, 1], { dtype: "float64" })) as [T, T];
  assert.equal(tangent.toArray(), [6, 12, 18]);
});

test("arguments that come one by one reach f one by one, whatever its declared length", () => {
  const [a, b] = [tensor([1, 2]), tensor([3, 4])];
  const one = tensor([1, 1]);
  const product = (...fs: T[]): T => fs[0].mul(fs[1]);
  const halved = (p: T, q: T = a): T => p.mul(q);
  for (const f of [product, halved]) {
    const [, pullback] = vjp(f, a, b);
    assert.equal((pullback(one) as [T, T]).map((t) => t.toArray()), [[3, 4], [1, 2]]); // biome-ignore format: pairs
  }
  const [ha, hb] = hvp((p: T, q: T) => p.square().mul(q).sum(), [a, b], [one, one]);
  assert.equal([ha.toArray(), hb.toArray()], [[8, 12], [2, 4]]); // biome-ignore format: pairs
  assert.equal(jacobian((p: T, q: T, factor: number) => p.mul(q).mul(factor))(a, b, 2).toArray(), [[6, 0], [0, 8]]); // biome-ignore format: rows
  assert.equal(hessian((p: T, q: T) => p.square().mul(q).sum())(a, b).toArray(), [[6, 0], [0, 8]]); // biome-ignore format: rows
});

test("they leave no tensor behind", () => {
  const run = (): void => {
    hessian((t: T) => t.square().sum())(x).dispose();
    const [y, dy] = jvp((t: T) => t.square(), x, x) as [T, T];
    y.dispose();
    dy.dispose();
  };
  for (let i = 0; i < 40; i++) run();
  const before = tapir.memory.stats().tensors;
  for (let i = 0; i < 400; i++) run();
  (globalThis as unknown as { gc(): void }).gc();
  assert.ok(tapir.memory.stats().tensors <= before + 60, `${before} became ${tapir.memory.stats().tensors}`);
});

test("what cannot be is a typed error", () => {
  assertThrows(() => vjp(5 as unknown as () => T, x), tapir.ConfigError, /vjp: expected a function/);
  assertThrows(() => vjp((t: T) => t, 3 as unknown as T), tapir.ConfigError, /vjp: expected a tensor/);
  assertThrows(() => vjp(() => 3 as unknown as T, x), tapir.GradientError, /returns tensors/);
  assertThrows(() => vjp((t: T) => t, x)[1](tensor([1])), tapir.ShapeError, /cotangent float64 \[3\]/);
  assertThrows(() => jvp((t: T) => t, x, tensor([1])), tapir.ShapeError, /tangent float64 \[3\]/);
  assertThrows(() => jacobian((t: T) => t)(2 as unknown as T), tapir.ConfigError, /jacobian/);
  assertThrows(() => jacobian(3 as unknown as (t: T) => T)(x), tapir.ConfigError, /jacobian: expected a function/);
  assertThrows(() => jacobian((t: T) => t.argmax())(x), tapir.GradientError, /jacobian: expected .* float tensor; got int32 \[\]/);
});

test.run();
