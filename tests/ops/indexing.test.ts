// What cases against PyTorch cannot show of the functions over indices and of sorting: errors, dtypes, layouts, order,
// special values, memory.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { tensor, NumericError, ShapeError, DtypeError, ConfigError, DisposedError } = tapir;
type Tensor = tapir.Tensor;
const int = (values: tapir.NestedArray): Tensor => tensor(values, { dtype: "int32" });
const dtypes = ["float32", "float64", "int32", "uint8", "bool"] as const;

test("gather, scatter, sort, topk, unique and their kin move elements of every dtype", () => {
  for (const dtype of dtypes) {
    const x = tensor([[1, 0, 1, 1, 0]], { dtype });
    const show = (y: Tensor): number[] => {
      assert.is(y.dtype, dtype);
      return Array.from(y.data());
    };
    assert.equal(show(x.gather(int([[1, 0]]), { axis: 1 })), [0, 1], dtype);
    assert.equal(show(x.takeAlongAxis(int([[-1, -5]]))), [0, 1], dtype);
    assert.equal(show(x.indexSelect(int([0, 0]))), [1, 0, 1, 1, 0, 1, 0, 1, 1, 0], dtype);
    assert.equal(show(x.scatter(int([[0, 1]]), tensor([[0, 1]], { dtype }), { axis: 1 })), [0, 1, 1, 1, 0], dtype);
    assert.equal(show(x.scatter(int([[4]]), 1, { axis: 1 })), [1, 0, 1, 1, 1], dtype);
    assert.equal(show(x.maskedFill(tensor([[true, true, false, false, false]]), 1)), [1, 1, 1, 1, 0], dtype);
    assert.equal(show(x.sort().values), [0, 0, 1, 1, 1], dtype);
    assert.equal(x.sort().indices.data(), Int32Array.of(1, 4, 0, 2, 3));
    assert.equal(x.sort({ descending: true }).indices.data(), Int32Array.of(0, 2, 3, 1, 4));
    assert.equal(x.topk(3).indices.data(), Int32Array.of(0, 2, 3));
    assert.equal(show(x.unique()), [0, 1], dtype);
    assert.equal(x.nonzero().data(), Int32Array.of(0, 0, 0, 2, 0, 3));
    assert.equal(show(int([1, 0]).oneHot(2, { dtype })), [0, 1, 1, 0], dtype);
    assert.equal(show(tapir.embedding(int([[0]]), x)), [1, 0, 1, 1, 0], dtype);
  }
});

test("the default axis is 0 for gather, scatter and selection, and the last for takeAlongAxis, sort and topk", () => {
  const x = tensor([
    [3, 1],
    [2, 4],
  ]);
  assert.equal(x.gather(int([[1, 0]])).toArray(), [[2, 1]]);
  assert.equal(x.indexSelect(int([1])).toArray(), [[2, 4]]);
  assert.equal(x.takeAlongAxis(int([[1], [0]])).toArray(), [[1], [2]]);
  assert.equal(x.sort().values.toArray(), [
    [1, 3],
    [2, 4],
  ]);
  assert.equal(x.topk(1).values.toArray(), [[3], [4]]);
  assert.equal(x.scatterAdd(int([[1, 1]]), tensor([[10, 20]])).toArray(), [
    [3, 1],
    [12, 24],
  ]);
});

