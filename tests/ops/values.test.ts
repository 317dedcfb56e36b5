// What the functions compute, against plain formulas in double precision.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { tensor } = tapir;
const xs = [-30, -5.5, -1, -0.3, -1e-5, 0, 1e-5, 0.2, 0.9, 1, 2.7, 8, 41];

const unary: Record<string, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  square: (x) => x * x,
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  log: Math.log,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
};

for (const [name, formula] of Object.entries(unary)) {
  test(`${name} has the values of its formula in both dtypes`, () => {
    const f = (tapir as unknown as Record<string, (x: tapir.Tensor) => tapir.Tensor>)[name];
    assertClose(f(tensor(xs, { dtype: "float64" })).data(), xs.map(formula), { rtol: 1e-14, atol: 1e-300 }, name);
    const rounded = xs.map(Math.fround);
    assertClose(f(tensor(xs)).data(), rounded.map(formula).map(Math.fround), { rtol: 4e-7, atol: 1e-37 }, name);
  });
}

test("arithmetic takes numbers on either side", () => {
  const x = tensor([1, 2, 4]);
  assert.equal(tapir.sub(1, x).toArray(), [0, -1, -3]);
  assert.equal(tapir.div(8, x).toArray(), [8, 4, 2]);
  assert.equal(x.mul(3).add(1).toArray(), [4, 7, 13]);
});

test("broadcasting reaches over more than three axes", () => {
  const a = tapir.arange(2 * 3 * 2 * 3 * 2).reshape([2, 3, 2, 3, 2]);
  const b = tapir.arange(3 * 3).reshape([3, 1, 3, 1]);
  const y = a.add(b);
  const expected: number[] = [];
  for (let i = 0; i < 72; i++) expected.push(i + 3 * (Math.floor(i / 12) % 3) + (Math.floor(i / 2) % 3));
  assertClose(y.data(), expected, {});
});

