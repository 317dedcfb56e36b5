// What holds for every optimizer: compiled as eagerly, on from a saved state, with changed settings, without a leak.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { makers, noiseOf, parameters, type Settings, trainingStep } from "./problem.js";

const { compile, ConfigError, optim, tensor } = tapir;
type T = tapir.Tensor;

const more: Record<string, Settings[]> = {
  SGD: [{}, { momentum: 0.9, dampening: 0.1 }, { momentum: 0.9, nesterov: true, maximize: true }],
  Adam: [{}, { amsgrad: true, weightDecay: 0.1 }],
  RMSprop: [{}, { momentum: 0.9 }, { centered: true }, { centered: true, momentum: 0.5 }],
};
const variants = Object.keys(makers).flatMap((name) =>
  (more[name] ?? [{}]).map((settings) => ({ name, settings, title: `${name} ${JSON.stringify(settings)}` })),
);
const SHAPES = [
  [3, 5],
  [7, 1],
];
const bits = (ps: readonly T[]): string[] => ps.map((p) => Buffer.from(p.data().buffer).toString("hex"));

for (const { name, settings, title } of variants.filter((of) => of.name !== "FullMatrixAdagrad")) {
  for (const dtype of ["float32", "float64"] as const) {
    test(`${title}, ${dtype}: compiled steps have the bits of eager ones, and a changed learning rate traces nothing anew`, () => {
      const runs = [false, true].map((compiled) => {
        const ps = parameters(SHAPES, dtype);
        const optimizer = makers[name](ps, settings);
        const step = trainingStep(ps, optimizer);
        const call = compiled ? compile(step) : step;
        for (let t = 1; t <= 20; t++) {
          if (t === 10) for (const group of optimizer.paramGroups) group.lr *= 0.3;
          if (t === 15) for (const group of optimizer.paramGroups) group.weightDecay = 0.2;
          call(noiseOf(ps, t));
        }
        if (compiled) assert.is((call as tapir.Compiled<[T[]], T>).stats().traces, 1);
        return bits(ps);
      });
      assert.equal(runs[1], runs[0]);
    });
  }
}

for (const { name, settings, title } of variants) {
  // one that reads elements runs op by op
  const compiled: typeof compile = name === "FullMatrixAdagrad" ? (f) => f as never : compile;

  test(`${title}: training that goes on from a saved state has the bits of training that went on`, () => {
    for (const dtype of ["float32", "float64"] as const) {
      const ps = parameters(SHAPES, dtype);
      const first = makers[name](ps, settings);
      const step = trainingStep(ps, first);
      for (let t = 1; t <= 11; t++) step(noiseOf(ps, t));
      const copies = ps.map((p) => tensor(p, { requiresGrad: true }));
      const second = makers[name](copies, { lr: 7 });
      const other = compiled(trainingStep(copies, second));
      for (let t = 1; t <= 3; t++) other(noiseOf(copies, t));
      for (const [i, p] of ps.entries()) tapir.noGrad(() => copies[i].copy_(p));
      second.loadStateDict(first.stateDict());
      for (let t = 12; t <= 25; t++) {
        step(noiseOf(ps, t));
        other(noiseOf(copies, t));
      }
      assert.equal(bits(copies), bits(ps));
      assert.equal(Object.keys(second.stateDict().state), Object.keys(first.stateDict().state));
    }
  });

  test(`${title}: steps leave no tensor behind`, () => {
    const ps = parameters(SHAPES, "float32");
    const step = trainingStep(ps, makers[name](ps, settings));
    const noise = noiseOf(ps, 1);
    const run = (n: number): void => {
      for (let i = 0; i < n; i++) step(noise);
    };
    run(40);
    const before = tapir.memory.stats();
    run(40);
    const after = tapir.memory.stats();
    assert.equal([after.tensors, after.bytes], [before.tensors, before.bytes]);
  });

  test(`${title}: settings that cannot be are refused before anything is changed`, () => {
    const ps = parameters(SHAPES, "float32");
    for (const [setting, value] of [["lr", -1], ["lr", Number.NaN], ["weightDecay", -0.1], ["maximize", 1], ["rate", 1]]) // biome-ignore format: pairs
      assertThrows(() => makers[name](ps, { ...settings, [setting]: value }), ConfigError, new RegExp(`^${name}: expected .*${setting}`));
    const optimizer = makers[name](ps, settings);
    const before = bits(ps);
    optimizer.paramGroups[0].lr = -1;
    assertThrows(() => trainingStep(ps, optimizer)(noiseOf(ps, 1)), ConfigError, /lr >= 0; got -1/);
    assert.equal(bits(ps), before);
  });
}

