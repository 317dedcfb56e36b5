// Layers and optimizers: names, state, and errors that change nothing.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DisposedError, DtypeError, layers, manualSeed, optim, randn, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const net = (): layers.Module => new layers.Sequential(new layers.Linear(3, 4), new layers.ReLU(), new layers.Linear(4, 2, { bias: false }));

function step(model: layers.Module, optimizer: { zeroGrad(): void; step(): void }, x: Tensor): void {
  const loss = model.forward(x).square().mean();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
}

test("parameters have PyTorch's names", () => {
  assert.equal(Object.keys(net().stateDict()), ["0.weight", "0.bias", "2.weight"]);
});

test("a state that does not fit changes nothing", () => {
  const model = net();
  const before = model.parameters().map((p) => [...p.data()]);
  assertThrows(() => model.loadStateDict({ "0.weight": zeros([4, 3]) }), ConfigError, /missing 0\.bias, 2\.weight/);
  assertThrows(
    () => model.loadStateDict({ "0.weight": zeros([4, 3]), "0.bias": zeros([4]), "2.weight": zeros([2, 5]) }),
    ShapeError,
    /2\.weight.*\[2,4\]; got \[2,5\]/,
  );
  assert.equal(
    model.parameters().map((p) => [...p.data()]),
    before,
  );
});

test("Adam's first step has the length of the learning rate", () => {
  const w = tensor([1, -2, 3], { requiresGrad: true, dtype: "float64" });
  w.mul(tensor([5, -0.1, 1e3], { dtype: "float64" }))
    .sum()
    .backward();
  new optim.Adam([w], { lr: 0.01 }).step();
  assertClose(w.data(), [0.99, -1.99, 2.99], { rtol: 1e-8 });
});

for (const [name, make] of Object.entries({
  Adam: (p: Tensor[]) => new optim.Adam(p, { lr: 0.01 }),
  SGD: (p: Tensor[]) => new optim.SGD(p, { lr: 0.01, momentum: 0.9 }),
})) {
  test(`${name} goes on bit for bit from its saved state`, () => {
    manualSeed(5);
    const x = randn([8, 3]);
    const one = net();
    const other = net();
    const first = make(one.parameters());
    for (let i = 0; i < 5; i++) step(one, first, x);
    other.loadStateDict(one.stateDict());
    const second = make(other.parameters());
    (second as optim.Adam).loadStateDict(first.stateDict() as ReturnType<optim.Adam["stateDict"]>);
    for (let i = 0; i < 5; i++) {
      step(one, first, x);
      step(other, second, x);
    }
    assert.equal(
      other.parameters().map((p) => [...p.data()]),
      one.parameters().map((p) => [...p.data()]),
    );
  });
}

test("settings out of range are refused", () => {
  const w = [tensor([1], { requiresGrad: true })];
  assertThrows(() => new optim.Adam(w, { lr: -1 }), ConfigError, /lr >= 0; got -1/);
  assertThrows(() => new optim.Adam(w, { betas: [1, 0.9] }), ConfigError, /betas\[0\]/);
  assertThrows(() => new optim.SGD(w, { nesterov: true }), ConfigError, /nesterov/);
  assertThrows(() => new optim.SGD([]), ConfigError, /at least one parameter/);
  assertThrows(() => new optim.SGD([tensor([1])]), ConfigError, /requiresGrad/);
});

test("a changed learning rate counts from the next step", () => {
  const w = tensor([1], { requiresGrad: true });
  const optimizer = new optim.SGD([w], { lr: 1 });
  optimizer.paramGroups[0].lr = 0.5;
  w.mul(1).sum().backward();
  optimizer.step();
  assert.is(w.item(), 0.5);
});

