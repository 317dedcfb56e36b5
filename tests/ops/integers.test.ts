// int32 through every layout, against the language's own integers; what has no whole answer is an error.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { tensor } = tapir;
const SEED = 20260711;
console.log(`seed ${SEED}`);
const int = (values: tapir.NestedArray): tapir.Tensor => tensor(values, { dtype: "int32" });

/** The axes in reverse order. */
function turned(x: tapir.Tensor): tapir.Tensor {
  return x.permute(...x.shape.map((_, axis) => x.ndim - 1 - axis));
}

/** a^b modulo 2^32. */
function power(a: number, b: number): number {
  let y = 1;
  for (let i = 0; i < b; i++) y = Math.imul(y, a);
  return y;
}
const functions: Record<string, { f: (a: tapir.Tensor, b: tapir.Tensor) => tapir.Tensor; one: (a: number, b: number) => number }> = {
  fmod: { f: tapir.fmod, one: (a, b) => (a % b) + 0 },
  remainder: { f: tapir.remainder, one: (a, b) => a - b * Math.floor(a / b) },
  pow: { f: tapir.pow, one: (a, b) => power(a, b) },
};

for (const [name, { f, one }] of Object.entries(functions)) {
  test(`${name} of int32 is exact for any shapes, layouts and numbers, and stays int32`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 300; round++) {
      const [shape, other] = random.broadcast();
      const drawn = (sizes: readonly number[], least: number): tapir.Tensor => {
        const n = sizes.reduce((p, q) => p * q, 1);
        const most = random.pick([5, 2 ** 31 - 1]);
        const values = Array.from({ length: n }, () => random.integer(name === "pow" && least === 1 ? 0 : -most, most) || least);
        const x = tensor(Int32Array.from(values)).reshape(sizes);
        return random.pick([x, turned(turned(x).clone())]);
      };
      const a = drawn(shape, 0);
      const b = drawn(other, 1);
      const exponents = name === "pow" ? b.fmod(40) : b;
      const y = f(a, exponents);
      assert.is(y.dtype, "int32");
      const wide = (x: tapir.Tensor): Int32Array => x.broadcastTo(y.shape).clone().data() as Int32Array;
      const [p, q] = [wide(a), wide(exponents)];
      assert.equal(
        [...y.data()],
        [...p].map((value, i) => one(value, q[i])),
        `${name} ${JSON.stringify({ shape, other })}`,
      );
    }
  });
}

test("an int32 divisor of 0 and a negative int32 exponent are errors, wherever they stand", () => {
  const x = int([[7, 8, 9], [4, 5, 6]]); // biome-ignore format: a matrix
  for (const f of [tapir.fmod, tapir.remainder]) {
    assertThrows(() => f(x, 0), tapir.NumericError, /^(fmod|remainder): expected divisors of int32 other than 0/);
    for (const roundingMode of ["trunc", "floor"] as const) {
      assertThrows(() => tapir.div(x, 0, { roundingMode }), tapir.NumericError, /^div: expected divisors of int32 other than 0/);
    }
    assertThrows(() => f(x, int([1, 2, 0])), tapir.NumericError, /other than 0/);
    assertThrows(() => f(x, int([[1], [0]])), tapir.NumericError, /other than 0/);
    assertThrows(() => f(1, int([[3, 0]]).transpose()), tapir.NumericError, /other than 0/);
    assert.equal(f(int([]), 0).shape, [0]);
  }
  assertThrows(() => x.pow(-1), tapir.NumericError, /^pow: expected exponents of int32 that are not negative; convert to a float dtype first$/);
  assertThrows(() => tapir.pow(2, int([3, -1])), tapir.NumericError, /^pow: /);
  const before = tapir.memory.stats().tensors;
  assertThrows(() => x.pow(int([1, 2, -3])), tapir.NumericError, /^pow: /);
  assert.is(tapir.memory.stats().tensors, before + 1, "the exponents alone");
});

test("a compiled function finds the divisor of 0 of a later call", () => {
  const f = tapir.compile((x: tapir.Tensor, d: tapir.Tensor) => x.remainder(d).pow(2).prod());
  assert.is(f(int([7, -8]), int([4, 3])).item(), 9);
  assert.is(f(int([9, 5]), int([5, 3])).item(), 64);
  assertThrows(() => f(int([9, 5]), int([5, 0])), tapir.NumericError, /remainder: expected divisors of int32 other than 0/);
  assert.is(f(int([9, 5]), int([5, 3])).item(), 64);
});