test("an index out of range is a NumericError that names it, its position and the range, and leaves no memory behind", () => {
  const x = tapir.zeros([2, 3]);
  const outside = int([[0, 1, 2]]);
  const before = tapir.memory.stats().tensors;
  assertThrows(() => x.gather(outside), NumericError, /^gather: expected indices from 0 to 1; got 2 at position \[0,2\]$/);
  assert.is(tapir.memory.stats().tensors, before, "tensors are left");
  assertThrows(() => x.gather(int([[-1, 0, 0]])), NumericError, /^gather: expected indices from 0 to 1; got -1 at position \[0,0\]$/);
  assertThrows(() => x.takeAlongAxis(int([[0], [-4]])), NumericError, /^takeAlongAxis: expected indices from -3 to 2; got -4 at position \[1,0\]$/);
  assertThrows(() => x.takeAlongAxis(int([[0, 3]])), NumericError, /^takeAlongAxis: .* got 3 at position \[0,1\]$/);
  assertThrows(() => x.indexSelect(int([0, 5, 9]), { axis: 1 }), NumericError, /^indexSelect: expected indices from 0 to 2; got 5 at position \[1\]$/);
  assertThrows(() => x.scatter(int([[0, 2]]), 1), NumericError, /^scatter: expected indices from 0 to 1; got 2 at position \[0,1\]$/);
  assertThrows(() => x.scatterAdd(int([[0, 2]]), 1), NumericError, /^scatterAdd: .* got 2 at position \[0,1\]$/);
  assertThrows(() => x.indexAdd(int([0, 2 ** 31 - 1]), x), NumericError, /^indexAdd: .* got 2147483647 at position \[1\]$/);
  assertThrows(
    () =>
      int([
        [0, 1],
        [7, 2],
      ]).oneHot(3),
    NumericError,
    /^oneHot: expected indices from 0 to 2; got 7 at position \[1,0\]$/,
  );
  assertThrows(
    () =>
      int([
        [0, 1],
        [1, -2],
      ]).oneHot(),
    NumericError,
    /^oneHot: expected indices from 0 to 1; got -2 at position \[1,1\]$/,
  );
  assertThrows(
    () =>
      tapir.embedding(
        int([
          [0, 1],
          [1, -(2 ** 31)],
        ]),
        x,
      ),
    NumericError,
    /^embedding: .* got -2147483648 at position \[1,1\]$/,
  );
  assertThrows(
    () => tapir.zeros([0, 3]).gather(int([[0]])),
    NumericError,
    /^gather: expected no indices, as axis 0 has no elements; got 0 at position \[0,0\]$/,
  );
  const strided = int([
    [0, 9],
    [1, 8],
  ]).slice(null, 1);
  assertThrows(() => x.indexSelect(strided), NumericError, /got 9 at position \[0\]$/);
});

