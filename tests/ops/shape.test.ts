// Shape functions beyond what PyTorch's cases show: every dtype, slices by the definition, derivatives of compositions, errors.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { arange, ConfigError, DisposedError, DtypeError, ShapeError, tensor } = tapir;
type Tensor = tapir.Tensor;
const DTYPES = ["float32", "float64", "int32", "uint8", "bool"] as const;

const x34 = (): Tensor => arange(12).reshape([3, 4]);

const moves: Record<string, (x: Tensor) => Tensor> = {
  reshape: (x) => x.transpose().reshape([-1]),
  slice: (x) => x.slice([null, null, -1], [null, null, 2]),
  flip: (x) => x.flip(),
  concat: (x) => tapir.concat([x, x.flip()], { axis: 1 }),
  stack: (x) => tapir.stack([x, x.flip({ axis: 0 })], { axis: 1 }),
  split: (x) => x.split(1, { axis: 1 })[1],
  pad: (x) => x.transpose().pad([[1, 2]].concat([[0, 1]]), { value: 1 }),
  "pad reflect": (x) => x.pad([1, 1], { mode: "reflect" }),
  "pad replicate": (x) => x.pad(2, { mode: "replicate" }),
  "pad circular": (x) => x.transpose().pad(2, { mode: "circular" }),
  tile: (x) => x.transpose().tile([2, 3]),
  roll: (x) => x.flip().roll([1, 2], { axis: [0, 1] }),
  tril: (x) => x.transpose().tril(),
  triu: (x) => x.triu(1),
  diagonal: (x) => x.diagonal({ offset: 1 }),
  clone: (x) => x.flip().clone(),
};

for (const [name, f] of Object.entries(moves)) {
  test(`${name} moves elements of every dtype alike`, () => {
    const bits = tensor([1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0]).reshape([3, 4]);
    const expected = f(bits).toArray();
    for (const dtype of DTYPES) {
      const y = f(bits.to(dtype));
      assert.is(y.dtype, dtype);
      assert.equal(y.to("float32").toArray(), expected);
    }
  });
}

test("slice takes what NumPy takes, for many random specifications", () => {
  const random = new Random(11);
  for (let i = 0; i < 2000; i++) {
    const n = random.integer(0, 6);
    const bound = (): number | null => (random.unit() < 0.3 ? null : random.integer(-n - 2, n + 2));
    const [start, stop] = [bound(), bound()];
    const step = random.pick([null, 1, 2, 3, 7, -1, -2, -3, -7]);
    const expected: number[] = [];
    const s = step ?? 1;
    // the definition: clip, then walk
    const clip = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + n : v, low), high);
    if (s > 0) for (let j = start === null ? 0 : clip(start, 0, n); j < (stop === null ? n : clip(stop, 0, n)); j += s) expected.push(j);
    else for (let j = start === null ? n - 1 : clip(start, -1, n - 1); j > (stop === null ? -1 : clip(stop, -1, n - 1)); j += s) expected.push(j);
    assert.equal(arange(n).slice([start, stop, step]).toArray(), expected, `${n} [${start}:${stop}:${step}]`);
  }
});

test("slices of slices point to the right elements", () => {
  const x = arange(24).reshape([2, 3, 4]);
  const y = x.slice(null, [null, null, -1]).slice(1, [1, null], [null, null, -2]);
  assert.equal(y.toArray(), [
    [19, 17],
    [15, 13],
  ]);
  assert.equal(y.flip().reshape([4]).toArray(), [13, 15, 17, 19]);
  assert.equal(y.slice([5, 9]).shape, [0, 2]);
  assert.equal(y.slice([5, 9]).flip().clone().toArray(), []);
});

test("reshape is a view exactly where strides allow, for many random layouts", () => {
  const random = new Random(5);
  for (let i = 0; i < 500; i++) {
    const shape = random.shape(1, 4);
    const x = random.layout(arange(shape.reduce((a, b) => a * b, 1)).reshape(shape))(tapir.rand(shape));
    const to: number[] = [];
    for (const n of shape) {
      if (to.length > 0 && random.unit() < 0.5) to.push((to.pop() as number) * n);
      else to.push(...(n === 4 && random.unit() < 0.5 ? [2, 2] : random.unit() < 0.3 ? [1, n] : [n]));
    }
    const y = x.reshape(to);
    assert.equal(y.shape, to);
    assert.equal(y.data(), x.data());
  }
});

test("functions that return lists give tensors that can be differentiated", () => {
  const x = arange(6).to("float64");
  x.requiresGrad = true;
  const [a, b, c] = x.split([1, 2, 3]);
  a.sum().add(b.sum().mul(2)).add(c.mul(c).sum()).backward();
  assert.equal(x.grad?.toArray(), [1, 2, 2, 6, 8, 10]);
});

