// Comparisons, logic and choices: dtypes, special values, errors and memory.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { tensor } = tapir;
const NAN = Number.NaN;

test("comparisons answer bool, whatever they compare", () => {
  for (const f of [tapir.eq, tapir.ne, tapir.lt, tapir.le, tapir.gt, tapir.ge]) {
    assert.is(f(tensor([1, 2]), 1).dtype, "bool");
    assert.is(f(tensor([1, 2], { dtype: "int32" }), tensor([1, 2], { dtype: "float64" })).dtype, "bool");
  }
});

test("integers are compared exactly with each other and with fractions", () => {
  const x = tensor([16777216, 16777217, 2147483647], { dtype: "int32" });
  assert.equal(x.eq(16777217).toArray(), [false, true, false]);
  assert.equal(x.eq(tensor([16777216, 16777216, 2147483647], { dtype: "float32" })).toArray(), [true, false, false]);
  assert.equal(x.lt(16777216.5).toArray(), [true, false, false]);
  assert.equal(x.lt(3e9).toArray(), [true, true, true]);
  assert.equal(tensor([0, 255]).to("uint8").eq(-1).toArray(), [false, false]);
  assert.equal(tensor([true, false]).lt(2).toArray(), [true, true]);
  assert.is(tapir.eq(16777216, 16777217).item(), 0);
});

test("a float32 tensor equals the number it was made from", () => {
  assert.equal(tensor([0.1]).eq(0.1).toArray(), [true]);
});

test("comparisons read views and broadcast over more than three axes", () => {
  const a = tapir.arange(2 * 3 * 2 * 3 * 2).reshape([2, 3, 2, 3, 2]);
  const b = tapir.arange(9).reshape([3, 1, 3, 1]);
  const y = a.lt(b.mul(8)).data();
  for (let i = 0; i < 72; i++) assert.is(y[i], i < 8 * (3 * (Math.floor(i / 12) % 3) + (Math.floor(i / 2) % 3)) ? 1 : 0, `${i}`);
  const m = tapir.arange(40).reshape([2, 20]);
  assert.equal(m.transpose().eq(m.transpose().clone()).data(), new Uint8Array(40).fill(1));
});

test("views of any layout give what their copies give, in every dtype", () => {
  const random = new Random(11);
  const viewed = (shape: number[], dtype: tapir.DType): tapir.Tensor => {
    // a wider tensor, permuted or read in steps, some of them backwards
    const steps = shape.map(() => random.pick([1, 1, 2, -1, -2]));
    const wide = shape.map((n, i) => n * Math.abs(steps[i]));
    const size = wide.reduce((a, b) => a * b, 1);
    const t = tensor(Float64Array.from({ length: size }, () => random.integer(0, 5)))
      .to(dtype)
      .reshape(wide);
    return random
      .layout(t)(t)
      .slice(...steps.map((step): [null, null, number] => [null, null, step]));
  };
  for (let i = 0; i < 300; i++) {
    const [p, q] = random.broadcast();
    const dtype = random.pick(["float32", "float64", "int32"] as const);
    const [a, b, c] = [viewed(p, dtype), viewed(q, dtype), viewed(random.pick([p, q]), "bool")];
    for (const f of [
      tapir.eq,
      tapir.ne,
      tapir.lt,
      tapir.le,
      tapir.gt,
      tapir.ge,
      tapir.maximum,
      tapir.minimum,
      tapir.add,
      tapir.sub,
      tapir.mul,
      tapir.logicalAnd,
    ]) {
      assert.equal(f(a, b).data(), f(a.clone(), b.clone()).data(), `${f.name} ${dtype} [${p}] [${q}]`);
    }
    assert.equal(tapir.where(c, a, b).data(), tapir.where(c.clone(), a.clone(), b.clone()).data(), `where ${dtype} [${p}] [${q}]`);
    const sum = tapir.add(a, b).data();
    const both = (x: tapir.Tensor): ArrayLike<number> => x.broadcastTo(tapir.add(a, b).shape).clone().data();
    const [x, y, z] = [both(a), both(b), both(c)];
    const chosen = tapir.where(c, a, b).data();
    const less = tapir.lt(a, b).data();
    for (let k = 0; k < sum.length; k++) {
      assert.is(sum[k], x[k] + y[k]);
      assert.is(less[k], x[k] < y[k] ? 1 : 0);
      assert.is(chosen[k], z[k] ? x[k] : y[k]);
    }
  }
});