test("wrong arguments give typed errors", () => {
  const x = tapir.zeros([2, 3]);
  const f = tapir as unknown as Record<string, (...args: unknown[]) => unknown>;
  assertThrows(() => x.gather(tensor([[0]])), DtypeError, /^gather: expected index of dtype int32; got float32; convert it with \.to\("int32"\)$/);
  assertThrows(() => x.gather(tensor([[0]], { dtype: "uint8" })), DtypeError, /^gather: .*got uint8/);
  assertThrows(() => x.gather(int([0])), ShapeError, /^gather: expected index with the axes of x \[2,3\], no larger beside axis 0; got \[1\]$/);
  assertThrows(() => x.gather(int([[0, 0, 0, 0]])), ShapeError, /^gather: .*got \[1,4\]$/);
  assertThrows(() => x.gather(int([[0]]), { axis: 2 }), ShapeError, /^gather: expected an axis from -2 to 1; got number 2$/);
  assertThrows(() => f.gather(x, int([[0]]), 1), ConfigError, /^gather: expected an object of options/);
  assertThrows(() => f.gather(x, int([[0]]), { dim: 1 }), ConfigError, /^gather: expected options axis; got dim$/);
  assertThrows(() => f.gather(x), DtypeError, /^gather: expected a tensor for index; got undefined$/);
  assertThrows(() => x.takeAlongAxis(int([[0], [0], [0]])), ShapeError, /^takeAlongAxis: .*do not broadcast/);
  assertThrows(
    () => x.scatter(int([[0, 0]]), tapir.zeros([1, 1])),
    ShapeError,
    /^scatter: expected source of shape \[1,2\], as index has, or larger; got \[1,1\]$/,
  );
  assertThrows(() => x.scatter(int([[0]]), int([[0]])), DtypeError, /^scatter: expected source of dtype float32, as x has; got int32/);
  const bytes = tensor([1], { dtype: "uint8" });
  assertThrows(() => bytes.scatterAdd(int([0]), bytes), DtypeError, /^scatterAdd: expected x of dtype float32 or float64; got uint8/);
  assertThrows(() => bytes.scatter(int([0]), 1, { reduce: "sum" }), DtypeError, /^scatter: expected x of dtype float32, float64 or int32; got uint8/);
  assertThrows(() => f.scatter(x, int([[0]]), x, { reduce: "max" }), ConfigError, /^scatter: expected reduce sum, prod, mean, amax, amin; got .*max/);
  assertThrows(() => x.scatter(int([[0]]), x, { includeSelf: false }), ConfigError, /^scatter: expected includeSelf with a reduce; got it alone$/);
  assertThrows(() => int([0]).indexAdd(int([0]), int([0]), { alpha: 0.5 }), DtypeError, /^indexAdd: expected an alpha that int32 holds; got 0.5/);
  assertThrows(() => x.unique({ axis: 2 }), ShapeError, /^unique: expected an axis from -2 to 1; got number 2$/);
  assertThrows(() => tensor(1).unique({ axis: 0 }), ShapeError, /^unique: expected x with an axis; got a scalar and axis number 0$/);
  assertThrows(() => tapir.embedding(int([0]), x, { maxNorm: -1 }), ConfigError, /^embedding: expected a number from 0 for maxNorm; got -1$/);
  assertThrows(() => tapir.embedding(int([0]), x.transpose(), { maxNorm: 1 }), ShapeError, /^embedding: expected a contiguous weight for maxNorm/);
  assertThrows(() => x.indexAdd(int([0]), x), ShapeError, /^indexAdd: /);
  assertThrows(() => x.indexSelect(int([[0]])), ShapeError, /^indexSelect: expected x with an axis and index \[n\]; got \[2,3\] and \[1,1\]$/);
  assertThrows(() => x.topk(4), ShapeError, /^topk: expected a whole k from 0 to 3, the size of axis 1 of \[2,3\]; got number 4$/);
  assertThrows(() => x.topk(Number.NaN), ShapeError, /^topk: /);
  assertThrows(() => f.sort(x, { descending: 1 }), ConfigError, /^sort: expected true or false for descending; got 1$/);
  assertThrows(() => int([0]).oneHot(1.5), ShapeError, /^oneHot: expected a whole depth >= 0; got number 1.5$/);
  assertThrows(() => int([]).oneHot(), ShapeError, /^oneHot: expected a depth for no indices; got \[0\] without one$/);
  assertThrows(() => f.oneHot(int([0]), 2, { dtype: "int8" }), DtypeError, /^oneHot: expected a dtype/);
  assertThrows(() => tapir.embedding(int([0]), tapir.zeros([3])), ShapeError, /^embedding: expected weight \[rows, cols\]; got \[3\]$/);
  assertThrows(() => tapir.embedding(int([0]), x, { paddingIdx: 2 }), ConfigError, /^embedding: expected paddingIdx from -2 to 1, or null; got number 2$/);
  assertThrows(() => x.maskedFill(x, 1), DtypeError, /^maskedFill: expected a mask of dtype bool; got float32/);
  assertThrows(
    () => tapir.zeros([3]).maskedFill(tensor([[true], [false]]), 1),
    ShapeError,
    /^maskedFill: expected a mask that broadcasts to \[3\]; got \[2,1\]$/,
  );
  assertThrows(() => x.maskedFill(tensor(true), tapir.zeros([1])), ShapeError, /^maskedFill: expected a number or a 0-d tensor/);
  assertThrows(() => f.unique(x, { dim: 0 }), ConfigError, /^unique: expected options axis, returnInverse, returnCounts, sorted; got dim$/);
  const gone = tapir.zeros([2]);
  gone.dispose();
  for (const name of ["sort", "argsort", "unique", "nonzero"]) assertThrows(() => f[name](gone), DisposedError, new RegExp(`^${name}: `));
});

test("sort keeps the order of equal elements, puts NaN last ascending and first descending, and takes -0 for 0", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const x = tensor([0, Number.NaN, -0, -Infinity, 5, Number.NaN, Infinity, 0, -5e-324, 1e-40, -1e-40], { dtype });
    const up = x.sort();
    const ascending = dtype === "float32" ? [3, 10, 0, 2, 7, 8, 9, 4, 6, 1, 5] : [3, 10, 8, 0, 2, 7, 9, 4, 6, 1, 5];
    assert.equal(Array.from(up.indices.data()), ascending);
    assert.ok(Object.is(up.values.data()[dtype === "float32" ? 3 : 4], -0), "-0 keeps its sign");
    const descending = dtype === "float32" ? [1, 5, 6, 4, 9, 0, 2, 7, 8, 10, 3] : [1, 5, 6, 4, 9, 0, 2, 7, 8, 10, 3];
    assert.equal(Array.from(x.sort({ descending: true }).indices.data()), descending);
    assert.equal(Array.from(x.topk(3).indices.data()), [1, 5, 6]);
    assert.equal(Array.from(x.topk(2, { largest: false }).indices.data()), [3, 10]);
  }
  assert.equal(
    int([3, -(2 ** 31), 2 ** 31 - 1, -1])
      .sort()
      .values.toArray(),
    [-(2 ** 31), -1, 3, 2 ** 31 - 1],
  );
});

