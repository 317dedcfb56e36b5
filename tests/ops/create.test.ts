// Creation functions: dtypes, options, odd sizes; conversions and copies.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { arange, ConfigError, DtypeError, eye, full, linspace, onesLike, ShapeError, tensor, zeros, zerosLike } = tapir;
const wrong = <T>(value: unknown): T => value as T;

test("the default dtype is float32, and options choose another or ask for a gradient", () => {
  for (const t of [zeros([2]), tapir.ones([2]), full([2], 1), eye(2), arange(2), linspace(0, 1, 2), tensor([1, 2])]) {
    assert.is(t.dtype, "float32");
    assert.is(t.requiresGrad, false);
  }
  for (const dtype of ["float32", "float64", "int32", "uint8", "bool"] as const) {
    const made = [
      zeros([2], { dtype }),
      tapir.ones([2], { dtype }),
      full([2], 1, { dtype }),
      eye(2, { dtype }),
      eye(2, 3, { dtype }),
      arange(0, 2, 1, { dtype }),
      linspace(0, 1, 2, { dtype }),
      tensor([1, 0], { dtype }),
    ];
    for (const t of made) assert.is(t.dtype, dtype);
  }
  assert.is(eye(2, { requiresGrad: true }).requiresGrad, true);
  assert.is(linspace(0, 1, 3, { requiresGrad: true }).requiresGrad, true);
});

test("zerosLike and onesLike take shape and dtype of a tensor, of any layout", () => {
  const x = arange(0, 6, 1, { dtype: "int32" }).reshape([2, 3]).transpose();
  assert.is(zerosLike(x).dtype, "int32");
  assert.equal(onesLike(x).toArray(), [
    [1, 1],
    [1, 1],
    [1, 1],
  ]);
  assert.is(zerosLike(x, { dtype: undefined }).dtype, "int32");
  assert.is(onesLike(x, { dtype: "bool" }).dtype, "bool");
});

test("eye has ones on its main diagonal, square or not", () => {
  assert.equal(eye(2, 3).toArray(), [
    [1, 0, 0],
    [0, 1, 0],
  ]);
  assert.equal(eye(3, 1).toArray(), [[1], [0], [0]]);
  assert.equal(eye(0).shape, [0, 0]);
});

test("tensor copies arrays, typed arrays and tensors", () => {
  const source = Float32Array.of(1, 2);
  const t = tensor(source);
  source[0] = 9;
  assert.equal(t.toArray(), [1, 2]);
  const copy = tensor(t, { dtype: "float64", requiresGrad: true });
  t.fill_(0);
  assert.equal(copy.toArray(), [1, 2]);
  assert.is(copy.requiresGrad, true);
  assert.equal(tensor(Uint8Array.of(1, 255)).dtype, "uint8");
  assert.equal(tensor([[true], [false]]).dtype, "bool");
  assert.equal(tensor([[], []]).shape, [2, 0]);
  const leaf = tensor([1, 2], { requiresGrad: true });
  assert.is(tensor(leaf.mul(2), { dtype: "float64" }).requiresGrad, false);
});