test("gradients flow through tile, roll, stack and trace to second order", () => {
  const x = tensor([0.5, -1.5, 2, 1], { dtype: "float64" }).reshape([2, 2]);
  const functions: ((x: Tensor) => Tensor)[] = [
    (t) => t.tile([2, 1, 3]).mul(tapir.rand([2, 2, 6], { dtype: "float64" }).detach()),
    (t) => t.square().roll(1),
    (t) => tapir.stack([t, t.mul(t)], { axis: -1 }),
    (t) => t.mul(t).trace(),
    (t) => tapir.concat([t, t.square(), t, t, t.exp()], { axis: 1 }),
    (t) => t.square().flatten().split(3)[1],
  ];
  for (const f of functions) {
    tapir.manualSeed(1);
    const seeded = (t: Tensor): Tensor => {
      tapir.manualSeed(1);
      return f(t);
    };
    assert.ok(tapir.gradcheck(seeded, [x], { order: 2 }));
  }
});

test("bad arguments are typed errors of one line that begin with the function's name", () => {
  const x = x34();
  const wrong = <T>(value: unknown): T => value as T;
  const bad: [() => unknown, new (message: string) => Error, RegExp][] = [
    [() => tapir.reshape(x, [5]), ShapeError, /^reshape: expected 12 elements.*\[5\]/],
    [() => x.reshape([-1, -1]), ShapeError, /^reshape: .*-1/],
    [() => x.reshape([0, -1]), ShapeError, /^reshape: /],
    [() => x.reshape([2.5, -1]), ShapeError, /^reshape: /],
    [() => x.reshape(wrong(undefined)), ShapeError, /^reshape: expected a shape.*undefined/],
    [() => x.reshape(wrong(Object.create(null))), ShapeError, /^reshape: expected a shape/],
    [() => x.reshape(wrong([Object.create(null), Symbol("n")])), ShapeError, /^reshape: /],
    [() => x.reshape([1e308, 1e308, 0]), ShapeError, /^reshape: /],
    [() => x.flatten(1, 0), ShapeError, /^flatten: /],
    [() => x.permute(0), ShapeError, /^permute: expected each of the 2 axes once; got \[0\]/],
    [() => x.permute(0, 0), ShapeError, /^permute: .*once/],
    [() => x.permute([0, Number.NaN]), ShapeError, /^permute: .*NaN/],
    [() => x.transpose(0, 2), ShapeError, /^transpose: expected an axis from -2 to 1; got 2/],
    [() => tensor(1).transpose(), ShapeError, /^transpose: /],
    [() => x.broadcastTo([4, 3]), ShapeError, /^broadcastTo: /],
    [() => x.broadcastTo([2 ** 30, 3, 4]), ShapeError, /^broadcastTo: .*2147483647/],
    [() => x.expand([-1]), ShapeError, /^(expand|broadcastTo): /],
    [() => x.expand(wrong("34")), ShapeError, /^expand: /],
    [() => x.unsqueeze(4), ShapeError, /^unsqueeze: /],
    [() => x.unsqueeze(wrong(undefined)), ShapeError, /^unsqueeze: /],
    [() => x.squeeze(0), ShapeError, /^squeeze: expected size 1 at axis 0; got shape \[3,4\]/],
    [() => x.squeeze([0, 0]), ShapeError, /^squeeze: /],
    [() => x.slice(3), ShapeError, /^slice: .*-3 to 2 for axis 0; got number 3/],
    [() => x.slice(null, null, null), ShapeError, /^slice: expected at most 2/],
    [() => x.slice([0, 1, 0]), ShapeError, /^slice: .*step not 0/],
    [() => x.slice([0, Number.NaN]), ShapeError, /^slice: .*NaN/],
    [() => x.slice([0, 1, 1, 1]), ShapeError, /^slice: /],
    [() => x.slice(wrong("0:1")), ShapeError, /^slice: .*string 0:1/],
    [() => x.flip({ axis: 2 }), ShapeError, /^flip: /],
    [() => x.flip(wrong({ dim: 0 })), ConfigError, /^flip: expected options axis; got dim/],
    [() => x.flip(wrong(null)), ConfigError, /^flip: /],
    [() => tapir.concat([]), ShapeError, /^concat: .*empty list/],
    [() => tapir.concat(wrong(x)), ShapeError, /^concat: expected a list/],
    [() => tapir.concat([x, wrong(1)]), DtypeError, /^concat: expected a tensor for tensor 1; got number 1/],
    [() => tapir.concat([x, x.to("float64")]), DtypeError, /^concat: .*float32.*float64/],
    [() => tapir.concat([x, x.transpose()]), ShapeError, /^concat: .*\[3,4\].*axis 0; got \[4,3\] for tensor 1/],
    [() => tapir.concat([x, arange(4)]), ShapeError, /^concat: /],
    [() => tapir.concat([tensor(1), tensor(2)]), ShapeError, /^concat: expected no axis/],
    [() => tapir.concat([x], wrong({ dim: 1 })), ConfigError, /^concat: /],
    [() => tapir.stack([x, x.slice([1])]), ShapeError, /^stack: .*\[2,4\] for tensor 1/],
    [() => tapir.stack([x], { axis: 3 }), ShapeError, /^stack: /],
    [() => x.split([1, 1]), ShapeError, /^split: expected sizes that sum to 3.*\[1,1\]/],
    [() => x.split(0), ShapeError, /^split: /],
    [() => x.split(-1), ShapeError, /^split: /],
    [() => x.split([4, -1]), ShapeError, /^split: /],
    [() => x.split(wrong(undefined)), ShapeError, /^split: /],
    [() => x.chunk(0), ShapeError, /^chunk: /],
    [() => x.chunk(Number.POSITIVE_INFINITY), ShapeError, /^chunk: /],
    [() => tapir.zeros([0]).chunk(1e15), ShapeError, /^chunk: /],
    [() => x.tile(-1), ShapeError, /^tile: /],
    [() => x.tile([1e9, 1e9]), ShapeError, /^tile: /],
    [() => x.tile(wrong(null)), ShapeError, /^tile: /],
    [() => x.roll([1, 2]), ShapeError, /^roll: expected one shift/],
    [() => x.roll([1, 2], { axis: 0 }), ShapeError, /^roll: expected one shift an axis/],
    [() => x.roll(0.5), ShapeError, /^roll: /],
    [() => x.pad([[1, 1]]), ShapeError, /^pad: expected \[before, after\].*\[\[1,1\]\]/],
    [() => x.pad(-2), ShapeError, /^pad: expected negative widths/],
    [
      () =>
        x.pad([
          [-4, 5],
          [0, 0],
        ]),
      ShapeError,
      /^pad: expected negative widths/,
    ],
    [() => x.pad(3, { mode: "reflect" }), ShapeError, /^pad: expected widths of at most 2 at axis 0/],
    [() => x.pad(4, { mode: "circular" }), ShapeError, /^pad: expected widths of at most 3/],
    [() => tapir.zeros([0]).pad(1, { mode: "replicate" }), ShapeError, /^pad: /],
    [() => x.pad(1, { mode: wrong("mirror") }), ConfigError, /^pad: expected mode constant, reflect, replicate, circular; got string mirror/],
    [() => x.pad(1, { mode: "reflect", value: 1 }), ConfigError, /^pad: expected no value/],
    [() => x.pad(1e9), ShapeError, /^pad: /],
    [() => x.pad(1, { value: wrong("0") }), DtypeError, /^pad: /],
    [() => arange(3).tril(), ShapeError, /^tril: expected matrices.*\[3\]/],
    [() => x.triu(0.5), ShapeError, /^triu: /],
    [() => arange(3).diagonal(), ShapeError, /^diagonal: /],
    [() => x.diagonal({ axis1: 1 }), ShapeError, /^diagonal: expected two different axes/],
    [() => x.trace({ offset: Number.NaN }), ShapeError, /^trace: /],
    [() => tapir.flip(wrong([1])), DtypeError, /^flip: expected a tensor/],
  ];
  for (const [f, kind, message] of bad) assertThrows(f, kind, message);
});