/** Positions in stable order, by the language's own sort. */
function reference(values: ArrayLike<number>, descending: boolean): number[] {
  const rank = (v: number): number => (Number.isNaN(v) ? 1 : 0);
  const compare = (p: number, q: number): number => rank(p) - rank(q) || (p < q ? -1 : p > q ? 1 : 0);
  const order = Array.from({ length: values.length }, (_, i) => i);
  return order.sort((i, j) => (descending ? -1 : 1) * compare(values[i], values[j]) || i - j);
}

test("sort and topk give the order of a stable sort at every size, for keys with many and with few ties", () => {
  const random = new Random(7);
  for (const n of [1, 2, 11, 12, 13, 24, 25, 100, 191, 192, 193, 700, 5000]) {
    for (const dtype of dtypes) {
      for (const span of [3, 2 ** 20]) {
        const x = tensor(Float64Array.from({ length: n }, () => (random.unit() < 0.02 ? Number.NaN : Math.floor((random.unit() - 0.5) * span) / 8))).to(dtype);
        for (const descending of [false, true]) {
          const expected = reference(x.data(), descending);
          assert.equal(Array.from(x.argsort({ descending }).data()), expected, `${n} ${dtype} ${span} ${descending}`);
          for (const k of [1, n >> 4, n >> 2, n]) {
            assert.equal(
              Array.from(x.topk(k, { largest: descending }).indices.data()),
              expected.slice(0, k),
              `topk ${k} of ${n} ${dtype} ${span} ${descending}`,
            );
          }
        }
      }
    }
  }
});

test("a million elements are sorted in well under two seconds", () => {
  const random = new Random(3);
  for (const dtype of ["float32", "float64"] as const) {
    const x = tensor(Float64Array.from({ length: 1_000_000 }, () => random.unit() - 0.5)).to(dtype);
    const started = performance.now();
    const { values } = x.sort();
    assert.ok(performance.now() - started < 2000);
    const expected = x.data().sort();
    assert.equal(Buffer.compare(Buffer.from(values.data().buffer), Buffer.from(expected.buffer)), 0);
  }
});

test("of several that scatter writes to one place the last stays, and only that one gets the gradient", () => {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const source = tensor([10, 20, 30, 40], { requiresGrad: true });
  const y = x.scatter(int([0, 2, 0, 2]), source);
  assert.equal(y.toArray(), [30, 2, 40]);
  y.mul(tensor([5, 6, 7]))
    .sum()
    .backward();
  assert.equal(x.grad?.toArray(), [0, 6, 0]);
  assert.equal(source.grad?.toArray(), [0, 0, 5, 7]);
});

test("only the part of a larger source that scatter reads gets a gradient", () => {
  const source = tapir.ones([2, 3], { requiresGrad: true });
  tapir
    .zeros([2, 2])
    .scatterAdd(int([[1, 0]]), source)
    .mul(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    )
    .sum()
    .backward();
  assert.equal(source.grad?.toArray(), [
    [3, 2, 0],
    [0, 0, 0],
  ]);
});

test("scatterAdd adds in the order of the positions, so that its bits depend on the operands alone", () => {
  const random = new Random(5);
  const n = 4000;
  const index = Int32Array.from({ length: n }, () => random.integer(0, 6));
  const values = Float32Array.from({ length: n }, () => (random.unit() - 0.5) * 10 ** random.integer(-3, 3));
  const expected = new Float32Array(7).fill(0.1);
  for (let i = 0; i < n; i++) expected[index[i]] += values[i];
  const y = tapir.full([7], 0.1).scatterAdd(tensor(index), tensor(values));
  assert.equal(y.data(), expected);
  assert.equal(tapir.full([7], 0.1).indexAdd(tensor(index), tensor(values)).data(), expected);
  const w = tapir.zeros([7, 1], { requiresGrad: true });
  const started = expected.map(() => 0);
  for (let i = 0; i < n; i++) started[index[i]] += values[i];
  tapir.embedding(tensor(index), w).squeeze(1).mul(tensor(values)).sum().backward();
  assert.equal(w.grad?.squeeze(1).data(), started);
});

