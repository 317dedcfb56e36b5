// Ops that a user declares have tape, derivatives and gradcheck like every other.
import asc from "assemblyscript/asc";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { customOp, tensor } = tapir;
type T = tapir.Tensor;

const cube = customOp({
  name: "testCube",
  inputs: ["x"],
  forward: ({ x }) => x.mul(x).mul(x),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => dy.mul(x.square()).mul(3) }),
});

test("an op made of other ops has the derivative that it declares, to any order", () => {
  const x = tensor([1, 2, -3], { dtype: "float64" });
  assert.equal(cube(x).toArray(), [1, 8, -27]);
  assert.ok(tapir.gradcheck(cube, [x], { order: 2 }));
  assert.equal(
    tapir
      .grad((v: tapir.Tensor) => cube(v).sum())(x)
      .toArray(),
    [3, 12, 27],
  );
  assert.ok(tapir.ops.has("testCube"));
});

test("its forward pass is not recorded, and frees what it made", () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const before = tapir.memory.stats().tensors;
  const y = cube(x);
  assert.is(tapir.memory.stats().tensors, before + 1);
  y.sum().backward();
  assert.equal(x.grad?.toArray(), [3, 12]);
});

test("parameters follow the operands", () => {
  const power = customOp({
    name: "testPower",
    inputs: ["x"],
    forward: ({ x }, n: { times: number }) => {
      let y = x;
      for (let i = 1; i < n.times; i++) y = y.mul(x);
      return y;
    },
    saves: [],
    vjp: "none",
  });
  assert.equal(power(tensor([2, 3]), { times: 3 }).toArray(), [8, 27]);
});

test("an op with a kernel of the user's own runs on tapir's memory", async () => {
  const source =
    "export function twice(y: usize, x: usize, n: i32): void { for (let i: usize = 0; i < <usize>n; i++) store<f32>(y + 4 * i, 2 * load<f32>(x + 4 * i)); }";
  const flags = ["--runtime", "stub", "--importMemory", "--noExportMemory", "--sharedMemory", "--maximumMemory", "65536", "--enable", "threads", "-O"];
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  const { error } = await asc.main(["twice.ts", "--outFile", "twice.wasm", ...flags], {
    readFile: (name) => (name === "twice.ts" ? source : null),
    writeFile: (_name, contents) => {
      bytes = new Uint8Array(contents as Uint8Array);
    },
    listFiles: () => [],
  });
  assert.is(error, null);
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: tapir.wasmMemory(), abort: () => undefined } });
  const kernel = instance.exports.twice as (y: number, x: number, n: number) => void;
  const twice = customOp({
    name: "testTwice",
    inputs: ["x"],
    kernel: ({ x }, y) => kernel(y.ptr, x.ptr, x.size),
    saves: [],
    vjp: (dy) => ({ x: () => dy.mul(2) }),
  });
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  assertClose(twice(x.transpose()).data(), [2, 6, 4, 8], {});
  assert.equal(
    tapir
      .grad((v: tapir.Tensor) => twice(v).sum())(x)
      .toArray(),
    [
      [2, 2],
      [2, 2],
    ],
  );
});

test("a declaration that cannot be is a typed error", () => {
  const bad = (declaration: unknown, message: RegExp): void =>
    assertThrows(() => customOp(declaration as Parameters<typeof customOp>[0]), tapir.ConfigError, message);
  const good = { name: "testGood", inputs: ["x"], forward: () => tensor(1), saves: [], vjp: "none" };
  bad(undefined, /customOp: expected a declaration/);
  bad({ ...good, name: "mul" }, /name that no op has; got mul/);
  bad({ ...good, inputs: [] }, /names of the operands/);
  bad({ ...good, saves: ["z"] }, /saves out of x, y/);
  bad({ ...good, vjp: undefined }, /vjp/);
  bad({ ...good, forward: undefined }, /forward or kernel/);
  bad({ ...good, colour: 1 }, /fields name, inputs/);
  const narrow = customOp({ name: "testNarrow", inputs: ["x"], forward: ({ x }) => x.sum(), saves: [], vjp: "none" });
  assertThrows(() => narrow(tensor([1, 2])), tapir.ShapeError, /testNarrow: expected forward to answer float32 \[2\].*got float32 \[\].*declare shape/);
  assertThrows(() => (narrow as unknown as () => void)(), tapir.ConfigError, /expected operands x/);
});

test("a gradient that reaches an op without derivative is an error, never a silent zero", () => {
  const flat = customOp({ name: "testFlat", inputs: ["x"], forward: ({ x }) => x.mul(1), saves: [], vjp: "none" });
  const x = tensor([1, 2], { requiresGrad: true });
  assertThrows(() => flat(x).add(x).sum().backward(), tapir.GradientError, /testFlat has no derivative with respect to x, \[2\]/);
  const half = customOp({
    name: "testHalf",
    inputs: ["a", "b"],
    forward: ({ a, b }) => a.mul(b),
    saves: ["b"],
    vjp: (dy, { b }) => ({ a: () => dy.mul(b), b: "none" }),
  });
  const y = tensor([3, 4], { requiresGrad: true });
  assertThrows(() => half(x, y).sum().backward(), tapir.GradientError, /testHalf has no derivative with respect to b/);
  half(x, y.detach()).sum().backward();
  assert.equal(x.grad?.toArray(), [3, 4]);
});

test("within vmap a custom op goes by its rule, or example by example, and is differentiated as ever", () => {
  let calls = 0;
  const counted = (name: string, batch?: (b: tapir.Batch<"x", undefined>) => T): ((x: T) => T) =>
    tapir.customOp({
      name,
      inputs: ["x"],
      forward({ x }) {
        calls++;
        return x.square();
      },
      saves: ["x"],
      vjp: (dy, { x }) => ({ x: () => dy.mul(x).mul(2) }),
      ...(batch && { batch }),
    });
  const rows = tapir.tensor([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: rows
  for (const [f, expected] of [
    [counted("squareEach"), 3],
    [counted("squareAll", ({ inputs, again }) => again(inputs)), 1],
  ] as const) {
    calls = 0;
    assert.equal(tapir.vmap(f)(rows).toArray(), rows.square().toArray());
    assert.is(calls, expected);
    assert.equal((tapir.vmap(tapir.grad((x: T) => f(x).sum()) as (x: T) => T)(rows) as T).toArray(), rows.mul(2).toArray());
    assert.equal((tapir.grad((x: T) => tapir.vmap(f)(x).sum())(rows) as T).toArray(), rows.mul(2).toArray());
  }
  assertThrows(() => counted("squareNone", 5 as never), tapir.ConfigError, /batch: a function/);
});

test.run();
