// Layers and optimizers: names, state, and errors that change nothing.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, layers, manualSeed, optim, randn, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
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

test.run();
