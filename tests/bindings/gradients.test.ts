// Gradients that begin with the same elements share a block of memory; no change in place may be seen in another tensor.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { tensor } = tapir;

function leaf(values: number[]): tapir.Tensor {
  return tensor(values, { requiresGrad: true });
}

function gradientOf(x: tapir.Tensor): tapir.Tensor {
  assert.ok(x.grad);
  return x.grad as tapir.Tensor;
}

/** Leaves a and b with the gradient dy, which all three may share. */
function sum(): { a: tapir.Tensor; b: tapir.Tensor; dy: tapir.Tensor } {
  const [a, b, dy] = [leaf([1, 2]), leaf([3, 4]), tensor([5, 6])];
  a.add(b).backward({ gradient: dy });
  return { a, b, dy };
}

test("a change in place of one gradient, or of what was given as gradient, is seen in no other", () => {
  const changes: [string, (x: tapir.Tensor) => tapir.Tensor, number[]][] = [
    ["add_", (x) => x.add_(1), [6, 7]],
    ["mul_", (x) => x.mul_(tensor([2, 3])), [10, 18]],
    ["neg_", (x) => x.neg_(), [-5, -6]],
    ["clamp_", (x) => x.clamp_(0, 5.5), [5, 5.5]],
    ["zero_", (x) => x.zero_(), [0, 0]],
    ["copy_", (x) => x.copy_(tensor([8, 9])), [8, 9]],
  ];
  for (const [name, change, expected] of changes) {
    for (const which of ["a", "b", "dy"]) {
      const { a, b, dy } = sum();
      const all: [string, tapir.Tensor][] = [
        ["a", gradientOf(a)],
        ["b", gradientOf(b)],
        ["dy", dy],
      ];
      for (const [key, x] of all) if (key === which) assert.is(change(x), x);
      for (const [key, x] of all) assert.equal(x.toArray(), key === which ? expected : [5, 6], `${name} of ${which}: ${key}`);
      for (const [, x] of all) change(change(x));
    }
  }
});

test("an operand that shares the memory of what is changed is read as it was", () => {
  const { a, b, dy } = sum();
  gradientOf(a).add_(gradientOf(b)).mul_(dy);
  assert.equal(gradientOf(a).toArray(), [50, 72]);
  assert.equal(gradientOf(b).toArray(), [5, 6]);
});

test("a view of a gradient follows its changes, not those of the others", () => {
  const { a, b } = sum();
  const view = gradientOf(a).detach();
  const last = gradientOf(b).slice([1, 2]);
  gradientOf(a).add_(1);
  assert.equal(view.toArray(), [6, 7]);
  assert.equal(last.toArray(), [6]);
  gradientOf(b).mul_(2);
  assert.equal(last.toArray(), [12]);
  assert.equal(view.toArray(), [6, 7]);
});

test("backward called again adds to the gradient that is there, in every handle of it and in no other gradient", () => {
  const { a, b, dy } = sum();
  const held = gradientOf(a);
  a.mul(2).backward({ gradient: dy });
  assert.is(gradientOf(a), held);
  assert.equal(held.toArray(), [15, 18]);
  assert.equal(gradientOf(b).toArray(), [5, 6]);
  assert.equal(dy.toArray(), [5, 6]);
});

test("a gradient given to keep outlives zeroGrad, and the next gradient is another", () => {
  const { a, b, dy } = sum();
  const optimizer = new tapir.optim.SGD([a, b], { lr: 1 });
  const old = tapir.keep(gradientOf(a));
  optimizer.zeroGrad();
  assert.is(a.grad, undefined);
  a.add(b).backward({ gradient: dy });
  gradientOf(a).add_(1);
  assert.equal(old.toArray(), [5, 6]);
  old.mul_(2);
  assert.equal(gradientOf(a).toArray(), [6, 7]);
  assert.equal(gradientOf(b).toArray(), [5, 6]);
  optimizer.step();
  assert.equal(a.toArray(), [-5, -5]);
  assert.equal(b.toArray(), [-2, -2]);
});

test("a derivative that saved a gradient minds changes of that one only", () => {
  const w = leaf([1, 1]);
  const { a, b } = sum();
  const first = w.mul(gradientOf(a)).sum();
  gradientOf(b).add_(1);
  first.backward();
  assert.equal(gradientOf(w).toArray(), [5, 6]);
  const second = w.mul(gradientOf(a)).sum();
  gradientOf(a).add_(1);
  assertThrows(() => second.backward(), tapir.VersionError, /mul/);
});

test("a parameter that was given as gradient is trained without a change of that gradient", () => {
  const w = leaf([5, 6]);
  const x = leaf([1, 1]);
  x.add(1).backward({ gradient: w });
  const optimizer = new tapir.optim.Adam([w], { lr: 1 });
  w.sum().backward();
  optimizer.step();
  assert.equal(w.toArray().toString(), "4,5");
  assert.equal(gradientOf(x).toArray(), [5, 6]);
});