test("the gradient of the padding row of an embedding is 0, even where NaN comes back, also in second derivatives", () => {
  const w = tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    { dtype: "float64", requiresGrad: true },
  );
  const indices = int([
    [1, 0],
    [2, 1],
  ]);
  const y = tapir.embedding(indices, w, { paddingIdx: 1 });
  assert.equal(y.toArray(), [
    [
      [3, 4],
      [1, 2],
    ],
    [
      [5, 6],
      [3, 4],
    ],
  ]);
  y.backward({
    gradient: tensor(
      [
        [
          [Number.NaN, 1],
          [1, 1],
        ],
        [
          [2, 2],
          [1, 1],
        ],
      ],
      { dtype: "float64" },
    ),
  });
  assert.equal(w.grad?.toArray(), [
    [1, 1],
    [0, 0],
    [2, 2],
  ]);
  const cubes = (v: Tensor): Tensor => tapir.embedding(indices, v, { paddingIdx: -2 }).square().mul(3).sum();
  const twice = tapir.grad((v: Tensor) => tapir.grad(cubes)(v).sum())(w.detach());
  assert.equal(twice.toArray(), [
    [6, 6],
    [0, 0],
    [6, 6],
  ]);
});

test("derivatives of sort, topk, unique and embedding are proven to second order", () => {
  const random = new Random(11);
  const distinct = (shape: readonly number[]): Tensor => {
    const n = shape.reduce((a, b) => a * b, 1);
    const order = Array.from({ length: n }, (_, i) => i).sort(() => random.unit() - 0.5);
    return tensor(Float64Array.from(order, (i) => i / 4 - n / 8)).reshape(shape);
  };
  for (let i = 0; i < 25; i++) {
    const shape = random.shape(1, 3);
    const axis = random.integer(-shape.length, shape.length - 1);
    const k = random.integer(0, shape.at(axis) as number);
    const x = distinct(shape);
    const descending = random.pick([true, false]);
    const layout = random.layout(x);
    tapir.gradcheck((v) => tapir.sort(layout(v), { axis, descending }).values.square(), [x], { order: 2 });
    tapir.gradcheck((v) => tapir.topk(layout(v), k, { axis, largest: descending }).values.square(), [x], { order: 2 });
    tapir.gradcheck((v) => tapir.unique(layout(v)).square(), [x], { order: 2 });
    if (shape.length !== 2 || shape[0] === 0) continue;
    const indices = int(Array.from({ length: 6 }, () => random.integer(0, shape[0] - 1))).reshape([2, 3]);
    tapir.gradcheck((v) => tapir.embedding(indices, layout(v)).square(), [x], { order: 2 });
  }
});

test("values of sort, topk and unique leave indices without history", () => {
  const { values, indices } = tapir.sort(tensor([2, 1], { requiresGrad: true }));
  assert.ok(values.requiresGrad);
  assert.not.ok(indices.requiresGrad);
  assert.is(indices.dtype, "int32");
});

test("unique keeps each NaN, and its inverse rebuilds the tensor", () => {
  const x = tensor([
    [2, Number.NaN, -1],
    [2, 0, Number.NaN],
  ]);
  const { values, inverse, counts } = tapir.unique(x, { returnInverse: true, returnCounts: true }) as Required<tapir.Unique>;
  assert.equal(values.toArray(), [-1, 0, 2, Number.NaN, Number.NaN]);
  assert.equal(counts.toArray(), [1, 1, 2, 1, 1]);
  assert.equal(inverse.shape, [2, 3]);
  assert.equal(values.indexSelect(inverse.flatten()).reshape([2, 3]).toArray(), x.toArray());
});

test("views of any layout give what their copies give", () => {
  const base = tapir.arange(60).reshape([3, 4, 5]);
  for (const x of [base.permute(2, 0, 1), base.slice([null, null, -1], [null, null, 2]), tapir.arange(5).sub(2).broadcastTo([3, 4, 5]), base.slice(1)]) {
    const copy = x.clone();
    const at = (fn: (t: Tensor) => Tensor): void => assert.equal(fn(x).toArray(), fn(copy).toArray());
    at((t) => t.nonzero());
    at((t) => t.unique());
    at((t) => t.sort({ axis: 0, descending: true }).values);
    at((t) => t.argsort({ axis: 1 }));
    at((t) => t.topk(2, { axis: 0 }).values);
    at((t) => t.indexSelect(int([1, 0, 1]), { axis: 1 }));
    at((t) => t.takeAlongAxis(t.argsort({ axis: 0 }), { axis: 0 }));
    at((t) => t.scatter(int(0).reshape(new Array<number>(t.ndim).fill(1)), 9));
    at((t) => t.maskedFill(t.gt(20), 0));
  }
});