test("settings, groups and parameters that are misspelt or of another kind are refused", () => {
  const w = tensor([1], { requiresGrad: true });
  const refused = (params: unknown, settings: unknown, message: RegExp): void =>
    assertThrows(() => new optim.Adam(params as Tensor[], settings as object), ConfigError, message);
  refused([w], { learningRate: 5 }, /lr, betas, eps, weightDecay, amsgrad, maximize; got learningRate/);
  refused([w], null, /Adam: expected an object of options/);
  refused([w], { lr: "0.1" }, /lr >= 0; got string 0\.1/);
  refused([w], { weightDecay: null }, /weightDecay >= 0; got null/);
  refused([w], { betas: [0.9] }, /betas \[beta1, beta2\]; got 1 of them/);
  refused([{ lr: 0.1 }], {}, /groups \{ params: \[tensors\], lr/);
  refused([{ params: w }], {}, /groups.*got params: a Tensor/);
  refused([{ params: [w], Lr: 1 }], {}, /got Lr/);
  refused([{ params: [w] }, w], {}, /groups/);
  refused([w, { params: [w] }], {}, /leaves with requiresGrad; got an object/);
  refused([undefined], {}, /expected tensors, or groups.*got undefined/);
  refused([w, w], {}, /twice/);
  refused(net(), {}, /an array of parameters, such as model\.parameters\(\)/);
  assertThrows(() => new optim.SGD([w], { momentum: 0.9, nesterov: "no" as unknown as boolean }), ConfigError, /nesterov: true or false; got string no/);
  const optimizer = new optim.Adam([{ params: [w], lr: 0.5 }, { params: [tensor([1], { requiresGrad: true })] }], { lr: undefined, eps: 1e-6 });
  assert.equal(
    optimizer.paramGroups.map(({ lr, eps }) => [lr, eps]),
    [
      [0.5, 1e-6],
      [1e-3, 1e-6],
    ],
    "a setting that is undefined is the default",
  );
});

test("a state that does not fit an optimizer is a typed error that changes nothing", () => {
  const x = randn([8, 3]);
  const model = new layers.Linear(3, 2);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.25 });
  for (let i = 0; i < 3; i++) step(model, optimizer, x);
  const good = optimizer.stateDict();
  const numbers = (): unknown =>
    Object.values(optimizer.stateDict().state).map((state) => Object.values(state).map((value) => (typeof value === "number" ? value : [...value.data()])));
  const before = numbers();
  const gone = zeros([2, 3]);
  gone.dispose();
  const refused = (saved: unknown, kind: new (message: string) => Error, message: RegExp): void => {
    assertThrows(() => optimizer.loadStateDict(saved as typeof good), kind, message);
    assert.equal(numbers(), before);
    assert.is(optimizer.paramGroups[0].lr, 0.25);
  };
  const changed = (change: object): unknown => ({
    paramGroups: [{ ...good.paramGroups[0], lr: 7 }],
    state: { 0: good.state[0], 1: good.state[1], ...change },
  });
  for (const nothing of [null, undefined, 5, {}, { state: {} }, { paramGroups: [] }, { state: null, paramGroups: [] }]) {
    refused(nothing, ConfigError, /Adam: expected a state \{ state, paramGroups \}/);
  }
  refused({ state: {}, paramGroups: [null] }, ConfigError, /groups \{ params/);
  refused({ state: {}, paramGroups: [{ params: [0] }] }, ConfigError, /groups of 2 parameters; got 1/);
  refused({ state: {}, paramGroups: [{ params: [0, 1], lr: -1 }] }, ConfigError, /lr >= 0; got -1/);
  refused({ state: {}, paramGroups: [{ params: [0, 1], amsGrad: true }] }, ConfigError, /got amsGrad/);
  refused(changed({ 2: good.state[0] }), ConfigError, /parameters 0 to 1; got 2/);
  refused(changed({ "00": good.state[0] }), ConfigError, /got 00/);
  refused(changed({ 1: null }), ConfigError, /state of parameter 1: expected an object with step, exp_avg, exp_avg_sq; got null/);
  refused(changed({ 1: {} }), ConfigError, /expected step, a whole number >= 0; got undefined/);
  refused(changed({ 1: { ...good.state[1], step: 1.5 } }), ConfigError, /whole number >= 0; got number 1\.5/);
  refused(changed({ 1: { ...good.state[1], exp_avg: 0 } }), ConfigError, /expected exp_avg, a tensor; got number 0/);
  refused(changed({ 1: { ...good.state[1], moment: 0 } }), ConfigError, /got moment/);
  refused(changed({ 0: { ...good.state[0], exp_avg: zeros([3]) } }), ShapeError, /exp_avg of shape \[2,3\]; got \[3\]/);
  refused(changed({ 0: { ...good.state[0], exp_avg_sq: zeros([2, 3], { dtype: "uint8" }) } }), DtypeError, /exp_avg_sq of dtype float32; got uint8/);
  refused(changed({ 0: { ...good.state[0], exp_avg: gone } }), DisposedError, /parameter 0: exp_avg/);
  optimizer.loadStateDict(changed({}) as typeof good);
  assert.equal(numbers(), before);
  assert.is(optimizer.paramGroups[0].lr, 7);
});

test("a step that cannot be taken as a whole changes nothing", () => {
  const [a, b] = [tensor([1, 2], { requiresGrad: true }), tensor([3], { requiresGrad: true })];
  const optimizer = new optim.SGD([{ params: [a] }, { params: [b] }], { lr: 0.1 });
  a.grad = tensor([1, 1]);
  b.grad = tensor([1]);
  optimizer.paramGroups[1].lr = Number.NaN;
  assertThrows(() => optimizer.step(), ConfigError, /lr/);
  assert.equal([...a.data()], [1, 2]);
});

test.run();
