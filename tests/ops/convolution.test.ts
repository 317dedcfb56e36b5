// What convolutions, pools and interpolation promise beyond PyTorch's numbers: errors, memory, determinism, special values.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";

const { ConfigError, DtypeError, ShapeError, TapirError, tensor, zeros } = tapir;
const SEED = 20240619;
console.log(`seed ${SEED}`);

const image = (): tapir.Tensor => tapir.arange(32).reshape([1, 2, 4, 4]);

test("convolutions say what does not fit", () => {
  const x = image();
  const w = tapir.ones([3, 2, 3, 3]);
  assertThrows(() => tapir.conv2d(x, tapir.ones([3, 1, 3, 3])), ShapeError, /^conv2d: expected x of 1 channels.*\[1,2,4,4\]/);
  assertThrows(() => tapir.conv2d(x, w, null, { groups: 2 }), ShapeError, /^conv2d: expected x of 4 channels/);
  assertThrows(() => tapir.conv2d(x, tapir.ones([3, 1, 3, 3]), null, { groups: 2 }), ShapeError, /groups divide/);
  assertThrows(() => tapir.conv2d(x, tapir.ones([3, 2, 5, 5])), ShapeError, /^conv2d: expected an input at least as large as the kernel/);
  assertThrows(() => tapir.conv2d(x, tapir.ones([3, 2, 0, 3])), ShapeError, /at least one tap/);
  assertThrows(() => tapir.conv2d(x, w, tapir.ones([2])), ShapeError, /^conv2d: expected b of shape \[3\]; got \[2\]/);
  assertThrows(() => tapir.conv2d(x, w.to("float64")), DtypeError, /^conv2d: expected operands of one dtype/);
  assertThrows(() => tapir.conv2d(x.to("int32"), w.to("int32")), DtypeError, /^conv2d: expected x of dtype float32 or float64/);
  assertThrows(() => tapir.conv2d(zeros([4]), w), ShapeError, /^conv2d: expected x \[N, C, H, W\] or \[C, H, W\]; got shape \[4\]/);
  assertThrows(() => tapir.conv2d(x, w, null, { stride: 0 }), ConfigError, /^conv2d: expected whole numbers >= 1 for stride; got 0/);
  assertThrows(() => tapir.conv2d(x, w, null, { padding: [1, 2, 3] }), ConfigError, /^conv2d: expected a number or a pair for padding; got \[1,2,3\]/);
  assertThrows(() => tapir.conv2d(x, w, null, { padding: "same", stride: 2 }), ConfigError, /^conv2d: expected stride 1 with padding "same"/);
  assertThrows(
    () => tapir.conv2d(x, w, null, { strides: 2 } as tapir.ConvOptions),
    ConfigError,
    /^conv2d: expected options stride, padding, dilation, groups; got strides/,
  );
  assertThrows(
    () => tapir.convTranspose2d(x, tapir.ones([2, 3, 3, 3]), null, { outputPadding: 1 }),
    ConfigError,
    /^convTranspose2d: expected an outputPadding less/,
  );
  assertThrows(() => tapir.convTranspose2d(x, tapir.ones([3, 3, 3, 3])), ShapeError, /^convTranspose2d: expected x of 3 channels/);
  assertThrows(() => tapir.convTranspose2d(x, tapir.ones([2, 3, 1, 1]), null, { padding: 9 }), ShapeError, /^convTranspose2d: expected an output size/);
});

