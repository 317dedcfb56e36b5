// What PyTorch's cases do not show of reductions: the order of addition, large sizes, layouts, dtypes, errors, memory.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { tensor } = tapir;
const SEED = 20240611;
console.log(`seed ${SEED}`);

type Reduce = (x: tapir.Tensor, options?: { axis?: number | readonly number[]; keepdims?: boolean }) => tapir.Tensor;
const floats: Record<string, Reduce> = {
  sum: tapir.sum,
  mean: tapir.mean,
  prod: tapir.prod,
  max: tapir.max,
  min: tapir.min,
  variance: tapir.variance,
  std: tapir.std,
  logsumexp: tapir.logsumexp,
  norm: tapir.norm,
  norm1: (x, options) => tapir.norm(x, { ...options, ord: 1 }),
};

/** Along a row in double precision. */
const formulas: Record<string, (row: number[]) => number> = {
  sum: (row) => row.reduce((a, b) => a + b, 0),
  mean: (row) => row.reduce((a, b) => a + b, 0) / row.length,
  prod: (row) => row.reduce((a, b) => a * b, 1),
  max: (row) => row.reduce((a, b) => Math.max(a, b)),
  min: (row) => row.reduce((a, b) => Math.min(a, b)),
  variance: (row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    return row.reduce((a, b) => a + (b - mean) ** 2, 0) / (row.length - 1);
  },
  std: (row) => Math.sqrt(formulas.variance(row)),
  logsumexp: (row) => Math.log(row.reduce((a, b) => a + Math.exp(b), 0)),
  norm: (row) => Math.hypot(...row),
  norm1: (row) => row.reduce((a, b) => a + Math.abs(b), 0),
};

/** Elements identical, the sign of zero and NaN included. */
function sameElements(actual: tapir.Tensor, expected: tapir.Tensor, label: string): void {
  const [p, q] = [actual.data(), expected.data()];
  assert.is(p.length, q.length, label);
  for (let i = 0; i < p.length; i++) assert.ok(Object.is(p[i], q[i]), `${label}: [${i}] ${p[i]} instead of ${q[i]}`);
}

function randomRows(random: Random, rows: number, n: number, low = -2, high = 2): number[][] {
  return Array.from({ length: rows }, () => Array.from({ length: n }, () => Math.fround(low + random.unit() * (high - low))));
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 511, 512, 513, 1000, 1025, 1541];

for (const [name, f] of Object.entries(floats)) {
  test(`${name} has the values of its formula for rows of every length, along any axis and in any layout, with the same bits`, () => {
    const random = new Random(SEED);
    for (const dtype of ["float32", "float64"] as const) {
      for (const n of sizes) {
        if (n === 1 && (name === "variance" || name === "std")) continue;
        scope(() => {
          const count = random.pick([1, 3, 4, 5, 9, 18]);
          // products stay in range
          const rows = name === "prod" ? randomRows(random, count, n, 0.9, 1.1) : randomRows(random, count, n);
          const x = tensor(rows).to(dtype);
          const y = f(x, { axis: 1 });
          assertClose(
            y.data(),
            rows.map(formulas[name]),
            dtype === "float64" ? { rtol: 1e-13, atol: 1e-13 } : { rtol: 3e-6, atol: 3e-6 + 2e-8 * n },
            `${name} ${dtype} ${n}`,
          );
          const columns = x.transpose().clone();
          const layouts = {
            columns: f(columns, { axis: 0 }),
            "columns of a transposed view": f(x.transpose(), { axis: 0 }),
            "rows of a transposed view": f(columns.transpose(), { axis: 1 }),
            "rows of a wider tensor": f(x.pad([[0, 0], [2, 3]]).slice(null, [2, 2 + n]), { axis: 1 }), // biome-ignore format: one line
            "columns of a wider tensor": f(columns.pad([[0, 0], [2, 3]]).slice(null, [2, 2 + count]), { axis: 0 }), // biome-ignore format: one line
            "rows that are reversed in memory": f(x.flip({ axis: [0, 1] }).clone().flip({ axis: [0, 1] }), { axis: 1 }), // biome-ignore format: one line
            "rows that are repeated": f(x.unsqueeze(1).expand([count, 3, n]), { axis: 2 }).slice(null, 1),
            "a middle axis": f(columns.reshape([1, n, count]), { axis: 1 }),
          };
          for (const [layout, other] of Object.entries(layouts)) sameElements(other, y, `${name} ${dtype} ${n} x ${count}: ${layout}`);
        });
      }
    }
  });
}

