// Schedules against those of PyTorch, step by step: tests/fixtures/optim/schedules.py.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, compile, optim, schedules, type Tensor, tensor } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

type Options = Record<string, unknown>;
interface Case {
  name: keyof typeof schedules;
  options: Options;
  optimizer: "SGD" | "Adam";
  /** Rates and momenta of the groups. */
  rows: [number[], number[]][];
}
const fixture: { metrics: number[]; cases: Case[] } = JSON.parse(readFileSync("tests/fixtures/optim/schedules.json", "utf8"));

function optimizerOf(kind: "SGD" | "Adam"): optim.SGD | optim.Adam {
  const groups = [0.1, 0.5].map((lr) => ({ params: [tensor([0], { requiresGrad: true })], lr }));
  return kind === "SGD" ? new optim.SGD(groups, { momentum: 0.9 }) : new optim.Adam(groups);
}

type Any = new (optimizer: object, options?: Options) => schedules.Schedule;

function made(optimizer: object, name: string, options: Options): schedules.Schedule {
  const parts = options.schedules as [string, Options][] | undefined;
  const whole = parts === undefined ? options : { ...options, schedules: parts.map((part) => made(optimizer, ...part)) };
  return new (schedules as unknown as Record<string, Any>)[name](optimizer, whole);
}

const momenta = (optimizer: optim.SGD | optim.Adam): number[] => optimizer.paramGroups.map((group) => ("betas" in group ? group.betas[0] : group.momentum));
const rates = (optimizer: optim.SGD | optim.Adam): number[] => optimizer.paramGroups.map((group) => group.lr);
const metricOf = ({ name, options }: Case, t: number): number | undefined =>
  name === "ReduceLROnPlateau" ? (options.mode === "max" ? 1 - fixture.metrics[t] : fixture.metrics[t]) : undefined;

for (const of of fixture.cases) {
  test(`${of.name} ${JSON.stringify(of.options)}: PyTorch's rates of ${of.rows.length - 1} steps`, () => {
    const optimizer = optimizerOf(of.optimizer);
    const schedule = made(optimizer, of.name, of.options);
    for (const [t, [lrs, moments]] of of.rows.entries()) {
      if (t > 0) schedule.step(metricOf(of, t - 1));
      assertClose(rates(optimizer), lrs, { rtol: 1e-12, atol: 1e-17 }, `rates at step ${t}`);
      assertClose(momenta(optimizer), moments, { rtol: 1e-12 }, `momenta at step ${t}`);
      assert.equal([...schedule.lastLr], rates(optimizer));
    }
  });

  test(`${of.name} ${JSON.stringify(of.options)}: goes on from any step, from a state that was JSON`, () => {
    const optimizer = optimizerOf(of.optimizer);
    const schedule = made(optimizer, of.name, of.options);
    for (let t = 0; t < of.rows.length - 1; t++) {
      const other = optimizerOf(of.optimizer);
      const copy = made(other, of.name, of.options);
      copy.loadStateDict(JSON.parse(JSON.stringify(schedule.stateDict())));
      assert.equal([rates(other), momenta(other)], [rates(optimizer), momenta(optimizer)]);
      assert.equal(copy.stateDict(), schedule.stateDict());
      schedule.step(metricOf(of, t));
      copy.step(metricOf(of, t));
      assert.equal([rates(other), momenta(other)], [rates(optimizer), momenta(optimizer)]);
    }
  });
}

test("warm-up goes before a plateau", () => {
  const optimizer = optimizerOf("SGD");
  const parts = [new schedules.LinearWarmup(optimizer, { startFactor: 0.5, totalIters: 2 }), new schedules.ReduceLROnPlateau(optimizer, { patience: 0 })];
  const schedule = new schedules.SequentialLR(optimizer, { schedules: parts, milestones: [2] });
  const seen = [rates(optimizer)[0]];
  for (const metric of [3, 3, 2, 2.5, 1]) {
    schedule.step(metric);
    seen.push(rates(optimizer)[0]);
  }
  assertClose(seen, [0.05, 0.075, 0.1, 0.1, 0.01, 0.01], { rtol: 1e-12 });
  assertThrows(() => schedule.step(), ConfigError, /^ReduceLROnPlateau: expected step\(metric\), a number/);
  assert.is(schedule.stateDict().lastEpoch, 5);
});

test("a chain within a sequence begins anew at its milestone", () => {
  const optimizer = optimizerOf("SGD");
  const step = new schedules.StepLR(optimizer, { stepSize: 1 });
  const warmup = new schedules.LinearWarmup(optimizer, { startFactor: 0.5, totalIters: 2 });
  const chained = new schedules.ChainedScheduler(optimizer, { schedules: [warmup, new schedules.ExponentialLR(optimizer, { gamma: 0.5 })] });
  const schedule = new schedules.SequentialLR(optimizer, { schedules: [step, chained], milestones: [2] });
  const seen = [rates(optimizer)[0]];
  for (let t = 0; t < 4; t++) {
    schedule.step();
    seen.push(rates(optimizer)[0]);
  }
  assertClose(seen, [0.1, 0.01, 0.05, 0.0375, 0.025], { rtol: 1e-12 });
});