test("short rows, long rows and columns give the same sums", () => {
  for (const dtype of ["float32", "float64", "int32"] as const) {
    for (const rows of [1, 2, 3, 4, 5, 9]) {
      for (let cols = 1; cols < 20; cols++) {
        const x = tapir
          .arange(rows * cols)
          .to(dtype)
          .reshape([rows, cols]);
        for (const other of [
          tapir.arange(cols),
          tapir.arange(rows).reshape([rows, 1]),
          tapir
            .arange(rows * cols)
            .reshape([cols, rows])
            .transpose(),
        ]) {
          const b = other.to(dtype);
          const wide = b.broadcastTo([rows, cols]).clone().data();
          for (const [k, v] of x.sub(b).data().entries()) assert.is(v, k - wide[k], `${dtype} [${rows},${cols}] - [${other.shape}]`);
          for (const [k, v] of b.sub(x).data().entries()) assert.is(v, wide[k] - k, `${dtype} [${other.shape}] - [${rows},${cols}]`);
          for (const [k, v] of b.lt(x).data().entries()) assert.is(v, wide[k] < k ? 1 : 0);
        }
      }
    }
  }
});

test("a comparison of tensors with gradients has none", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  assert.not(x.gt(1).requiresGrad);
  x.mul(x.gt(1).to("float32")).sum().backward();
  assert.equal(x.grad?.toArray(), [0, 1]);
});

test("where hands no NaN of the branch not taken to a gradient", () => {
  const a = tensor([NAN, 1], { requiresGrad: true });
  tapir
    .where(tensor([false, true]), a, 0)
    .sum()
    .backward();
  assert.equal(a.grad?.toArray(), [0, 1]);
});

test("where keeps every dtype and reads views", () => {
  const c = tensor([[true, false, true], [false, false, true]]); // biome-ignore format: a table
  const a = tapir.arange(6).reshape([3, 2]).transpose();
  assert.equal(tapir.where(c, a, -1).toArray(), [[0, -1, 4], [-1, -1, 5]]); // biome-ignore format: a table
  assert.equal(c.transpose().where(a.transpose(), -1).toArray(), [[0, -1], [-1, -1], [4, 5]]); // biome-ignore format: a table
  for (const dtype of ["float64", "int32", "uint8", "bool"] as const) {
    const y = tapir.where(c, tapir.ones([3], { dtype }), tapir.zeros([], { dtype }));
    assert.is(y.dtype, dtype);
    assert.equal([...y.data()], [1, 0, 1, 0, 0, 1]);
  }
  const n = 1000; // a broadcast of five axes
  const flags = tapir.arange(n).reshape([5, 2, 5, 2, 10]).permute(4, 3, 2, 1, 0);
  const odd = tapir
    .where(tapir.eq(flags.sub(flags), 0), flags, flags.neg())
    .sub(flags)
    .data();
  assert.ok(odd.every((v) => v === 0));
});

test("bounds of clamp may be tensors that broadcast, with the gradient where they are taken", () => {
  const make = (values: number[]): tapir.Tensor => tensor(values, { requiresGrad: true });
  const x = tensor([[-2, 0.5, 3, NAN], [1, 9, -9, 2]], { requiresGrad: true }); // biome-ignore format: rows
  const [lo, hi] = [make([-1, 0, 1, 0]), make([1, 5, 0, NAN])];
  const y = x.clamp(lo, hi);
  assert.equal(y.toArray(), [[-1, 0.5, 0, NAN], [1, 5, 0, NAN]]); // biome-ignore format: rows
  y.slice(null, [0, 3]).sum().backward();
  assert.equal(x.grad?.toArray(), [[0, 1, 0, 0], [1, 0, 0, 0]]); // biome-ignore format: rows
  assert.equal(lo.grad?.toArray(), [1, 0, 0, 0]);
  assert.equal(hi.grad?.toArray(), [0, 1, 2, 0]);
  assert.equal(tapir.clamp(tensor([1, 2, 3], { dtype: "int32" }), 2, tensor([9, 9, 2], { dtype: "int32" })).toArray(), [2, 2, 2]);
  assert.equal(tapir.clamp(tensor([1, 2]), null, tensor([[1.5], [0]])).toArray(), [[1, 1.5], [0, 0]]); // biome-ignore format: rows
  assertThrows(() => x.clamp(tensor([1], { dtype: "float64" }), 2), tapir.DtypeError, /^clamp: /);
  assertThrows(() => x.clamp(tensor([1]), "2" as unknown as number), tapir.ConfigError, /^clamp: .* hi/);
});