test("several axes reduce to the same bits in any layout, whether they are neighbours or not", () => {
  const random = new Random(SEED);
  for (let i = 0; i < 60; i++) {
    scope(() => {
      const shape = Array.from({ length: random.integer(2, 5) }, () => random.pick([1, 2, 3, 5, 9, 18]));
      const axes = shape.map((_, axis) => axis).filter(() => random.unit() < 0.6);
      const x = tapir.rand(shape);
      const order = shape.map((_, axis) => axis);
      for (let j = order.length - 1; j > 0; j--) {
        const k = random.integer(0, j);
        [order[j], order[k]] = [order[k], order[j]];
      }
      const back = order.map((_, axis) => order.indexOf(axis));
      const other = x.permute(...order).clone().permute(...back); // biome-ignore format: one line
      for (const f of [tapir.sum, tapir.max, tapir.variance, tapir.logsumexp, tapir.norm]) {
        sameElements(f(other, { axis: axes }), f(x, { axis: axes }), JSON.stringify({ shape, axes, order }));
      }
      const wide = x.to("float64");
      const rest = order.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const rows = wide.permute(...rest, ...axes.slice().sort()).reshape([...rest.map((axis) => shape[axis]), -1]); // biome-ignore format: one line
      assertClose(tapir.sum(wide, { axis: axes }).data(), rows.sum({ axis: -1 }).data(), { rtol: 1e-14 });
      assertClose(tapir.variance(wide, { axis: axes, correction: 0 }).data(), rows.variance({ axis: -1, correction: 0 }).data(), { rtol: 1e-11, atol: 1e-15 });
    });
  }
});

test("a million float32 are summed to within a few units of the last place", () => {
  tapir.manualSeed(1);
  const x = tapir.rand([1_000_000]);
  const exact = (x.data() as Float32Array).reduce((a, b) => a + b, 0);
  assertClose([x.sum().item()], [exact], { rtol: 2e-7 });
  assertClose([x.mean().item()], [exact / 1e6], { rtol: 2e-7 });
  assertClose([tapir.full([3_000_000], 0.1).sum().item()], [3_000_000 * Math.fround(0.1)], { rtol: 1e-6 });
});

test("the variance of float32 numbers around a large mean keeps its digits", () => {
  const random = new Random(SEED);
  for (const mean of [1e3, 1e5, 1e6]) {
    const rows = randomRows(random, 5, 3000).map((row) => row.map((v) => Math.fround(v + mean)));
    const exact = rows.map(formulas.variance);
    const x = tensor(rows);
    for (const y of [x.variance({ axis: 1 }), x.transpose().clone().variance({ axis: 0 })]) assertClose(y.data(), exact, { rtol: 1e-5 }, `mean ${mean}`);
  }
});

test("logsumexp does not overflow, and rows of -Infinity give -Infinity with gradient 0", () => {
  const infinity = Number.POSITIVE_INFINITY;
  const x = tensor(
    [
      [1e4, 1e4, -1e4],
      [-infinity, -infinity, -infinity],
      [-infinity, 3, -infinity],
    ],
    { requiresGrad: true },
  );
  const y = x.logsumexp({ axis: 1 });
  assertClose(y.data(), [1e4 + Math.log(2), -infinity, 3], { rtol: 1e-6 });
  y.sum().backward();
  assertClose(x.grad?.data() ?? [], [0.5, 0.5, 0, 0, 0, 0, 0, 1, 0], { atol: 1e-6 });
});

test("max and min find NaN wherever it stands", () => {
  for (const [rows, cols] of [
    [1, 100],
    [600, 3],
    [20, 40],
    [3, 7],
    [40, 2],
  ]) {
    // biome-ignore format: one line
    for (let at = 0; at < rows * cols; at += 13) {
      scope(() => {
        const data = Array.from({ length: rows * cols }, (_, i) => i % 10);
        data[at] = Number.NaN;
        const x = tensor(data).reshape([rows, cols]);
        const column = at % cols;
        const row = Math.floor(at / cols);
        for (const f of [tapir.max, tapir.min]) {
          assert.ok(Number.isNaN(f(x).item()));
          assert.equal([...f(x, { axis: 0 }).data()].flatMap((v, i) => (Number.isNaN(v) ? [i] : [])), [column]);
          assert.equal([...f(x, { axis: 1 }).data()].flatMap((v, i) => (Number.isNaN(v) ? [i] : [])), [row]);
        }
        assert.is(x.argmax({ axis: 0 }).data()[column], row);
        assert.is(x.argmin({ axis: 1 }).data()[row], column);
        assert.is(x.argmax().item(), at);
      });
    }
  }
});