test("no temporary of these functions outlives its call", () => {
  const x = tapir.randn([4, 6]);
  const index = int([[1, 0, 2, 1, 0, 3]]);
  const rows = int([1, 2]);
  const calls: (() => Tensor | tapir.Sorted | tapir.Unique)[] = [
    () => x.gather(index),
    () => x.takeAlongAxis(int([[-1]])),
    () => x.indexSelect(rows, { axis: 1 }),
    () => x.scatter(index, 1),
    () => x.scatterAdd(index, x),
    () => x.indexAdd(rows, x.slice([0, 2])),
    () => rows.oneHot(3),
    () => tapir.embedding(rows, x, { paddingIdx: 1 }),
    () => x.maskedFill(x.gt(0), 1),
    () => x.sort({ axis: 0 }),
    () => x.argsort({ axis: 0 }),
    () => x.topk(2, { axis: 0 }),
    () => x.unique({ returnCounts: true, returnInverse: true }),
    () => x.transpose().nonzero(),
  ];
  for (const call of calls) {
    tapir.noGrad(() => {
      const before = tapir.memory.stats().tensors;
      const made = call();
      const tensors = made instanceof tapir.Tensor ? [made] : Object.values(made);
      for (const t of tensors) (t as Tensor).dispose();
      // operands written in the call itself: one mask or index at most
      assert.ok(tapir.memory.stats().tensors - before <= 1, call.toString());
    });
  }
});

test("whatever is passed, the errors are tapir's own", () => {
  const random = new Random(17);
  const names = [
    "gather",
    "takeAlongAxis",
    "scatter",
    "scatterAdd",
    "indexSelect",
    "indexAdd",
    "oneHot",
    "embedding",
    "maskedFill",
    "sort",
    "argsort",
    "topk",
    "unique",
    "nonzero",
  ];
  const f = tapir as unknown as Record<string, (...args: unknown[]) => unknown>;
  const odd: (() => unknown)[] = [
    () => undefined,
    () => null,
    () => Number.NaN,
    () => 1e300,
    () => -1,
    () => 0.5,
    () => 2 ** 31,
    () => 3,
    () => "axis",
    () => [1, 2],
    () => Symbol("s"),
    () => 7n,
    () => Object.create(null),
    () => () => 1,
    () => ({ axis: random.pick([0, 1, -1, 5, Number.NaN, "0", null, undefined]) }),
    () => ({ axis: -1, descending: random.pick([true, 1]), largest: random.pick([false, "no"]) }),
    () => ({ dtype: random.pick(["float64", "constructor", 3, null]) }),
    () => ({ paddingIdx: random.pick([0, -1, 99, Number.NaN, "a"]) }),
    () => ({ returnInverse: true }),
  ];
  const shape = (): number[] => random.shape(0, 3);
  const operand = (): Tensor => {
    const own = shape();
    const n = own.reduce((a, b) => a * b, 1);
    return tensor(Float64Array.from({ length: n }, () => random.integer(-3, 4)))
      .to(random.pick([...dtypes, "int32", "int32"]))
      .reshape(own);
  };
  for (let i = 0; i < 20000; i++) {
    const name = random.pick(names);
    const args = Array.from({ length: random.integer(0, 4) }, () => (random.unit() < 0.6 ? operand() : random.pick(odd)()));
    tapir.noGrad(() => {
      const before = tapir.memory.stats().tensors;
      try {
        f[name](...args);
      } catch (error) {
        assert.ok(tapir.memory.stats().tensors <= before, `${name} leaves tensors behind: ${String(error)}`);
        assert.instance(error, tapir.TapirError, `${name}: ${String(error)}`);
        assert.not.match((error as Error).message, /\n/);
        assert.match((error as Error).message, new RegExp(`^(${name}|memory): `));
      }
    });
  }
});