test("maximum and clamp keep NaN", () => {
  assert.equal(tensor([NAN, 1]).maximum(0).toArray(), [NAN, 1]);
  assert.equal(tapir.minimum(tensor([2, 1]), tensor([NAN, 0])).toArray(), [NAN, 0]);
  assert.equal(tensor([NAN, 3, -3]).clamp(-1, 1).toArray(), [NAN, 1, -1]);
  assert.equal(tensor([5, -5], { dtype: "int32" }).clamp(null, Number.POSITIVE_INFINITY).toArray(), [5, -5]);
});

test("bad operands of comparisons and choices are typed errors, and nothing leaks", () => {
  const x = tensor([1, 2, 3]);
  const whole = tensor([1, 2, 3], { dtype: "int32" });
  const before = tapir.memory.stats().tensors;
  const wrong = undefined as unknown as tapir.Tensor;
  assertThrows(() => tapir.eq(x, tapir.zeros([2])), tapir.ShapeError, /^eq: .*\[3\].*\[2\]/);
  assertThrows(() => tapir.lt(x, wrong), tapir.DtypeError, /^lt: expected a tensor or a number for b; got undefined/);
  assertThrows(() => tapir.eq("a" as unknown as tapir.Tensor, whole), tapir.DtypeError, /^eq: .*string a/);
  assertThrows(() => tapir.logicalAnd(x, wrong), tapir.DtypeError, /^logicalAnd: .*undefined/);
  assertThrows(() => tapir.logicalNot(wrong), tapir.DtypeError, /^logicalNot: expected a tensor/);
  assertThrows(() => tapir.isnan(3 as unknown as tapir.Tensor), tapir.DtypeError, /^isnan: expected a tensor/);
  assertThrows(() => tapir.where(x, x, x), tapir.DtypeError, /^where: expected a condition of dtype bool or uint8; got float32/);
  assertThrows(() => tapir.where(x.gt(1), x, whole), tapir.DtypeError, /^where: expected a and b of one dtype; got float32 and int32/);
  assertThrows(() => tapir.where(x.gt(1), whole, 0.5), tapir.DtypeError, /^where: .*int32 holds.*0.5/);
  assertThrows(() => tapir.where(x.gt(1), x, tapir.zeros([2])), tapir.ShapeError, /^where: /);
  assertThrows(() => tapir.maximum(x, whole), tapir.DtypeError, /^maximum: /);
  assertThrows(() => tapir.maximum(whole, 0.5), tapir.DtypeError, /^maximum: /);
  assertThrows(() => tapir.clamp(x, null), tapir.ConfigError, /^clamp: expected at least one bound/);
  assertThrows(() => tapir.clamp(x, "1" as unknown as number), tapir.ConfigError, /^clamp: expected a number or null for lo; got string 1/);
  assertThrows(() => tapir.clamp(whole, 0.5), tapir.DtypeError, /^clamp: /);
  assertThrows(() => tapir.clamp(whole, NAN), tapir.DtypeError, /^clamp: /);
  assertThrows(() => tapir.clamp(tapir.zeros([1], { dtype: "bool" }), 0), tapir.DtypeError, /^clamp: /);
  globalThis.gc?.();
  assert.ok(tapir.memory.stats().tensors <= before + 20, "conditions made above are garbage at most");
});

test.run();