const stateNames: Record<string, string[]> = {
  Adadelta: ["step", "square_avg", "acc_delta"],
  Adagrad: ["step", "sum"],
  Adam: ["step", "exp_avg", "exp_avg_sq"],
  AdamW: ["step", "exp_avg", "exp_avg_sq"],
  AMSGrad: ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
  Adamax: ["step", "exp_avg", "exp_inf"],
  NAdam: ["step", "mu_product", "exp_avg", "exp_avg_sq"],
  RAdam: ["step", "exp_avg", "exp_avg_sq"],
  RMSprop: ["step", "square_avg"],
  Lion: ["exp_avg"],
};

for (const [name, names] of Object.entries(stateNames)) {
  test(`${name}: the state has PyTorch's names, and one that does not fit is refused`, () => {
    const ps = parameters(SHAPES, "float32");
    const optimizer = makers[name](ps, {});
    assert.equal(optimizer.stateDict().state, {}, "none before the first step");
    trainingStep(ps, optimizer)(noiseOf(ps, 1));
    const saved = optimizer.stateDict();
    assert.equal(Object.keys(saved.state[1]), names);
    const last = names[names.length - 1];
    const wrong = { ...saved, state: { ...saved.state, 1: { ...saved.state[1], [last]: tapir.zeros([2]) } } };
    assertThrows(() => optimizer.loadStateDict(wrong), tapir.ShapeError, new RegExp(`^${name}: state of parameter 1: expected ${last} of shape \\[7,1\\]`));
    const { [last]: _, ...less } = saved.state[1];
    assertThrows(() => optimizer.loadStateDict({ ...saved, state: { 1: less } }), ConfigError, new RegExp(`expected ${last}, a tensor; got undefined`));
  });
}

test("a momentum or amsgrad that is switched on later counts from then on", () => {
  const ps = parameters(SHAPES, "float64");
  const sgd = new optim.SGD(ps, { lr: 0.1 });
  const step = compile(trainingStep(ps, sgd));
  step(noiseOf(ps, 1));
  assert.equal(sgd.stateDict().state, {});
  sgd.paramGroups[0].momentum = 0.9;
  step(noiseOf(ps, 2));
  assert.equal(Object.keys(sgd.stateDict().state[0]), ["momentum_buffer"]);
  step(noiseOf(ps, 3));
  // as one with momentum that begins where it was switched on
  const others = parameters(SHAPES, "float64");
  trainingStep(others, new optim.SGD(others, { lr: 0.1 }))(noiseOf(others, 1));
  const late = trainingStep(others, new optim.SGD(others, { lr: 0.1, momentum: 0.9 }));
  for (const t of [2, 3]) late(noiseOf(others, t));
  assert.equal(bits(ps), bits(others));
  const adam = new optim.Adam(ps);
  const other = compile(trainingStep(ps, adam));
  other(noiseOf(ps, 1));
  adam.paramGroups[0].amsgrad = true;
  other(noiseOf(ps, 2));
  assert.equal(Object.keys(adam.stateDict().state[0]), ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]);
  assert.is(adam.stateDict().state[0].step, 2);
});