test("a compiled step takes the rate of the schedule without being traced anew", () => {
  const w = tensor([1], { requiresGrad: true, dtype: "float64" });
  const optimizer = new optim.SGD([w], { lr: 1 });
  const schedule = new schedules.ExponentialLR(optimizer, { gamma: 0.5 });
  const step = compile((x: Tensor) => {
    optimizer.zeroGrad();
    const loss = w.mul(x).sum();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const one = tensor([1], { dtype: "float64" });
  for (let t = 0; t < 4; t++) {
    step(one);
    schedule.step();
  }
  assert.is(w.item(), 1 - 1 - 0.5 - 0.25 - 0.125);
  assert.is(step.stats().traces, 1);
});

test("options that cannot be are typed errors", () => {
  const optimizer = optimizerOf("SGD");
  const refused = (name: string, options: unknown, message: RegExp): void =>
    assertThrows(() => new (schedules as unknown as Record<string, Any>)[name](optimizer, options as Options), ConfigError, message);
  refused("StepLR", { stepSize: 0 }, /^StepLR: expected stepSize, a whole number >= 1; got 0/);
  refused("StepLR", undefined, /^StepLR: expected stepSize, a whole number >= 1; got undefined/);
  refused("StepLR", { stepSize: 2, step_size: 2 }, /got step_size/);
  refused("StepLR", { stepSize: 2, gamma: -1 }, /gamma/);
  refused("MultiStepLR", { milestones: 3 }, /milestones, an array of steps; got number 3/);
  refused("MultiStepLR", { milestones: [1.5] }, /milestones, a whole number >= 1; got 1.5/);
  refused("ExponentialLR", {}, /number from 0 for gamma; got undefined/);
  refused("CosineAnnealingLR", { TMax: -1 }, /TMax, a whole number >= 1; got -1/);
  refused("LinearWarmup", { startFactor: 0 }, /above 0 to 1 for startFactor; got 0/);
  refused("OneCycleLR", { maxLr: 1 }, /expected totalSteps, or epochs and stepsPerEpoch; got neither/);
  refused("OneCycleLR", { maxLr: [1], totalSteps: 5 }, /maxLr for 2 groups; got 1/);
  refused("OneCycleLR", { maxLr: 1, totalSteps: 5, annealStrategy: "sine" }, /annealStrategy "cos" or "linear"; got string sine/);
  refused("ReduceLROnPlateau", { mode: "least" }, /mode min or max; got string least/);
  refused("ReduceLROnPlateau", { factor: 1 }, /factor below 1; got 1/);
  refused("SequentialLR", { schedules: [], milestones: [] }, /^SequentialLR: expected schedules, at least one; got/);
  const parts = [new schedules.LinearWarmup(optimizer), new schedules.StepLR(optimizer, { stepSize: 3 })];
  refused("SequentialLR", { schedules: parts, milestones: [] }, /1 milestones for 2 schedules; got 0/);
  refused("SequentialLR", { schedules: [...parts, parts[1]], milestones: [4, 4] }, /milestones, a whole number >= 5; got 4/);
  refused("ChainedScheduler", { schedules: [new schedules.LinearWarmup(optimizerOf("SGD"))] }, /schedules of the optimizer; got one of another/);
  assertThrows(
    () => new schedules.StepLR({} as never, { stepSize: 1 }),
    ConfigError,
    /^StepLR: expected an optimizer, with paramGroups that have lr; got an object/,
  );
  const adagrad = new optim.Adagrad([tensor([0], { requiresGrad: true })]);
  assertThrows(
    () => new schedules.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 5 }),
    ConfigError,
    /momentum or betas; got one without; pass cycleMomentum: false/,
  );
});

test("a cycle has an end, and a step beyond it changes nothing", () => {
  const optimizer = optimizerOf("SGD");
  const schedule = new schedules.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 3 });
  for (let t = 0; t < 3; t++) schedule.step();
  const before = [rates(optimizer), momenta(optimizer)];
  assertThrows(() => schedule.step(), ConfigError, /^OneCycleLR: expected at most 3 steps, totalSteps; got one more/);
  assert.equal([rates(optimizer), momenta(optimizer)], before);
});

test("a state that does not fit is a typed error that changes nothing", () => {
  const optimizer = optimizerOf("SGD");
  const parts = [new schedules.LinearWarmup(optimizer), new schedules.ReduceLROnPlateau(optimizer)];
  const schedule = new schedules.SequentialLR(optimizer, { schedules: parts, milestones: [3] });
  for (let t = 0; t < 5; t++) schedule.step(1);
  const good = schedule.stateDict();
  const refused = (state: unknown, message: RegExp): void => {
    assertThrows(() => schedule.loadStateDict(state as schedules.ScheduleState), ConfigError, message);
    assert.equal(schedule.stateDict(), good);
    assert.equal(rates(optimizer), [0.1, 0.5]);
  };
  const inner = good.schedules as schedules.ScheduleState[];
  for (const nothing of [null, 3, []]) refused(nothing, /^SequentialLR: expected a state, as stateDict\(\) gives; got/);
  refused({}, /^SequentialLR: expected lastEpoch, a whole number >= 0; got undefined/);
  refused({ ...good, lastEpoch: -1 }, /lastEpoch, a whole number >= 0; got -1/);
  refused({ ...good, lastLr: [0.1] }, /lastLr, 2 rates/);
  refused({ ...good, lastLr: [0.1, Number.NaN] }, /lastLr, 2 rates/);
  refused({ ...good, more: 1 }, /got more/);
  refused({ ...good, schedules: [inner[0]] }, /states of 2; got 1 of them/);
  refused({ ...good, schedules: [inner[0], { ...inner[1], best: "0" }] }, /^ReduceLROnPlateau: expected best, a finite number or null; got string 0/);
});

test.run();