test("embedding with maxNorm shortens the rows that are read, in place, as PyTorch", () => {
  const weight = tensor([[3, 4], [5, 6], [0.5, 0]], { dtype: "float64", requiresGrad: true }); // biome-ignore format: a matrix
  const stale = weight.mul(weight);
  const y = tapir.embedding(int([0, 2, 0]), weight, { maxNorm: 1 });
  const rows = [[0.6, 0.8], [0.5, 0], [0.6, 0.8]]; // biome-ignore format: a matrix
  assertClose(y.data(), rows.flat(), { rtol: 1e-7 });
  assertClose(weight.data(), [rows[0], [5, 6], rows[1]].flat(), { rtol: 1e-7 });
  y.sum().backward();
  assert.equal(weight.grad?.toArray(), [[2, 2], [0, 0], [1, 1]]); // biome-ignore format: a matrix
  assertThrows(() => stale.sum().backward(), tapir.VersionError, /mul/);
  const inf = tensor([[3, -4]], { dtype: "float64" });
  tapir.embedding(int([0]), inf, { maxNorm: 2, normType: Number.POSITIVE_INFINITY });
  assertClose(inf.data(), [1.5, -2], { rtol: 1e-7 });
});

test("a compiled embedding with maxNorm changes the weight at each call", () => {
  const [eager, compiled] = [0, 1].map(() => tensor([[3, 4], [5, 6]], { dtype: "float64" })); // biome-ignore format: a matrix
  const f = tapir.compile((i: Tensor) => tapir.embedding(i, compiled, { maxNorm: 1 }).sum());
  for (const index of [
    [0, 0],
    [1, 0],
    [1, 1],
  ]) {
    assert.is(f(int(index)).item(), tapir.embedding(int(index), eager, { maxNorm: 1 }).sum().item());
    assert.equal(compiled.toArray(), eager.toArray());
  }
});

test("scatter with reduce combines in row-major order, for int32 modulo 2^32", () => {
  const x = int([2147483647, 3]);
  const at = int([0, 0, 1]);
  assert.equal(x.scatter(at, int([1, 5, -9]), { reduce: "sum" }).toArray(), [-2147483643, -6]);
  assert.equal(x.scatter(at, 2, { reduce: "prod", includeSelf: false }).toArray(), [4, 2]);
  assert.equal(x.scatter(int([1]), -4, { reduce: "mean" }).toArray(), [2147483647, -1]);
  assert.equal(x.scatter(int([1]), int([-9]), { reduce: "amax", includeSelf: false }).toArray(), [2147483647, -9]);
  assert.is(x.scatter(at, 2, { reduce: "mean" }).dtype, "int32");
  // float32: (1e8 + 1) - 1e8 is 0, 1e8 - 1e8 + 1 is 1
  const zero = tapir.zeros([1]);
  assert.equal(zero.scatter(int([0, 0, 0]), tensor([1e8, 1, -1e8]), { reduce: "sum" }).toArray(), [0]);
  assert.equal(zero.scatter(int([0, 0, 0]), tensor([1e8, -1e8, 1]), { reduce: "sum" }).toArray(), [1]);
});

test("unique along an axis gives the slices back by their inverse, and its gradient to the first of equal ones", () => {
  const random = new Random(20260711);
  for (let round = 0; round < 100; round++) {
    const shape = random.shape(1, 4);
    const axis = random.integer(0, shape.length - 1);
    const dtype = random.pick(dtypes);
    const n = shape.reduce((a, b) => a * b, 1);
    const x = tensor(Array.from({ length: n }, () => random.integer(0, 1)))
      .to(dtype)
      .reshape(shape);
    const { values, inverse, counts } = x.unique({ axis, returnInverse: true, returnCounts: true }) as Required<tapir.Unique>;
    assert.equal(values.indexSelect(inverse, { axis }).toArray(), x.toArray());
    assert.is(counts.sum().item(), shape[axis]);
    const slices = Array.from({ length: values.shape[axis] }, (_, i) => JSON.stringify(values.indexSelect(int([i]), { axis }).toArray()));
    assert.is(new Set(slices).size, slices.length);
  }
  const rows = tensor([[2, 1], [0, 3], [2, 1]], { requiresGrad: true }); // biome-ignore format: a matrix
  (rows.unique({ axis: 0 }) as Tensor).mul(tensor([[1, 2], [3, 4]])).sum().backward(); // biome-ignore format: a matrix
  assert.equal(rows.grad?.toArray(), [[3, 4], [1, 2], [0, 0]]); // biome-ignore format: a matrix
});

test.run();