test("odd arguments are typed errors that begin with the function's name, and leave nothing behind", () => {
  const loop: unknown[] = [];
  loop[0] = loop;
  const x = zeros([2]);
  const bad: [() => unknown, new (message: string) => Error, RegExp][] = [
    [() => zeros([-1]), ShapeError, /^zeros: expected sizes >= 0.*\[-1\]/],
    [() => zeros([1.5]), ShapeError, /^zeros: /],
    [() => zeros([Number.NaN]), ShapeError, /^zeros: .*NaN/],
    [() => zeros([2 ** 20, 2 ** 20]), ShapeError, /^zeros: expected at most 2147483647/],
    [() => zeros([0, 1e308, 1e308]), ShapeError, /^zeros: /],
    [() => zeros(wrong(3)), ShapeError, /^zeros: expected a shape.*3/],
    [() => zeros(wrong("3")), ShapeError, /^zeros: /],
    [() => zeros(wrong(undefined)), ShapeError, /^zeros: /],
    [() => zeros(wrong(null)), ShapeError, /^zeros: /],
    [() => zeros(wrong([null])), ShapeError, /^zeros: /],
    [() => zeros(wrong([{}])), ShapeError, /^zeros: /],
    [() => zeros([2], wrong(null)), ConfigError, /^zeros: expected an object of options/],
    [() => zeros([2], wrong("float32")), ConfigError, /^zeros: /],
    [() => zeros([2], wrong({ type: "float32" })), ConfigError, /^zeros: expected options dtype, requiresGrad; got type/],
    [() => zeros([2], { dtype: wrong("float16") }), DtypeError, /^zeros: expected a dtype.*float16/],
    [() => zeros([2], { dtype: wrong("constructor") }), DtypeError, /^zeros: /],
    [() => zeros([2], { dtype: wrong({}) }), DtypeError, /^zeros: /],
    [() => zeros([2], { dtype: "int32", requiresGrad: true }), DtypeError, /^zeros: .*requiresGrad; got int32/],
    [() => zeros([2], { requiresGrad: wrong(1) }), ConfigError, /^zeros: /],
    [() => tapir.ones([-1]), ShapeError, /^ones: /],
    [() => full([2], wrong("1")), DtypeError, /^full: /],
    [() => full([2], wrong(undefined)), DtypeError, /^full: /],
    [() => full([-2], 1), ShapeError, /^full: /],
    [() => eye(-1), ShapeError, /^eye: .*\[-1,-1\]/],
    [() => eye(2, -1), ShapeError, /^eye: /],
    [() => eye(1.5), ShapeError, /^eye: /],
    [() => eye(1e6), ShapeError, /^eye: /],
    [() => eye(wrong(undefined)), ShapeError, /^eye: /],
    [() => eye(2, wrong(null)), ShapeError, /^eye: /],
    [() => arange(wrong(undefined)), ConfigError, /^arange: /],
    [() => arange(Number.NaN), ConfigError, /^arange: /],
    [() => arange(0, 1, 0), ConfigError, /^arange: .*step other than 0/],
    [() => arange(0, wrong(null)), ConfigError, /^arange: /],
    [() => arange(0, 1e308, 1e-300), ShapeError, /^arange: /],
    [() => arange(0, 1e12), ShapeError, /^arange: /],
    [() => arange(0, 2, 1, wrong({ step: 1 })), ConfigError, /^arange: /],
    [() => linspace(0, 1, 1.5), ShapeError, /^linspace: /],
    [() => linspace(0, 1, -1), ShapeError, /^linspace: /],
    [() => linspace(0, 1, wrong(undefined)), ShapeError, /^linspace: /],
    [() => linspace(0, Number.POSITIVE_INFINITY, 2), ConfigError, /^linspace: /],
    [() => zerosLike(wrong([1])), DtypeError, /^zerosLike: expected a tensor/],
    [() => onesLike(wrong(undefined)), DtypeError, /^onesLike: /],
    [() => onesLike(x, wrong(null)), ConfigError, /^onesLike: /],
    [() => tensor(wrong(undefined)), DtypeError, /^tensor: /],
    [() => tensor(wrong([null])), DtypeError, /^tensor: /],
    [() => tensor(wrong({})), DtypeError, /^tensor: /],
    [() => tensor(wrong(loop)), ShapeError, /^tensor: .*64 deep/],
    [() => tensor([[1], 2]), ShapeError, /^tensor: /],
    [() => tensor(x, wrong({ type: 1 })), ConfigError, /^tensor: /],
    [() => tensor(x, { dtype: "int32", requiresGrad: true }), DtypeError, /^tensor: /],
    [() => x.to(wrong("half")), DtypeError, /^to: expected a dtype.*half/],
    [() => x.to(wrong("toString")), DtypeError, /^to: /],
    [() => tapir.clone(wrong(1)), DtypeError, /^clone: /],
    [() => tapir.detach(wrong(1)), DtypeError, /^detach: /],
  ];
  const before = tapir.memory.stats().tensors;
  for (const [f, kind, message] of bad) {
    assertThrows(f, kind, message);
    assert.is(tapir.memory.stats().tensors, before, `${String(f)} left a tensor behind`);
  }
  assertThrows(() => zeros([2 ** 31 - 1]), tapir.OutOfMemoryError, /memory/);
});

test("conversions between floats pass the gradient in the operand's dtype", () => {
  for (const [from, to] of [
    ["float32", "float64"],
    ["float64", "float32"],
  ] as const) {
    const x = tensor([1, 2], { dtype: from, requiresGrad: true });
    x.to(to).square().sum().backward();
    assert.is(x.grad?.dtype, from);
    assert.equal(x.grad?.toArray(), [2, 4]);
  }
  const y = tensor([1, 2], { requiresGrad: true });
  assert.is(y.to("int32").requiresGrad, false);
  assert.is(y.to("float32"), y);
  assert.is(y.detach().requiresGrad, false);
  assert.is(y.clone().requiresGrad, true);
});

test("conversions of views read their own order", () => {
  const x = arange(6).reshape([2, 3]).transpose().flip({ axis: 0 });
  assert.equal(x.to("int32").toArray(), [
    [2, 5],
    [1, 4],
    [0, 3],
  ]);
});

test("options of arange come last, after one, two or three numbers", () => {
  const dtype = "int32" as const;
  const made = [arange(3, { dtype }), arange(1, 3, { dtype }), arange(5, 0, -2, { dtype }), arange(3, undefined, 1, { dtype })];
  assert.equal(
    made.map((t) => t.toArray()),
    [
      [0, 1, 2],
      [1, 2],
      [5, 3, 1],
      [0, 1, 2],
    ],
  );
  for (const t of made) assert.is(t.dtype, dtype);
  assertThrows(() => arange(3, wrong({ dtyp: dtype })), ConfigError, /arange: expected options dtype, requiresGrad; got dtyp/);
});

test.run();
