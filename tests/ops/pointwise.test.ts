// Arithmetic of integers, rounding, remainders, activations: what PyTorch's cases do not show.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { tensor } = tapir;
const NAN = Number.NaN;
const INF = Number.POSITIVE_INFINITY;
const int = (values: number[]): tapir.Tensor => tensor(values, { dtype: "int32" });

test("int32 arithmetic wraps and keeps its dtype", () => {
  const x = int([2147483647, -2147483648, 5]);
  assert.equal(x.add(1).toArray(), [-2147483648, -2147483647, 6]);
  assert.equal(x.sub(int([-1, 1, 7])).toArray(), [-2147483648, 2147483647, -2]);
  assert.equal(x.mul(x).toArray(), [1, 0, 25]);
  assert.equal(x.neg().toArray(), [-2147483647, -2147483648, -5]);
  assert.equal(x.abs().toArray(), [2147483647, -2147483648, 5]);
  assert.equal(int([7, 0, -3, 2147483647, -2147483648]).sign().toArray(), [1, 0, -1, 1, -1]);
  assert.is(x.add(x).dtype, "int32");
  x.add_(1)
    .mul_(2)
    .sub_(int([1]));
  assert.equal(x.toArray(), [-1, 1, 11]);
});

test("division of integers and fractions beside integers ask for a conversion", () => {
  assertThrows(() => int([1]).div(2), tapir.DtypeError, /^div: .*int32; convert it with \.to\("float32"\)/);
  assertThrows(() => int([1]).div_(2), tapir.DtypeError, /^div_: .*int32/);
  assertThrows(() => int([1]).add(0.5), tapir.DtypeError, /^add: .*int32 holds.*got 0\.5.*\.to\("float32"\)/);
  assertThrows(() => int([1]).add(NAN), tapir.DtypeError, /^add: /);
  assertThrows(() => int([1]).mul(3e9), tapir.DtypeError, /^mul: /);
  assertThrows(() => int([1]).add(tensor([1])), tapir.DtypeError, /^add: .*int32/);
  assertThrows(() => tensor([true]).neg(), tapir.DtypeError, /^neg: .*bool/);
  assertThrows(() => int([1]).exp(), tapir.DtypeError, /^exp: .*int32; convert it with \.to\("float32"\)/);
});

test("every length and alignment gives the same elements as one by one", () => {
  const x = tapir.arange(70).sub(35).div(8);
  const whole = int(Array.from({ length: 70 }, (_, i) => i * 1e8 - 3e9));
  for (const dtype of ["float32", "float64"] as const) {
    const t = x.to(dtype);
    for (let n = 0; n <= 35; n++) {
      const part = tensor(t.data().slice(n, 2 * n) as Float32Array);
      const other = tensor(t.data().slice(3, 3 + n) as Float32Array);
      for (const f of [tapir.add, tapir.mul, tapir.maximum, tapir.fmod, tapir.remainder, tapir.lt, tapir.eq]) {
        const y = f(part, other).data();
        for (let i = 0; i < n; i++) {
          const alone = f(tensor(part.data().slice(i, i + 1) as Float32Array), tensor(other.data().slice(i, i + 1) as Float32Array)).item();
          assert.ok(Object.is(y[i], alone), `${f.name} of ${n}: [${i}] ${y[i]} instead of ${alone}`);
        }
      }
      for (const f of [tapir.relu, tapir.neg, tapir.round, tapir.softsign, tapir.hardswish, tapir.isfinite, tapir.nanToNum]) {
        const y = f(part).data();
        for (let i = 0; i < n; i++) assert.ok(Object.is(y[i], f(tensor(part.data().slice(i, i + 1) as Float32Array)).item()), `${f.name} of ${n}: [${i}]`);
      }
    }
  }
  for (let n = 0; n <= 35; n++) {
    const part = tensor(whole.data().slice(n, 2 * n) as Int32Array);
    assert.equal(
      [...part.clamp(-5, 7).data()],
      [...part.data()].map((v) => Math.min(Math.max(v, -5), 7)),
    );
    assert.equal([...part.mul(3).data()], [...part.data()].map((v) => Math.imul(v, 3))); // biome-ignore format: one line
  }
});

test("fmod and remainder are exact for every pair of magnitudes", () => {
  const random = new Random(5);
  const magnitude = (low: number, high: number): number => random.pick([-1, 1]) * (1 + random.unit()) * 2 ** random.integer(low, high);
  for (const [dtype, low, high] of [
    ["float64", -1074, 1022],
    ["float32", -149, 126],
    ["float64", -3, 30],
    ["float32", -3, 12],
  ] as const) {
    // biome-ignore format: a table
    const draw = (): tapir.Tensor => tensor(Array.from({ length: 2000 }, () => magnitude(low, high)), { dtype }); // biome-ignore format: one line
    const [a, b] = [draw(), draw()];
    const [p, q] = [a.data(), b.data()];
    const f = tapir.fmod(a, b).data();
    const r = tapir.remainder(a, b).data();
    for (let i = 0; i < 2000; i++) {
      const exact = p[i] % q[i];
      assert.ok(Object.is(f[i], exact), `fmod(${p[i]}, ${q[i]}) ${dtype}: ${f[i]} instead of ${exact}`);
      const rest = exact !== 0 && exact < 0 !== q[i] < 0 ? exact + q[i] : exact;
      const rounded = dtype === "float32" ? Math.fround(rest) : rest;
      assert.ok(r[i] === rounded || (Number.isNaN(r[i]) && Number.isNaN(rest)), `remainder(${p[i]}, ${q[i]}) ${dtype}: ${r[i]} instead of ${rounded}`);
    }
  }
});

