// checkpoint gives the same derivatives for less memory; vmap is the function of each example.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { checkpoint, layers, tensor, vmap } = tapir;
type T = tapir.Tensor;

test("a checkpointed part has the value and the gradients of the plain one, weights that it reaches included", () => {
  const layer = new layers.Linear(3, 3, { dtype: "float64" });
  const part = (x: T): T => layer.forward(x).tanh().mul(x);
  const gradients = [part, checkpoint(part)].map((f) => {
    const x = tensor([[1, 2, 3], [0, -1, 1]], { dtype: "float64", requiresGrad: true }); // biome-ignore format: a matrix
    for (const p of layer.parameters()) p.grad = undefined;
    const y = f(f(x));
    y.square().sum().backward();
    return [y, x.grad, ...layer.parameters().map((p) => p.grad)].map((t) => (t as T).toArray());
  });
  assert.equal(gradients[1], gradients[0]);
});

test("second derivatives go through it", () => {
  const f = checkpoint((x: T) => x.mul(x).mul(x).sum());
  const x = tensor([1, 2], { dtype: "float64" });
  assert.ok(tapir.gradcheck(f, [x], { order: 2 }));
  assert.equal(tapir.hessian(f)(x).toArray(), [[6, 0], [0, 12]]); // biome-ignore format: a matrix
});

test("random numbers are drawn again as they were", () => {
  const x = tapir.ones([64], { requiresGrad: true });
  const y = checkpoint((t: T) => tapir.dropout(t, { p: 0.5 }).mul(3))(x);
  const after = tapir.rand([2]).toArray();
  y.sum().backward();
  assert.equal(x.grad?.toArray(), y.toArray());
  assert.not.equal(tapir.rand([2]).toArray(), after);
});

test("while the derivative of a chain in segments is taken, one segment at a time is held", () => {
  const [segments, length, bytes] = [16, 16, 4000];
  const peak = (wrap: (f: (x: T) => T) => (x: T) => T): number => {
    const before = tapir.memory.stats().bytes;
    let most = 0;
    const segment = wrap((x) => {
      let y = x;
      for (let i = 0; i < length; i++) {
        y = y.tanh();
        most = Math.max(most, tapir.memory.stats().bytes - before);
      }
      return y;
    });
    const loss = (x: T): T => {
      let y = x;
      for (let i = 0; i < segments; i++) y = segment(y);
      return y.sum();
    };
    (tapir.grad(loss)(tapir.ones([bytes / 4])) as T).dispose();
    return most;
  };
  assert.ok(peak((f) => f) >= segments * length * bytes);
  // the ends of all segments, one segment, and what its derivative works on
  const most = peak((f) => checkpoint(f));
  assert.ok(most <= (segments + length + 8) * 1.25 * bytes, `${most / bytes} blocks`);
});

test("a chain in segments holds a fraction of the memory", () => {
  const layer = (x: T): T => x.tanh();
  const run = (segment: (x: T) => T, times: number): number => {
    const x = tapir.ones([1000], { requiresGrad: true });
    return scope(() => {
      const before = tapir.memory.stats().bytes;
      let y = x;
      for (let i = 0; i < times; i++) y = segment(y);
      const held = tapir.memory.stats().bytes - before;
      y.sum().backward();
      return held;
    });
  };
  const many = (x: T): T => {
    let y = x;
    for (let i = 0; i < 20; i++) y = layer(y);
    return y;
  };
  const [all, segments] = [run(many, 10), run(checkpoint(many), 10)];
  assert.ok(segments <= all / 10, `${segments} of ${all} bytes`);
});

test("vmap maps over the first axis, and can be differentiated", () => {
  const f = vmap((x: T, w: T) => x.mul(w).sum());
  const xs = tensor([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
  const ws = tensor([[1, 1], [2, 0], [0, 3]]); // biome-ignore format: a matrix
  assert.equal(f(xs, ws).toArray(), [3, 6, 18]);
  assert.equal((tapir.grad((t: T) => f(t, ws).sum())(xs) as T).toArray(), ws.toArray());
  const each = vmap((x: T) => ({ double: x.mul(2), square: x.square() }))(xs) as { double: T; square: T };
  assert.equal(each.square.toArray(), [[1, 4], [9, 16], [25, 36]]); // biome-ignore format: a matrix
  const perExample = vmap(tapir.grad((x: T) => x.square().sum()) as (x: T) => T)(xs);
  assertClose(perExample.data(), [2, 4, 6, 8, 10, 12], {});
});

test("what cannot be is a typed error", () => {
  assertThrows(() => checkpoint(3 as unknown as () => T), tapir.ConfigError, /checkpoint: expected a function/);
  assertThrows(() => checkpoint(() => 3 as unknown as T)(), tapir.GradientError, /returns one tensor/);
  assertThrows(() => vmap((x: T) => x)(tensor(1)), tapir.ShapeError, /vmap/);
  assertThrows(() => vmap((x: T, y: T) => x.add(y))(tapir.ones([2]), tapir.ones([3])), tapir.ShapeError, /\[2\], \[3\]/);
});

test("what a checkpointed function changes in place among its own tensors is changed again, eagerly and compiled", () => {
  const w = tensor([1, 2, 3], { requiresGrad: true, dtype: "float64" });
  const seen = tensor([0, 0, 0], { dtype: "float64" });
  const f = (t: T): T => {
    const mask = tapir.zeros([3], { dtype: "float64" });
    mask.add_(2).mul_(3);
    tapir.noGrad(() => seen.add_(1));
    return t.mul(mask).square().sum();
  };
  const step = checkpoint(f);
  const derivative = tapir.grad(f)(w) as T;
  assert.equal((tapir.grad(step)(w) as T).toArray(), derivative.toArray());
  assert.equal(seen.toArray(), [2, 2, 2]);
  const compiled = tapir.compile((t: T) => tapir.grad(step)(t) as T);
  for (let i = 0; i < 2; i++) assert.equal(compiled(w).toArray(), derivative.toArray());
  assert.equal(seen.toArray(), [4, 4, 4]);
});

test.run();
