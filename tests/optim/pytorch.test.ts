// Every optimizer against PyTorch, or against its paper's formulas where PyTorch has none: tests/fixtures/optim/optim.py.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../assert-close.js";
import { giveGradients, makers, parameters, type Settings } from "./problem.js";

interface Case {
  optimizer: string;
  settings: Settings;
  groups: Settings[] | null;
  weights: Readonly<Record<string, number[][]>>;
}
const fixture: { steps: number; shapes: number[][]; cases: Case[] } = JSON.parse(readFileSync("tests/fixtures/optim/optim.json", "utf8"));

for (const dtype of ["float64", "float32"] as const) {
  const rtol = dtype === "float64" ? 1e-10 : 1e-5;
  for (const { optimizer: name, settings, groups, weights } of fixture.cases) {
    test(`${name} ${JSON.stringify(settings)}${groups ? " in groups" : ""}, ${dtype}: the weights of ${fixture.steps} steps`, () => {
      // for Muon, which takes matrices, the vector is one of a single column
      const shapes = fixture.shapes.map((shape) => (name === "Muon" && shape.length === 1 ? [...shape, 1] : shape));
      const ps = parameters(shapes, dtype);
      const optimizer = makers[name](groups ? ps.map((p, i) => ({ params: [p], ...groups[i] })) : ps, settings);
      let seen = 0;
      for (let t = 1; t <= fixture.steps; t++) {
        optimizer.zeroGrad();
        giveGradients(ps, t);
        optimizer.step();
        for (const [i, wanted] of (weights[t] ?? []).entries()) {
          assertClose(ps[i].data(), wanted, { rtol }, `parameter ${i}, step ${t}`);
          seen++;
        }
      }
      assert.is(seen, 2 * Object.keys(weights).length);
    });
  }
}

test.run();