test("a disposed operand is named", () => {
  const x = x34();
  x.dispose();
  assertThrows(() => x.split(1), DisposedError, /^split: /);
  assertThrows(() => x.chunk(1), DisposedError, /^chunk: /);
  assertThrows(() => x.tile(2), DisposedError, /^tile: /);
  assertThrows(() => x.pad(1, { mode: "reflect" }), DisposedError, /^pad: /);
  assertThrows(() => tapir.stack([x, x]), DisposedError, /^stack: /);
  assertThrows(() => tapir.concat([x, x]), DisposedError, /^concat: /);
});

test("composed functions leave nothing behind but their result", () => {
  const x = x34();
  const rows = x.split(1).map((row) => row.flatten());
  const square = x.slice([0, 3], [0, 3]);
  const calls: (() => Tensor | Tensor[])[] = [
    () => x.tile([2, 2]),
    () => x.roll(1),
    () => tapir.stack([x, x], { axis: 2 }),
    () => x.pad([-1, 1], { mode: "reflect" }),
    () => x.trace(),
    () => rows[0].outer(rows[1]),
    () => rows[0].dot(rows[1]),
    () => x.linear(x),
    () => tapir.einsum("ij,kj,ll->ik", x, x, square),
  ];
  for (const f of calls) {
    const before = tapir.memory.stats().tensors;
    const y = f();
    assert.is(tapir.memory.stats().tensors - before, 1, String(f));
    for (const t of Array.isArray(y) ? y : [y]) t.dispose();
    assert.is(tapir.memory.stats().tensors, before);
  }
});

test.run();