test("pools and interpolation say what does not fit", () => {
  const x = image();
  assertThrows(() => tapir.maxPool2d(x, 5), ShapeError, /^maxPool2d: expected an input as large as the kernel/);
  assertThrows(() => tapir.maxPool2d(x, 2, { padding: 2 }), ConfigError, /^maxPool2d: expected a padding of at most half of the kernel/);
  assertThrows(() => tapir.maxPool2d(x, 0), ConfigError, /^maxPool2d: expected whole numbers >= 1 for kernel; got 0/);
  assertThrows(() => tapir.avgPool2d(x, 2, { divisorOverride: 0 }), ConfigError, /^avgPool2d: expected a whole number other than 0 for divisorOverride/);
  assertThrows(() => tapir.avgPool1d(x, 2), ShapeError, /^avgPool1d: expected x \[N, C, L\] or \[C, L\]/);
  assertThrows(() => tapir.maxPool2d(x.to("int32"), 2), DtypeError, /^maxPool2d: expected x of dtype float32 or float64/);
  assertThrows(() => tapir.adaptiveAvgPool2d(x, [2, -1]), ConfigError, /^adaptiveAvgPool2d: expected whole numbers >= 0 for size/);
  assertThrows(() => tapir.interpolate(x), ConfigError, /^interpolate: expected either size or scaleFactor; got neither/);
  assertThrows(() => tapir.interpolate(x, { size: 3, mode: "linear" }), ConfigError, /^interpolate: expected mode nearest/);
  assertThrows(() => tapir.interpolate(x, { size: 3, alignCorners: true }), ConfigError, /^interpolate: expected no alignCorners with mode nearest/);
  assertThrows(() => tapir.interpolate(x, { scaleFactor: 0.1 }), ShapeError, /^interpolate: expected an output size/);
});

test("wrong calls throw only TapirErrors of one line and leave no tensor behind", () => {
  const random = new Random(SEED);
  const names = ["conv1d", "conv2d", "convTranspose2d", "maxPool1d", "maxPool2d", "avgPool1d", "avgPool2d", "adaptiveAvgPool2d", "interpolate"];
  const tensors = [
    image(),
    zeros([2, 3, 5]),
    zeros([3, 5]),
    tapir.ones([3, 2, 3, 3]),
    zeros([]),
    zeros([0, 2, 4, 4]),
    zeros([1, 0, 3, 3]),
    tapir.ones([2, 1, 2]),
  ];
  tensors.push(tensor([1, 2, 3], { dtype: "int32" }), zeros([1, 2, 0, 4]), zeros([2, 2, 3, 3], { dtype: "float64" }));
  const odd: unknown[] = [
    undefined,
    null,
    Number.NaN,
    -1,
    0,
    0.5,
    1,
    2,
    3,
    7,
    1e9,
    2 ** 31,
    1e300,
    Number.POSITIVE_INFINITY,
    "same",
    "x",
    [],
    [1],
    [2, 2],
    [1, 2, 3],
    [null, 2],
  ];
  odd.push({}, Object.create(null), [Object.create(null)], true, () => 1, Symbol("s"), 10n, ["a"], [Number.NaN, 1]);
  const keys = ["stride", "padding", "dilation", "groups", "outputPadding", "ceilMode", "returnIndices", "countIncludePad", "divisorOverride"];
  keys.push("size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor", "wrong");
  const options = (): unknown => Object.fromEntries(Array.from({ length: random.integer(0, 2) }, () => [random.pick(keys), random.pick(odd)]));
  const argument = (): unknown => (random.unit() < 0.4 ? random.pick(tensors) : random.unit() < 0.5 ? options() : random.pick(odd));
  tapir.configure({ maxMemory: 2 ** 28 });
  const before = tapir.memory.stats().tensors;
  let thrown = 0;
  for (let i = 0; i < 20_000; i++) {
    const f = (tapir as unknown as Record<string, (...args: unknown[]) => unknown>)[random.pick(names)];
    const first = random.unit() < 0.9 ? random.pick(tensors) : random.pick(odd);
    const args = [first, ...Array.from({ length: random.integer(0, 3) }, argument)];
    try {
      const y = f(...args);
      for (const t of y instanceof tapir.Tensor ? [y] : Object.values(y as object)) (t as tapir.Tensor).dispose();
    } catch (error) {
      thrown++;
      assert.instance(error, TapirError, `${f.name}: ${(error as Error).stack}`);
      assert.not.match((error as Error).message, /\n/);
    }
    assert.is(tapir.memory.stats().tensors, before, `${f.name} left a tensor`);
  }
  tapir.configure({ maxMemory: 2 ** 32 });
  assert.ok(thrown > 5_000);
});

