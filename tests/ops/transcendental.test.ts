// What a user may rely on of exponentials, circular functions, powers and smooth activations, beside their values.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { tensor } = tapir;
const unary = "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh erf sigmoid silu gelu mish softplus elu selu".split(" ");
type Unary = (x: tapir.Tensor, options?: unknown) => tapir.Tensor;
const functions = tapir as unknown as Record<string, Unary>;

test("an element has the same bits alone, in a row of any length and beside special values", () => {
  for (const dtype of ["float32", "float64"] as const) {
    for (const name of unary) {
      const f = functions[name];
      const values = [0.3, -0.7, 1e-5, 0.9, 0.5, -0.25, 0.11, 0.77, -0.99, 0.6, 0.05, -0.4, 0.2];
      const alone = values.map((v) => f(tensor([v], { dtype })).item());
      for (const n of [2, 3, 4, 5, 7, 8, 13]) assert.equal(f(tensor(values.slice(0, n), { dtype })).toArray(), alone.slice(0, n), `${name} ${dtype} ${n}`);
      const mixed = values.flatMap((v, i) => [v, [Number.NaN, Number.POSITIVE_INFINITY, 1e30, 0, -1e-40][i % 5]]);
      const y = f(tensor(mixed, { dtype })).data();
      assert.equal(
        values.map((_, i) => y[2 * i]),
        alone,
        `${name} ${dtype}`,
      );
    }
  }
});

test("float64 is computed in double precision", () => {
  const x = tensor([0.1, 1 / 3, 0.7], { dtype: "float64" });
  assertClose(
    x.exp().data(),
    [0.1, 1 / 3, 0.7].map((v) => Math.exp(v)),
    { rtol: 4e-16 },
  );
  assertClose(
    x.pow(tensor([10, -3, 0.5], { dtype: "float64" })).data(),
    [
      [0.1, 10],
      [1 / 3, -3],
      [0.7, 0.5],
    ].map(([a, b]) => a ** b),
    { rtol: 1e-15 },
  );
});

test("numbers stand on either side of pow and atan2, and the result has the tensor's dtype", () => {
  const x = tensor([1, 2, 3], { dtype: "float64" });
  assert.equal(x.pow(2).toArray(), [1, 4, 9]);
  assert.equal(tapir.pow(2, x).toArray(), [2, 4, 8]);
  assert.equal(tapir.pow(2, 3).item(), 8);
  assert.is(tapir.pow(2, x).dtype, "float64");
  assert.equal(tapir.atan2(tensor([0, 1]), -1).toArray(), [Math.fround(Math.PI), Math.fround(Math.PI * 0.75)]);
});

test("powers of 0 and to 0 have PyTorch's gradients", () => {
  const gradients = (a: number[], b: number): unknown => {
    const x = tensor(a, { requiresGrad: true });
    x.pow(b).sum().backward();
    return x.grad?.toArray();
  };
  assert.equal(gradients([0, 2, -3], 0), [0, 0, 0]);
  assert.equal(gradients([0, 2, -3], 1), [1, 1, 1]);
  assert.equal(gradients([0, 2, -3], 2), [0, 4, -6]);
  assert.equal(gradients([0], 0.5), [Number.POSITIVE_INFINITY]);
  const b = tensor([0, 1, 2], { requiresGrad: true });
  tapir.pow(0, b).sum().backward();
  assert.equal(b.grad?.toArray(), [0, 0, 0]);
});

test("derivatives at kinks are those from below", () => {
  const slope = (f: (x: tapir.Tensor) => tapir.Tensor): unknown =>
    tapir
      .grad(f)(tensor(0, { dtype: "float64" }) as tapir.Tensor)
      .item();
  assert.equal(
    slope((x) => x.elu({ alpha: 2 })),
    2,
  );
  assertClose([slope((x) => x.selu()) as number], [1.0507009873554805 * 1.6732632423543772], { rtol: 1e-15 });
  // at beta x = threshold the curve still counts
  const x = tensor([2], { requiresGrad: true, dtype: "float64" });
  x.softplus({ threshold: 2 }).sum().backward();
  assertClose(x.grad?.data() ?? [], [1 / (1 + Math.exp(-2))], { rtol: 1e-15 });
});

test("activations neither overflow nor leave their asymptotes for large arguments", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = tensor([-1e30, -100, 100, 1e30], { dtype });
    for (const name of ["silu", "gelu", "mish", "softplus"]) {
      const [far, near, ...right] = functions[name](x).data();
      assert.ok(far === 0 && Math.abs(near) < 1e-30, `${name} ${dtype}: ${far}, ${near}`);
      assert.equal(right, [100, dtype === "float32" ? Math.fround(1e30) : 1e30], `${name} ${dtype}`);
    }
    const approximate = tapir.gelu(x, { approximate: "tanh" }).data();
    assert.ok(approximate[0] === 0 && approximate[2] === 100);
    assert.equal([...tapir.elu(x, { alpha: 0.5 }).data().subarray(0, 2)], [-0.5, -0.5]);
    for (const name of ["silu", "gelu", "mish", "softplus"]) {
      const p = tensor([-1e6, -200, 200, 1e6], { dtype, requiresGrad: true });
      functions[name](p).sum().backward();
      const slopes = [...(p.grad?.data() ?? [])];
      assert.ok(slopes.slice(0, 2).every((g) => Math.abs(g) < 1e-30) && slopes.slice(2).every((g) => g === 1), `${name} ${dtype}: ${slopes}`);
    }
  }
});

test("wrong calls are typed errors of one line and leave no tensor behind", () => {
  const x = tensor([1, 2]);
  const before = tapir.memory.stats().tensors;
  for (const name of unary) {
    const f = functions[name] as (...args: unknown[]) => unknown;
    assertThrows(() => f(), tapir.DtypeError, new RegExp(`^${name}: expected a tensor for x; got undefined$`));
    assertThrows(() => f("x"), tapir.DtypeError, new RegExp(`^${name}: `));
  }
  for (const name of ["pow", "atan2"]) {
    const f = functions[name] as (...args: unknown[]) => unknown;
    assertThrows(() => f(x), tapir.DtypeError, new RegExp(`^${name}: expected a tensor or a number for b`));
    assertThrows(() => f(x, null), tapir.DtypeError, new RegExp(`^${name}: `));
    assertThrows(() => f(x, [1, 2]), tapir.DtypeError, new RegExp(`^${name}: `));
  }
  const loose = tapir as unknown as Record<string, (x: tapir.Tensor, options: unknown) => unknown>;
  assertThrows(() => loose.gelu(x, { approximate: "sigmoid" }), tapir.ConfigError, /^gelu: .*none.*tanh.*sigmoid/);
  assertThrows(() => loose.gelu(x, null), tapir.ConfigError, /^gelu: /);
  assertThrows(() => loose.softplus(x, { beta: 0 }), tapir.ConfigError, /^softplus: .*beta/);
  assertThrows(() => loose.softplus(x, { beta: Number.NaN }), tapir.ConfigError, /^softplus: .*beta/);
  assertThrows(() => loose.softplus(x, { gamma: 1 }), tapir.ConfigError, /^softplus: .*gamma/);
  assertThrows(() => loose.elu(x, { alpha: "1" }), tapir.ConfigError, /^elu: .*alpha/);
  assertThrows(() => loose.elu(x, 3), tapir.ConfigError, /^elu: /);
  assert.is(tapir.memory.stats().tensors, before);
  x.dispose();
});

test.run();
