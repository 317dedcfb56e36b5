// Averages of weights against PyTorch's AveragedModel, in compiled steps, put in and taken out.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, compile, memory, optim, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { giveGradients, noiseOf, parameters, trainingStep } from "./problem.js";

const fixture: { steps: number; shapes: number[][]; averages: Record<string, number[][]> } = JSON.parse(
  readFileSync("tests/fixtures/optim/optim.json", "utf8"),
);
type Average = optim.ExponentialMovingAverage | optim.StochasticWeightAverage;
const makers: Record<string, (ps: Tensor[]) => Average> = {
  ExponentialMovingAverage: (ps) => new optim.ExponentialMovingAverage(ps, { decay: 0.9 }),
  StochasticWeightAverage: (ps) => new optim.StochasticWeightAverage(ps),
};
const elements = (ts: readonly Tensor[]): number[][] => ts.map((t) => [...t.data()]);

for (const [name, make] of Object.entries(makers)) {
  for (const dtype of ["float64", "float32"] as const) {
    test(`${name}, ${dtype}: PyTorch's averages of ${fixture.steps} steps`, () => {
      const ps = parameters(fixture.shapes, dtype);
      const optimizer = new optim.SGD(ps, { lr: 0.1 });
      const average = make(ps);
      for (let t = 1; t <= fixture.steps; t++) {
        optimizer.zeroGrad();
        giveGradients(ps, t);
        optimizer.step();
        average.update();
      }
      assert.is(average.stateDict().n_averaged, fixture.steps);
      const last = elements(ps);
      average.swap();
      for (const [i, wanted] of fixture.averages[name].entries()) assertClose(ps[i].data(), wanted, { rtol: dtype === "float64" ? 1e-10 : 1e-5 });
      average.restore();
      assert.equal(elements(ps), last);
    });

    test(`${name}, ${dtype}: a compiled step averages as the eager one, bit for bit, and goes on from a saved state`, () => {
      const runs = [false, true].map((compiled) => {
        const ps = parameters(fixture.shapes, dtype);
        let average = make(ps);
        const step = trainingStep(ps, new optim.Adam(ps, { lr: 0.1 }), () => average.update());
        const call = compiled ? compile(step) : step;
        for (let t = 1; t <= 10; t++) call(noiseOf(ps, t));
        if (!compiled) {
          const other = make(ps);
          other.loadStateDict(average.stateDict());
          average = other;
        }
        for (let t = 11; t <= 20; t++) call(noiseOf(ps, t));
        assert.is(average.stateDict().n_averaged, 20);
        return elements(average.stateDict().averages);
      });
      assert.equal(runs[1], runs[0]);
    });
  }

  test(`${name}: in and out leaves no tensor behind, and copyTo() fills other parameters`, () => {
    const ps = parameters(fixture.shapes, "float32");
    const average = make(ps);
    average.update();
    const run = (): number => {
      average.update();
      average.swap();
      average.restore();
      return memory.stats().tensors;
    };
    const counts = [run(), run(), run()];
    assert.is(counts[2], counts[0]);
    const others = parameters(fixture.shapes, "float32").map((p) => tensor(p.mul(0), { requiresGrad: true }));
    average.copyTo(others);
    assert.equal(elements(others), elements(average.stateDict().averages));
    average.copyTo();
    assert.equal(elements(ps), elements(average.stateDict().averages));
  });

  test(`${name}: calls in a wrong order, and what does not fit, are typed errors that change nothing`, () => {
    const ps = parameters(fixture.shapes, "float32");
    const average = make(ps);
    assertThrows(() => average.swap(), ConfigError, new RegExp(`^${name}: expected update\\(\\) before swap\\(\\)`));
    assertThrows(() => average.copyTo(), ConfigError, /no update yet/);
    assertThrows(() => average.restore(), ConfigError, /restore\(\) after swap\(\); got it before/);
    const step = compile(trainingStep(ps, new optim.SGD(ps), () => average.update()));
    step(noiseOf(ps, 1));
    average.swap();
    const before = elements(ps);
    assertThrows(() => average.swap(), ConfigError, /swap\(\) once; got it twice/);
    assertThrows(() => average.update(), ConfigError, /got it after swap\(\); call restore\(\) first/);
    assertThrows(() => step(noiseOf(ps, 2)), ConfigError, /got it after swap\(\); call restore\(\) first/);
    assert.equal(elements(ps), before);
    average.restore();
    const saved = average.stateDict();
    assertThrows(() => average.loadStateDict({ ...saved, n_averaged: -1 }), ConfigError, /a state \{ n_averaged, averages \}/);
    assertThrows(() => average.loadStateDict(null as never), ConfigError, /got null/);
    assertThrows(() => average.loadStateDict({ ...saved, averages: [saved.averages[0]] }), ConfigError, /2 tensors for averages; got 1/);
    assertThrows(() => average.loadStateDict({ ...saved, averages: [saved.averages[0], zeros([8])] }), ShapeError, /of shape \[7\] for averages; got \[8\]/);
    assertThrows(() => average.copyTo([ps[0]]), ConfigError, /2 tensors for copyTo; got 1/);
    assertThrows(() => make([] as Tensor[]), ConfigError, /expected parameters/);
  });
}

test("a decay that cannot be is refused", () => {
  const ps = parameters([[2]], "float32");
  for (const decay of [1, -0.1, Number.NaN, "0.9"] as number[]) assertThrows(() => new optim.ExponentialMovingAverage(ps, { decay }), ConfigError, /decay/);
});

test.run();
