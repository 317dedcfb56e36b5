// How long tensors live: nothing leaks in an ordinary loop, and nothing that is gone gives a wrong number.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { tensor } = tapir;

function trainer(): () => tapir.Tensor {
  tapir.manualSeed(3);
  const model = new tapir.layers.Sequential(new tapir.layers.Linear(4, 16), new tapir.layers.ReLU(), new tapir.layers.Linear(16, 3));
  const optimizer = new tapir.optim.Adam(model.parameters());
  const x = tapir.keep(tapir.randn([16, 4]));
  const y = tapir.keep(tapir.randint(0, 3, [16]));
  return () => {
    const loss = tapir.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

test("10,000 steps in a plain loop hold as many tensors and bytes as 100", () => {
  const step = trainer();
  for (let i = 0; i < 100; i++) step();
  const { tensors, bytes, wasmBytes } = tapir.memory.stats();
  for (let i = 100; i < 10_000; i++) step();
  const after = tapir.memory.stats();
  assert.equal({ tensors: after.tensors, bytes: after.bytes, wasmBytes: after.wasmBytes }, { tensors, bytes, wasmBytes });
});

test("a loss can be read after its step, and later says what to do", () => {
  const step = trainer();
  const loss = step();
  assert.ok(loss.item() > 0);
  step();
  assert.ok(loss.item() > 0);
  step();
  assertThrows(() => loss.item(), tapir.DisposedError, /loss\.item\(\) or keep\(loss\)/);
});

test("keep holds a tensor beyond its step", () => {
  const step = trainer();
  const loss = tapir.keep(step());
  const value = loss.item();
  for (let i = 0; i < 5; i++) step();
  assert.is(loss.item(), value);
});

test("two backward passes a step on one forward, as in a GAN", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  for (let i = 0; i < 10; i++) {
    const fake = w.mul(2);
    fake.detach().square().sum().item();
    tensor([1, 1], { requiresGrad: true }).mul(fake.detach()).sum().backward();
    fake.square().sum().backward();
  }
  assert.equal(w.grad?.toArray(), [80, 160]);
});

test("use after dispose names the op, the operand and the shape", () => {
  const x = tapir.zeros([2, 3]);
  x.dispose();
  x.dispose();
  assertThrows(() => tapir.add(x, 1), tapir.DisposedError, /add: a: .*float32 \[2,3\].*disposed/);
  assertThrows(() => x.data(), tapir.DisposedError, /data/);
});

test("a derivative gets what it saved even after the handle was disposed", () => {
  const w = tensor([1, 2, 3], { requiresGrad: true });
  const loss = scope(() => {
    const h = w.mul(w);
    return h.mul(h).sum();
  });
  loss.backward();
  assert.equal(w.grad?.toArray(), [4, 32, 108]);
});

test("noGrad frees all but what it returns", () => {
  const before = tapir.memory.stats().tensors;
  const y = tapir.noGrad(() => tapir.ones([10]).mul(2).add(1).sum());
  assert.is(y.item(), 30);
  assert.is(tapir.memory.stats().tensors, before + 1);
  y.dispose();
  assertThrows(() => tapir.noGrad(async () => 1), tapir.ConfigError, /async/);
});

test("a second backward needs retainGraph", () => {
  const w = tensor([3], { requiresGrad: true });
  const once = w.square().sum();
  once.backward();
  assertThrows(() => once.backward(), tapir.GradientError, /retainGraph/);
  const twice = w.square().sum();
  for (let i = 0; i < 5; i++) twice.backward({ retainGraph: true });
  assert.is(w.grad?.item(), 36);
});

test("createGraph lets a gradient be differentiated", () => {
  const x = tensor([1, 2], { requiresGrad: true, dtype: "float64" });
  x.mul(x).mul(x).sum().backward({ createGraph: true });
  const penalty = (x.grad as tapir.Tensor).square().sum();
  x.grad = undefined;
  penalty.backward();
  // d/dx (3 x^2)^2 = 36 x^3
  assertClose((x.grad as unknown as tapir.Tensor).data(), [36, 288], { rtol: 1e-12 });
});

test("backward without history or without one element says so", () => {
  assertThrows(() => tensor([1]).backward(), tapir.GradientError, /requiresGrad/);
  assertThrows(() => tensor([1, 2], { requiresGrad: true }).mul(2).backward(), tapir.GradientError, /one element/);
});

test("a change in place of what a derivative needs is a VersionError", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const x = tensor([3, 4]);
  const loss = w.mul(x).sum();
  x.add_(1);
  assertThrows(() => loss.backward(), tapir.VersionError, /mul/);
  assertThrows(() => w.add_(1), tapir.GradientError, /noGrad/);
  tapir.noGrad(() => {
    w.add_(1);
  });
  assert.equal(w.toArray(), [2, 3]);
});

test("the memory limit is a typed error after which all goes on", () => {
  const before = tapir.memory.stats();
  tapir.configure({ maxMemory: before.wasmBytes });
  assertThrows(() => tapir.zeros([64 * 2 ** 20]), tapir.OutOfMemoryError, /requested.*in use.*limit/);
  assert.is(tapir.ones([3]).sum().item(), 3);
  tapir.configure({ maxMemory: before.limit });
  assertThrows(() => tapir.configure({ treads: 1 } as tapir.Configuration), tapir.ConfigError, /treads/);
});

test.run();