test("running statistics that were given as gradient are updated without a change of that gradient", () => {
  const [x, mean, variance] = [leaf([1, 1]), tensor([0, 0]), tensor([1, 1])];
  x.add(1).backward({ gradient: mean });
  tapir.batchNorm(tensor([1, 2, 3, 4]).reshape([2, 2]), mean, variance, null, null, { training: true, momentum: 1 });
  assert.equal(mean.toArray(), [2, 3]);
  assert.equal(gradientOf(x).toArray(), [0, 0]);
});

test("a compiled function reads a gradient as it is at each call, whoever shared its memory", () => {
  const { a, b, dy } = sum();
  const g = gradientOf(a);
  const twice = tapir.compile(() => g.mul(2));
  assert.equal(twice().toArray(), [10, 12]);
  g.add_(1);
  assert.equal(twice().toArray(), [12, 14]);
  const c = leaf([0, 0]);
  c.add(1).backward({ gradient: g });
  g.add_(1);
  assert.equal(twice().toArray(), [14, 16]);
  assert.equal(gradientOf(c).toArray(), [6, 7]);
  for (const x of [gradientOf(b), dy]) assert.equal(x.toArray(), [5, 6]);
  twice.dispose();
});

test("compiled, both gradients of a sum are results of their own, and backward called again adds to them", () => {
  const step = (x: tapir.Tensor): tapir.Tensor[] => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    a.add(b).backward({ gradient: x });
    a.mul(x).backward({ gradient: x });
    return [gradientOf(a), gradientOf(b)];
  };
  const compiled = tapir.compile(step);
  for (const f of [step, compiled]) {
    const x = tensor([5, 6]);
    const [p, q] = f(x);
    assert.equal(p.toArray(), [30, 42]);
    assert.equal(q.toArray(), [5, 6]);
    q.add_(1);
    assert.equal(p.toArray(), [30, 42]);
    assert.equal(x.toArray(), [5, 6]);
  }
  compiled.dispose();
});

test("gradients that share their elements take memory when they are changed, and give it back", () => {
  const [a, b, dy] = [leaf([1, 2]), leaf([3, 4]), tensor([5, 6])];
  const before = tapir.memory.stats();
  tapir.scope(() => a.add(b).backward({ gradient: dy }));
  assert.equal(tapir.memory.stats().bytes, before.bytes);
  gradientOf(a).add_(1);
  assert.is(tapir.memory.stats().tensors, before.tensors + 1);
  dy.dispose();
  assert.is(tapir.memory.stats().tensors, before.tensors + 1);
  assert.equal(gradientOf(b).toArray(), [5, 6]);
  for (const x of [a, b]) x.dispose();
  assert.is(tapir.memory.stats().tensors, before.tensors - 3);
  assertThrows(() => dy.add_(1), tapir.DisposedError, /add_/);
});

test("a change that finds no memory for its own elements changes nothing", () => {
  const [a, b, dy] = [tapir.zeros([2 ** 20]), tapir.zeros([2 ** 20]), tapir.ones([2 ** 20])];
  for (const x of [a, b]) x.requiresGrad = true;
  tapir.scope(() => a.add(b).backward({ gradient: dy }));
  const fillers: tapir.Tensor[] = [];
  const { limit, wasmBytes } = tapir.memory.stats();
  tapir.configure({ maxMemory: wasmBytes });
  try {
    assertThrows(
      () => {
        for (;;) fillers.push(tapir.zeros([2 ** 20]));
      },
      tapir.OutOfMemoryError,
      /zeros/,
    );
    assertThrows(() => gradientOf(a).add_(1), tapir.OutOfMemoryError, /requested/);
    fillers.pop()?.dispose();
    assert.is(gradientOf(a).sum().item(), 2 ** 20);
    gradientOf(a).add_(1);
    assert.is(gradientOf(a).sum().item(), 2 ** 21);
    assert.is(gradientOf(b).sum().item(), 2 ** 20);
  } finally {
    tapir.configure({ maxMemory: limit });
    for (const filler of fillers) filler.dispose();
  }
});

test("10,000 steps that change shared gradients in place hold as many tensors and bytes as 100", () => {
  const [a, b] = [leaf([1, 2]), leaf([3, 4])];
  const optimizer = new tapir.optim.SGD([a, b], { lr: 1e-3 });
  const step = (): void => {
    optimizer.zeroGrad();
    a.add(b).square().sum().backward();
    gradientOf(a).mul_(0.5);
    optimizer.step();
  };
  for (let i = 0; i < 100; i++) step();
  const { tensors, bytes, wasmBytes } = tapir.memory.stats();
  for (let i = 100; i < 10_000; i++) step();
  const after = tapir.memory.stats();
  assert.equal({ tensors: after.tensors, bytes: after.bytes, wasmBytes: after.wasmBytes }, { tensors, bytes, wasmBytes });
});

test.run();