test("argmax and argmin name the first extreme in every layout and dtype", () => {
  const random = new Random(SEED);
  for (const n of [1, 2, 5, 16, 33, 700]) {
    const rows = Array.from({ length: 9 }, () => Array.from({ length: n }, () => random.integer(-3, 3)));
    const largest = rows.map((row) => row.indexOf(Math.max(...row)));
    const smallest = rows.map((row) => row.indexOf(Math.min(...row)));
    for (const dtype of ["float32", "float64", "int32"] as const) {
      scope(() => {
        const x = tensor(rows, { dtype });
        for (const [view, axis] of [
          [x, 1],
          [x.transpose(), 0],
          [x.transpose().clone(), 0],
          [x.transpose().clone().transpose(), -1],
        ] as const) {
          // biome-ignore format: one line
          assert.equal([...view.argmax({ axis }).data()], largest);
          assert.equal([...view.argmin({ axis }).data()], smallest);
        }
        assert.is(x.argmax({ axis: 0 }).dtype, "int32");
      });
    }
  }
});

test("integers and booleans are summed exactly to int32, modulo 2^32", () => {
  const big = tapir.full([100_000], 2 ** 30 + 1, { dtype: "int32" });
  assert.is(big.sum().item(), Number(BigInt.asIntN(32, 100_000n * (2n ** 30n + 1n))));
  const flags = tapir.tensor(Uint8Array.from({ length: 5001 }, (_, i) => i % 2)).to("bool");
  assert.is(flags.sum().dtype, "int32");
  assert.is(flags.sum().item(), 2500);
  const bytes = tapir.full([3, 700], 255, { dtype: "uint8" });
  assert.equal(bytes.sum({ axis: 1 }).toArray(), [178500, 178500, 178500]);
  assert.equal(bytes.transpose().sum({ axis: 0 }).toArray(), [178500, 178500, 178500]);
  assert.equal(tapir.max(tensor([[3, -5], [7, 2]], { dtype: "int32" }), { axis: 0 }).toArray(), [7, 2]); // biome-ignore format: one line
});

test("reductions of 16,777,217 int32 ones count them all", () => {
  assert.is(tapir.ones([16_777_217], { dtype: "int32" }).sum().item(), 16_777_217);
});