test("a rounded quotient of int32 is exact, and 0 divides nothing", () => {
  const x = int([7, -7, 2147483647, -2147483648]);
  assert.equal(x.div(2, { roundingMode: "floor" }).toArray(), [3, -4, 1073741823, -1073741824]);
  assert.equal(x.div(-2, { roundingMode: "trunc" }).toArray(), [-3, 3, -1073741823, 1073741824]);
  assert.is(x.div(2, { roundingMode: "trunc" }).dtype, "int32");
  assertThrows(() => x.div(0, { roundingMode: "floor" }), tapir.NumericError, /other than 0/);
  assertThrows(() => x.div(2, { roundingMode: "up" as "floor" }), tapir.ConfigError, /^div: expected roundingMode "trunc", "floor" or null; got/);
  assertThrows(() => x.div(2, { roundingMode: null }), tapir.DtypeError, /^div: .*int32/);
  assertThrows(() => x.add(x, { alpha: 0.5 }), tapir.DtypeError, /^add: expected an alpha that int32 holds; got 0.5/);
  assertThrows(() => x.round({ decimals: 1 }), tapir.DtypeError, /^round: /);
  assertThrows(() => x.sum({ dtype: "uint8" }), tapir.DtypeError, /^sum: expected dtype float32, float64 or int32; got/);
  assertThrows(() => x.mean({ dtype: "int32" }), tapir.DtypeError, /^mean: expected dtype float32 or float64; got/);
  const before = tapir.memory.stats().tensors;
  x.div(2, { roundingMode: "floor" }).dispose();
  tensor([1, 2]).add(3, { alpha: 2 }).dispose();
  assert.is(tapir.memory.stats().tensors, before + 1, "the operand of add alone");
});

test("products of integers and booleans are int32, modulo 2^32", () => {
  const random = new Random(SEED);
  for (let round = 0; round < 200; round++) {
    const shape = random.shape();
    const n = shape.reduce((p, q) => p * q, 1);
    const values = Array.from({ length: n }, () => random.integer(-(2 ** 31), 2 ** 31 - 1) | 1);
    const x = int(values).reshape(shape);
    const whole = values.reduce((p, q) => Math.imul(p, q), 1);
    assert.is(x.prod().item(), whole);
    assert.is(turned(x).prod().item(), whole);
    if (shape.length === 0) continue;
    const axis = random.integer(0, shape.length - 1);
    const y = x.cumprod({ axis });
    assert.is(y.dtype, "int32");
    if (shape[axis] > 0)
      assert.equal(
        y
          .slice(...shape.map((_, i) => (i === axis ? [-1, null] : null)))
          .reshape([-1])
          .toArray(),
        x.prod({ axis }).reshape([-1]).toArray(),
      );
  }
  assert.is(tensor([true, true]).prod().dtype, "int32");
  assert.is(tensor([200, 200], { dtype: "uint8" }).prod().item(), 40_000);
  assert.is(tapir.full([70_000], 3, { dtype: "int32" }).prod().item(), power(3, 70_000));
});

test("rounding leaves int32 as it is, in memory of its own", () => {
  const x = int([[1, -2], [3, 2147483647]]); // biome-ignore format: a matrix
  for (const f of [tapir.floor, tapir.ceil, tapir.round, tapir.trunc, tapir.nanToNum]) {
    const y = f(x.transpose());
    assert.equal(y.toArray(), [[1, 3], [-2, 2147483647]]); // biome-ignore format: a matrix
    y.zero_();
    assert.equal(x.toArray(), [[1, -2], [3, 2147483647]]); // biome-ignore format: a matrix
  }
});

test("pad does not cut a value that the dtype cannot hold", () => {
  assert.equal(int([1]).pad(1, { value: -7 }).toArray(), [-7, 1, -7]);
  for (const value of [2.5, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY]) {
    assertThrows(() => int([1]).pad(1, { value }), tapir.DtypeError, /^pad: expected a value that int32 holds; got/);
  }
  assertThrows(() => tensor([1], { dtype: "uint8" }).pad(1, { value: 256 }), tapir.DtypeError, /uint8/);
  assertThrows(() => tensor([true]).pad(1, { value: 2 }), tapir.DtypeError, /bool/);
  assert.equal(tensor([1]).pad([0, 1], { value: Number.POSITIVE_INFINITY }).toArray(), [1, Number.POSITIVE_INFINITY]);
});

test.run();