test("views share memory and read in their own order", () => {
  const x = tapir.arange(6).reshape([2, 3]);
  assert.equal(x.transpose().toArray(), [
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  assert.equal(x.transpose().add(0).toArray(), [
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  assert.equal(x.permute(1, 0).reshape([6]).toArray(), [0, 3, 1, 4, 2, 5]);
  assert.equal(tensor([1, 2]).unsqueeze(1).expand([2, 3]).toArray(), [
    [1, 1, 1],
    [2, 2, 2],
  ]);
  assert.equal(tapir.zeros([2, 1, 3]).squeeze(1).shape, [2, 3]);
});

test("sum and mean reduce any axes", () => {
  const x = tapir.arange(24).reshape([2, 3, 4]);
  assert.is(x.sum().item(), 276);
  assert.equal(x.sum({ axis: [0, 2] }).toArray(), [60, 92, 124]);
  assert.equal(x.sum({ axis: 1, keepdims: true }).shape, [2, 1, 4]);
  assert.equal(x.mean({ axis: -1 }).toArray(), [
    [1.5, 5.5, 9.5],
    [13.5, 17.5, 21.5],
  ]);
  assert.is(tapir.zeros([0]).sum().item(), 0);
  assert.ok(Number.isNaN(tapir.zeros([0]).mean().item()));
});

test("argmax finds the first largest along an axis", () => {
  const x = tensor([
    [1, 9, 9],
    [7, 2, 3],
  ]);
  assert.equal(x.argmax({ axis: 1 }).toArray(), [1, 0]);
  assert.equal(x.argmax({ axis: 0 }).toArray(), [1, 0, 0]);
  assert.is(x.argmax().item(), 1);
  assert.is(x.argmax().dtype, "int32");
});

test("matmul takes vectors, batches and transposed views", () => {
  const a = tapir.arange(12).reshape([3, 4]);
  const b = tapir.arange(8).reshape([4, 2]);
  const expected = [
    [28, 34],
    [76, 98],
    [124, 162],
  ];
  assert.equal(a.matmul(b).toArray(), expected);
  assert.equal(b.transpose().matmul(a.transpose()).transpose().toArray(), expected);
  assert.equal(a.matmul(tensor([1, 0, 0, 1])).toArray(), [3, 11, 19]);
  assert.equal(
    tensor([1, 2])
      .matmul(tensor([3, 4]))
      .item(),
    11,
  );
  const batch = tapir
    .arange(2 * 3 * 4)
    .reshape([2, 1, 3, 4])
    .matmul(tapir.ones([5, 4, 2]));
  assert.equal(batch.shape, [2, 5, 3, 2]);
  assert.equal(
    tapir
      .zeros([3, 0])
      .matmul(tapir.zeros([0, 2]))
      .toArray(),
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  );
});

test("conversions follow their rules", () => {
  assert.equal(tensor([1.9, -1.9, Number.NaN, 3e9]).to("int32").toArray(), [1, -1, 0, 2147483647]);
  assert.equal(tensor([0, 2, -1]).to("bool").toArray(), [false, true, true]);
  assert.equal(tensor([300, 5], { dtype: "int32" }).to("uint8").toArray(), [44, 5]);
  const x = tensor([0.5, 2], { requiresGrad: true });
  x.to("float64").square().sum().backward();
  assert.equal(x.grad?.toArray(), [1, 4]);
});

test("toString looks like NumPy's", () => {
  assert.is(
    String(
      tensor([
        [1, 2.5],
        [3, 4],
      ]),
    ),
    "[[1.  2.5]\n [3.  4. ]]",
  );
  assert.is(String(tensor(3)), "3.0");
  assert.is(String(tensor([1, -20, 3], { dtype: "int32" })), "[  1 -20   3]");
  assert.is(String(tensor([true, false])), "[ True False]");
  assert.is(String(tensor([1e-10, 1])), "[1.e-10 1.e+00]");
  assert.is(String(tapir.arange(2000)), "[0.000e+00 1.000e+00 2.000e+00 ... 1.997e+03 1.998e+03 1.999e+03]");
});

test("random numbers repeat with the seed and have the right moments", () => {
  tapir.manualSeed(7);
  const first = tapir.randn([20000]).data() as Float32Array;
  tapir.manualSeed(7);
  assert.equal(tapir.randn([20000]).data(), first);
  const mean = first.reduce((a, b) => a + b, 0) / first.length;
  const variance = first.reduce((a, b) => a + (b - mean) ** 2, 0) / first.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `mean ${mean}, variance ${variance}`);
  const uniform = tapir.rand([20000]).data();
  assert.ok(uniform.every((u) => u >= 0 && u < 1));
  assert.ok(
    tapir
      .randint(-2, 3, [1000])
      .data()
      .every((n) => n >= -2 && n < 3),
  );
});

test("bad operands are typed errors of one line", () => {
  assertThrows(() => tapir.matmul(tapir.zeros([3, 4]), tapir.zeros([5, 6])), tapir.ShapeError, /^matmul: a \[3,4\] x b \[5,6\]: inner sizes 4 and 5 differ$/);
  assertThrows(() => tapir.add(tapir.zeros([2]), tapir.zeros([3])), tapir.ShapeError, /add: .*\[2\].*\[3\]/);
  assertThrows(() => tapir.add(tapir.zeros([2]), tapir.zeros([2], { dtype: "float64" })), tapir.DtypeError, /float32.*float64/);
  assertThrows(() => tapir.exp(tapir.zeros([2], { dtype: "int32" })), tapir.DtypeError, /int32/);
  assertThrows(() => tapir.exp([1] as unknown as tapir.Tensor), tapir.DtypeError, /expected a tensor for x/);
  assertThrows(() => tensor([[1, 2], [3]]), tapir.ShapeError, /one length/);
  assertThrows(() => tensor(["a"] as unknown as number[]), tapir.DtypeError, /numbers/);
  assertThrows(() => tapir.zeros([2, -1]), tapir.ShapeError, /sizes >= 0/);
  assertThrows(() => tapir.zeros([2]).reshape([3]), tapir.ShapeError, /2 elements/);
  assertThrows(() => tapir.zeros([2]).sum({ axis: 1 }), tapir.ShapeError, /axis/);
  const logits = tapir.zeros([2, 3]);
  assertThrows(() => tapir.crossEntropy(logits, tensor([0, 3], { dtype: "int32" })), tapir.NumericError, /0 to 2.*got 3 at row 1/);
  assertThrows(() => tapir.crossEntropy(logits, tensor([0, 1])), tapir.DtypeError, /int32/);
  assertThrows(() => tapir.crossEntropy(logits, tensor([0], { dtype: "int32" })), tapir.ShapeError, /\[2,3\] and \[1\]/);
});

test.run();