test("remainders of infinities and by zero are NaN, by an infinity the number itself", () => {
  const a = tensor([5, INF, -INF, NAN, 5, -5, 0]);
  const b = tensor([0, 2, 2, 2, INF, INF, 3]);
  assert.equal(a.fmod(b).toArray(), [NAN, NAN, NAN, NAN, 5, -5, 0]);
  assert.equal(a.remainder(b).toArray(), [NAN, NAN, NAN, NAN, 5, INF, 0]);
});

test("round takes halves to even and keeps the sign of zero", () => {
  assert.equal(tensor([0.5, 1.5, 2.5, -0.5, -1.5, 8388609]).round().toArray(), [0, 2, 2, -0, -2, 8388609]);
  assert.ok(Object.is(tensor([-0.4]).round().item(), -0));
});

test("nanToNum puts the ends of the dtype in place of infinities", () => {
  const x = [NAN, INF, -INF, 2];
  assert.equal(tensor(x).nanToNum().toArray(), [0, 3.4028234663852886e38, -3.4028234663852886e38, 2]);
  assert.equal(tensor(x, { dtype: "float64" }).nanToNum({ posinf: 7 }).toArray(), [0, 7, -Number.MAX_VALUE, 2]);
  assert.equal(tensor(x).nanToNum({ nan: INF, posinf: 1 }).toArray(), [INF, 1, -3.4028234663852886e38, 2]);
});

test("functions in place change the tensor, and a derivative that needs it is refused", () => {
  const x = tensor([-4, 9]);
  assert.is(x.abs_().sqrt_().neg_(), x);
  assert.equal(x.toArray(), [-2, -3]);
  assert.equal(x.square_().reciprocal_().clamp_(0.2).toArray(), [0.25, Math.fround(0.2)]);
  assert.equal(tensor([-1, 2]).relu_().toArray(), [0, 2]);
  assert.equal(int([-9, 9]).clamp_(null, 3).toArray(), [-9, 3]);
  for (const name of ["exp", "sigmoid", "tanh"] as const) assert.equal(tensor([-1, 2])[`${name}_`]().toArray(), tensor([-1, 2])[name]().toArray());
  const w = tensor([1, 2], { requiresGrad: true });
  const y = w.mul(x);
  x.relu_();
  assertThrows(() => y.sum().backward(), tapir.VersionError, /mul/);
  assertThrows(() => w.relu_(), tapir.GradientError, /^relu_: /);
  assertThrows(() => int([1]).exp_(), tapir.DtypeError, /^exp_: /);
  assertThrows(() => x.add_(undefined as unknown as number), tapir.DtypeError, /^add_: expected a tensor or a number/);
});

test("subgradients at kinks are PyTorch's", () => {
  const slope = (f: (x: tapir.Tensor) => tapir.Tensor, at: number): number => {
    const x = tensor([at], { requiresGrad: true });
    f(x).sum().backward();
    return (x.grad as tapir.Tensor).item();
  };
  assert.is(slope(tapir.relu, 0), 0);
  assert.is(slope(tapir.abs, 0), 0);
  assert.is(slope(tapir.sqrt, 0), INF);
  assert.is(
    slope((x) => tapir.leakyRelu(x, { negativeSlope: 0.25 }), 0),
    0.25,
  );
  assert.equal([slope(tapir.hardtanh, -1), slope(tapir.hardtanh, 1)], [0, 0]);
  assert.equal([slope((x) => x.clamp(-1, 1), -1), slope((x) => x.clamp(-1, 1), 1)], [1, 1]);
  assert.equal([slope(tapir.hardsigmoid, -3), slope(tapir.hardsigmoid, 3)], [0, 0]);
  assert.equal([slope(tapir.hardswish, -3), slope(tapir.hardswish, 3)], [-0.5, 1]);
  assert.is(slope(tapir.softsign, 0), 1);
  assert.is(
    slope((x) => tapir.maximum(x, x.detach()), 2),
    0.5,
  );
  assert.is(
    slope((x) => tapir.minimum(x, x.detach()), 2),
    0.5,
  );
});

test("bad options of activations are typed errors of one line", () => {
  const x = tensor([1]);
  assertThrows(() => x.leakyRelu({ slope: 1 } as object), tapir.ConfigError, /^leakyRelu: expected options negativeSlope; got slope/);
  assertThrows(() => x.leakyRelu({ negativeSlope: NAN }), tapir.ConfigError, /^leakyRelu: expected a number for negativeSlope; got number NaN/);
  assertThrows(() => x.leakyRelu(0.1 as unknown as object), tapir.ConfigError, /^leakyRelu: expected an object of options/);
  assertThrows(() => x.hardtanh({ minVal: 2 }), tapir.ConfigError, /^hardtanh: expected minVal <= maxVal; got 2 and 1/);
  assertThrows(() => x.nanToNum({ nan: "1" as unknown as number }), tapir.ConfigError, /^nanToNum: expected a number for nan; got string 1/);
  assertThrows(() => tapir.hardtanh(undefined as unknown as tapir.Tensor), tapir.DtypeError, /^hardtanh: expected a tensor for x/);
  assertThrows(() => tapir.fmod(1, null as unknown as number), tapir.DtypeError, /^fmod: expected a tensor or a number for b; got null/);
  assertThrows(() => tapir.fmod(x, tapir.zeros([3], { dtype: "float64" })), tapir.DtypeError, /^fmod: .*float32.*float64/);
});

test.run();
