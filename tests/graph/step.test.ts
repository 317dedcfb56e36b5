// A whole training step as one program: forward, backward and the optimizer, with the bits of the eager step.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";

const { compile, crossEntropy, layers, optim, tensor } = tapir;
type T = tapir.Tensor;

function wave(shape: number[], phase: number, scale = 1): T {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => scale * Math.sin(phase + 0.7 * i + 0.01 * i * i))).reshape(shape);
}

function model(): tapir.layers.Sequential {
  const net = new layers.Sequential(new layers.Linear(8, 16), new layers.ReLU(), new layers.Linear(16, 3));
  net.loadStateDict({ "0.weight": wave([16, 8], 1, 0.3), "0.bias": wave([16], 2, 0.1), "2.weight": wave([3, 16], 3, 0.3), "2.bias": wave([3], 4, 0.1) });
  return net;
}

function trainingStep(net: tapir.layers.Module, optimizer: { step(): void; zeroGrad(): void }): (input: T, target: T) => T {
  return (input, target) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(net.forward(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  };
}

type Stepping = { step(): void; zeroGrad(): void; paramGroups: { lr: number }[] };
const optimizers: Record<string, (p: T[]) => Stepping> = {
  adam: (p) => new optim.Adam(p, { lr: 0.01, weightDecay: 0.001 }),
  sgd: (p) => new optim.SGD(p, { lr: 0.1 }),
  momentum: (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true }),
  groups: (p) =>
    new optim.SGD([
      { params: p.slice(0, 2), lr: 0.1 },
      { params: p.slice(2), lr: 0.01, momentum: 0.5 },
    ]),
};

const x = wave([12, 8], 5);
const y = tensor(Int32Array.from({ length: 12 }, (_, i) => (3 * i * i + i) % 3));

for (const [name, make] of Object.entries(optimizers)) {
  test(`${name}: thirty compiled steps give the bits of thirty eager ones, a changed learning rate included`, () => {
    const runs = [false, true].map((compiled) => {
      const net = model();
      const optimizer = make(net.parameters());
      const step = trainingStep(net, optimizer);
      const call = compiled ? compile(step) : step;
      const losses: number[] = [];
      for (let i = 0; i < 30; i++) {
        if (i === 20) for (const group of optimizer.paramGroups) group.lr *= 0.1;
        losses.push(call(x, y).item());
      }
      if (compiled) assert.ok((call as tapir.Compiled<[T, T], T>).stats().traces <= 2);
      return { losses, weights: net.parameters().map((p) => Buffer.from(p.data().buffer).toString("hex")) };
    });
    assert.equal(runs[1], runs[0]);
  });
}

test("a compiled step leaves no gradient behind, allocates nothing and counts the optimizer's steps", () => {
  const net = model();
  const optimizer = new optim.Adam(net.parameters());
  const step = compile(trainingStep(net, optimizer));
  for (let i = 0; i < 10; i++) step(x, y);
  const before = tapir.memory.stats();
  for (let i = 0; i < 100; i++) step(x, y);
  const after = tapir.memory.stats();
  assert.equal([after.tensors, after.bytes, after.wasmBytes], [before.tensors, before.bytes, before.wasmBytes]);
  assert.is(net.parameters()[0].grad, undefined);
  assert.is(optimizer.stateDict().state[0].step, 110);
});

test("state that is loaded into the optimizer is what the next compiled step uses", () => {
  const net = model();
  const optimizer = new optim.Adam(net.parameters());
  const step = compile(trainingStep(net, optimizer));
  step(x, y);
  const other = new optim.Adam(net.parameters());
  other.loadStateDict(optimizer.stateDict());
  optimizer.loadStateDict(other.stateDict());
  for (let i = 0; i < 3; i++) step(x, y);
  assert.is(optimizer.stateDict().state[0].step, 4);
});

test("dropout draws new numbers at each compiled call, those that eager calls draw, and the derivative has the same mask", () => {
  const input = tapir.ones([64]);
  const f = (t: T): [T, T] => {
    const g = tapir.grad((v: T) => tapir.dropout(v, { p: 0.5 }).sum())(t) as T;
    return [tapir.dropout(t, { p: 0.5 }), g];
  };
  tapir.manualSeed(3);
  const eager = [0, 1, 2].map(() => f(input).map((t) => t.toArray()));
  const compiled = compile(f);
  compiled(input);
  tapir.manualSeed(3);
  const same = [0, 1, 2].map(() => (compiled(input) as [T, T]).map((t) => t.toArray()));
  assert.equal(same, eager);
  assert.not.equal(same[0], same[1]);
});

test("a program that lies where other numbers lay draws what eager calls draw", () => {
  const input = tapir.ones([64]);
  const f = (t: T): T => tapir.dropout(t, { p: 0.5 });
  tapir.manualSeed(0);
  const eager = f(input).toArray();
  // the blocks that are freed here are those of the program
  const blocks = Array.from({ length: 14 }, (_, i) => tapir.full([2 ** i], 7));
  for (const t of blocks) t.dispose();
  const compiled = compile<[T], T>(tapir.trace(f, input));
  tapir.manualSeed(0);
  assert.equal(compiled(input).toArray(), eager);
});

test.run();