test("a reduction over nothing gives its neutral element, extremes say that there is none", () => {
  const x = tapir.zeros([0, 3]);
  assert.equal(x.sum({ axis: 0 }).toArray(), [0, 0, 0]);
  assert.equal(x.prod({ axis: 0 }).toArray(), [1, 1, 1]);
  assert.equal(x.any({ axis: 0 }).toArray(), [false, false, false]);
  assert.equal(x.all({ axis: 0 }).toArray(), [true, true, true]);
  assert.equal(x.norm({ axis: 0 }).toArray(), [0, 0, 0]);
  assert.equal(x.logsumexp({ axis: 0 }).toArray(), [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  for (const f of [tapir.mean, tapir.variance, tapir.std]) assert.ok(f(x, { axis: 0 }).data().every(Number.isNaN));
  const { max, min, amax, amin, argmax, argmin } = tapir;
  for (const [name, f] of Object.entries({ max, min, amax, amin, argmax, argmin })) {
    assertThrows(() => f(x, { axis: 0 }), tapir.ShapeError, new RegExp(`^${name}: expected at least one element to reduce; got shape \\[0,3\\]$`));
    assert.equal(f(x, { axis: 1 }).shape, [0]);
  }
  assertThrows(() => x.norm({ ord: Number.POSITIVE_INFINITY }), tapir.ShapeError, /^norm: /);
});

test("second derivatives of products and norms are right at zeros", () => {
  const second = (f: (x: tapir.Tensor) => tapir.Tensor, x: tapir.Tensor): number[] => {
    const rows: number[] = [];
    for (let i = 0; i < x.size; i++) {
      const e = tensor(Float64Array.from({ length: x.size }, (_, j) => Number(i === j)));
      rows.push(
        ...(tapir
          .grad((v: tapir.Tensor) => tapir.sum(tapir.mul(tapir.grad(f)(v), e)))(x)
          .data() as Float64Array),
      );
    }
    return rows;
  };
  const x = tensor([0, 2, 0], { dtype: "float64" });
  assert.equal(
    second((v) => v.prod(), x),
    [0, 0, 2, 0, 0, 0, 2, 0, 0],
  );
  assert.equal(
    second((v) => v.cumprod().sum(), tensor([0, 3], { dtype: "float64" })),
    [0, 1, 1, 0],
  );
  for (const f of [tapir.norm, tapir.std])
    assert.equal(
      tapir
        .grad((v: tapir.Tensor) => f(v))(tensor([0, 0]))
        .data(),
      new Float32Array(2),
    );
});

test("an empty list of axes reduces nothing", () => {
  const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: one line
  assert.equal(x.sum({ axis: [] }).toArray(), x.toArray());
  assert.equal(x.max({ axis: [] }).toArray(), x.toArray());
});

test("scans along any axis have the bits of scans along rows", () => {
  const random = new Random(SEED);
  for (const n of [1, 2, 5, 40, 700]) {
    const rows = randomRows(random, 7, n, 0.8, 1.2);
    for (const dtype of ["float32", "float64"] as const) {
      scope(() => {
        const x = tensor(rows).to(dtype);
        for (const f of [tapir.cumsum, tapir.cumprod]) {
          const y = f(x, { axis: 1 });
          assert.equal(f(x.transpose().clone(), { axis: 0 }).transpose().clone().data(), y.data());
          const expected = rows.flatMap((row) => {
            let total = f === tapir.cumsum ? 0 : 1;
            return row.map((v) => {
              total = f === tapir.cumsum ? total + v : total * v;
              return total;
            });
          });
          assertClose(y.data(), expected, { rtol: dtype === "float32" ? 1e-7 : 1e-15 });
        }
      });
    }
  }
});

test("wrong calls are typed errors of one line that begin with the function's name, and leave nothing behind", () => {
  const x = tapir.ones([2, 3]);
  const bytes = tapir.ones([2], { dtype: "uint8" });
  const before = tapir.memory.stats().tensors;
  const wrong = (fn: () => unknown, kind: Parameters<typeof assertThrows>[1], message: RegExp): void => assertThrows(() => scope(fn), kind, message);
  const untyped = tapir as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of [
    "sum",
    "mean",
    "prod",
    "max",
    "min",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "variance",
    "std",
    "logsumexp",
    "norm",
    "all",
    "any",
    "cumsum",
    "cumprod",
  ]) {
    const f = untyped[name];
    const begins = new RegExp(`^${name}: expected `);
    wrong(() => f(), tapir.DtypeError, begins);
    wrong(() => f([1, 2]), tapir.DtypeError, begins);
    for (const axis of [2, -3, 0.5, Number.NaN, 1e300, "0", null, {}, [[0]], ["a"]]) wrong(() => f(x, { axis }), tapir.ShapeError, begins);
    for (const options of [0, "axis", null, [0], { axes: 0 }, { dim: 1 }]) wrong(() => f(x, options), tapir.ConfigError, begins);
    if (!name.startsWith("cum")) {
      wrong(() => f(x, { axis: 0, keepdims: 1 }), tapir.ConfigError, begins);
      if (!name.startsWith("arg")) wrong(() => f(x, { axis: [0, -2] }), tapir.ShapeError, begins);
    }
    if (!["sum", "prod", "all", "any", "cumsum", "cumprod"].includes(name)) wrong(() => f(bytes), tapir.DtypeError, begins);
    const gone = tapir.ones([2]);
    gone.dispose();
    wrong(() => f(gone), tapir.DisposedError, new RegExp(`^${name}: `));
  }
  for (const correction of [Number.NaN, Number.POSITIVE_INFINITY, "1", null]) {
    wrong(() => untyped.variance(x, { correction }), tapir.ConfigError, /^variance: expected a finite number for correction/);
    wrong(() => untyped.std(x, { correction }), tapir.ConfigError, /^std: /);
  }
  for (const ord of [Number.NaN, "fro", null, {}]) wrong(() => untyped.norm(x, { ord }), tapir.ConfigError, /^norm: expected a number for ord/);
  wrong(() => untyped.argmax(x, { axis: [0] }), tapir.ShapeError, /^argmax: expected an axis/);
  wrong(() => tapir.mean(tapir.ones([2], { dtype: "int32" })), tapir.DtypeError, /^mean: .*\.to\("float32"\)$/);
  assert.is(tapir.memory.stats().tensors, before);
});

test("reductions leave no temporary tensor", () => {
  const x = tapir.rand([4, 3, 5, 2, 3]);
  const before = tapir.memory.stats().tensors;
  for (const f of [...Object.values(floats), tapir.all, tapir.any, tapir.argmax, tapir.cumsum, tapir.cumprod] as Reduce[]) f(x).dispose();
  for (const f of Object.values(floats)) f(x.permute(4, 1, 0, 2, 3), { axis: [0, 2, 4] }).dispose();
  tapir.norm(x, { ord: 3, axis: 1 }).dispose();
  // the views that permute made
  assert.ok(tapir.memory.stats().tensors <= before);
});

test.run();