test("a convolution gives the same bits for an image alone and in a batch, and on every call", () => {
  tapir.manualSeed(5);
  const x = tapir.randn([3, 5, 9, 11]);
  const w = tapir.randn([7, 5, 3, 3]);
  const b = tapir.randn([7]);
  const whole = tapir.conv2d(x, w, b, { padding: 1 });
  assert.equal(tapir.conv2d(x, w, b, { padding: 1 }).data(), whole.data());
  for (let i = 0; i < 3; i++) {
    const one = tensor(x.data().slice(i * 495, (i + 1) * 495)).reshape([5, 9, 11]);
    assert.equal(tapir.conv2d(one, w, b, { padding: 1 }).data(), whole.data().slice(i * 693, (i + 1) * 693));
  }
});

test("a convolution reads views as they are seen", () => {
  tapir.manualSeed(6);
  const x = tapir.randn([2, 3, 5, 6], { dtype: "float64" });
  const w = tapir.randn([4, 3, 2, 3], { dtype: "float64" });
  const turned = tapir.conv2d(x.transpose(), w.transpose()).transpose();
  assertClose(turned.data(), tapir.conv2d(x, w).data(), { rtol: 1e-12, atol: 1e-13 });
});

test("padding never mixes with infinities and NaN of the image", () => {
  const x = tensor([Number.NaN, Number.POSITIVE_INFINITY, 1, 2, 3, 4, 5, 6, 7, 8]).reshape([1, 1, 10]);
  const y = tapir.conv1d(x, tapir.ones([1, 1, 3]), null, { padding: 1 }).data();
  assertClose(y, [Number.NaN, Number.NaN, Number.POSITIVE_INFINITY, 6, 9, 12, 15, 18, 21, 15], {});
});

test("maxPool2d takes the first of equal elements, and a NaN before everything", () => {
  const x = tensor([1, 1, 1, Number.NaN], { requiresGrad: true });
  const { values, indices } = tapir.maxPool1d(x.reshape([1, 1, 4]), 2, { returnIndices: true });
  assertClose(values.data(), [1, Number.NaN], {});
  assert.equal(indices.toArray(), [[[0, 3]]]);
  assert.is(indices.dtype, "int32");
  values.sum().backward();
  assert.equal(x.grad?.toArray(), [1, 0, 0, 1]);
});

test("a window of maxPool2d that sees only padding gives -Infinity and passes no gradient", () => {
  const x = tensor([1, 2, 3, 4], { requiresGrad: true });
  const y = tapir.maxPool1d(x.reshape([1, 1, 4]), 2, { dilation: 5, padding: 1 });
  assert.equal(y.toArray(), [[[Number.NEGATIVE_INFINITY]]]);
  y.sum().backward();
  assert.equal(x.grad?.toArray(), [0, 0, 0, 0]);
});

test("the functions are methods too", () => {
  const x = image();
  const w = tapir.ones([3, 2, 3, 3]);
  assert.equal(x.conv2d(w, null, { padding: "same" }).shape, [1, 3, 4, 4]);
  assert.equal(x.maxPool2d(2).avgPool2d(2).shape, [1, 2, 1, 1]);
  assert.equal(x.adaptiveAvgPool2d([3, 2]).interpolate({ scaleFactor: 2 }).shape, [1, 2, 6, 4]);
});

test("what a pool saves for its derivative is freed with it", () => {
  const before = tapir.memory.stats().tensors;
  const x = image();
  const y = tapir.maxPool2d(x, 2);
  assert.is(tapir.memory.stats().tensors, before + 2, "only x and y are left without gradient");
  y.dispose();
  x.dispose();
});

test.run();