test("each optimizer refuses settings of its own that cannot be", () => {
  const w = (): T[] => [tensor([1], { requiresGrad: true })];
  for (const name of ["Adam", "AdamW", "AMSGrad", "Adamax", "NAdam", "RAdam", "Lion"]) {
    assertThrows(() => makers[name](w(), { betas: [0.9, 1] }), ConfigError, new RegExp(`^${name}: expected betas\\[1\\] from 0 to below 1; got 1`));
    assertThrows(() => makers[name](w(), { betas: 0.9 }), ConfigError, new RegExp(`^${name}: expected betas \\[beta1, beta2\\]; got number 0.9`));
  }
  assertThrows(() => new optim.Adam(w(), { amsgrad: 1 as never }), ConfigError, /^Adam: expected amsgrad: true or false/);
  assertThrows(() => new optim.AMSGrad(w(), { amsgrad: true } as never), ConfigError, /^AMSGrad: .*got amsgrad/);
  assertThrows(() => new optim.NAdam(w(), { momentumDecay: -1 }), ConfigError, /momentumDecay >= 0; got -1/);
  assertThrows(() => new optim.RMSprop(w(), { centered: "yes" as never }), ConfigError, /centered: true or false; got string yes/);
  assertThrows(() => new optim.Adagrad(w(), { initialAccumulatorValue: -1 }), ConfigError, /initialAccumulatorValue >= 0; got -1/);
  assertThrows(() => new optim.Adadelta(w(), { rho: 1.5 }), ConfigError, /rho from 0 to below 1; got 1.5/);
});

test("moments of weights whose gradient stays 0 become 0, not subnormal", () => {
  for (const [name, settings] of Object.entries({
    SGD: { momentum: 0.1 },
    Adam: { betas: [0.1, 0.1] },
    Lion: { betas: [0.1, 0.1] },
    RMSprop: { alpha: 0.1 },
    NAdam: { betas: [0.1, 0.1] },
  })) {
    const ps = parameters([[5]], "float32");
    const optimizer = makers[name](ps, settings);
    for (let t = 0; t < 200; t++) {
      optimizer.zeroGrad();
      ps[0]
        .mul(t === 0 ? 1 : 0)
        .sum()
        .backward();
      optimizer.step();
    }
    for (const value of Object.values(optimizer.stateDict().state[0])) {
      if (typeof value !== "number")
        assert.ok(
          [...value.data()].every((x) => x === 0 || Math.abs(x) > 2 ** -126),
          `${name} ${[...value.data()]}`,
        );
    }
  }
});

test("Lion takes a step of lr by the sign, none at 0, and NaN does not pass for a sign", () => {
  const w = tensor([1, 1, 1, 1, 1], { requiresGrad: true, dtype: "float64" });
  w.mul(tensor([1e-300, -5, 0, Number.NaN, Number.POSITIVE_INFINITY], { dtype: "float64" }))
    .sum()
    .backward();
  new optim.Lion([w], { lr: 0.25 }).step();
  assert.equal([...w.data()], [0.75, 1.25, 1, Number.NaN, 0.75]);
});

for (const name of ["SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "AMSGrad", "Adamax", "NAdam", "RAdam", "Lion"] as const) {
  test(`${name}: a setting made after a state was loaded holds, also one that was in force before`, () => {
    const moved = (lr: number, load: boolean): number[] => {
      const w = tapir.tensor([1, 2, 3], { requiresGrad: true });
      const optimizer = new tapir.optim[name]([w], { lr: 0.01 });
      const step = (): void => {
        w.grad = tapir.tensor([1, -1, 0.5]);
        optimizer.step();
      };
      step();
      if (load) {
        const saved = optimizer.stateDict();
        optimizer.loadStateDict({ ...saved, paramGroups: saved.paramGroups.map((group) => ({ ...group, lr: 0.5 })) } as never);
        optimizer.paramGroups[0].lr = lr;
      }
      step();
      return [...w.data()];
    };
    assert.equal(moved(0.01, true), moved(0.01, false));
    assert.not.equal(moved(0.02, true), moved(0.01, false));
  });
}

test.run();
