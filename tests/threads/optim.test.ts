// Every optimizer that a program can hold gives the same bits on any number of threads, averages and clipping included.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { divideAlways } from "../../bindings/cost.js";
import { compile, configure, type Tensor } from "../../ts-src/index.js";
import { clipGradAdaptive, ExponentialMovingAverage } from "../../ts-src/optim/index.js";
import { makers, noiseOf, parameters, trainingStep } from "../optim/problem.js";
import { awaitTeam } from "./team.js";

const SHAPES = [[37, 50], [7, 1]]; // biome-ignore format: short
const names = Object.keys(makers).filter((name) => name !== "FullMatrixAdagrad");

/** The weights and their averages after ten steps of each optimizer, eager and compiled. */
function trained(): string[] {
  return names.flatMap((name) =>
    [false, true].map((compiled) => {
      const ps = parameters(SHAPES, "float32");
      const optimizer = makers[name](ps, {});
      const average = new ExponentialMovingAverage(ps, { decay: 0.5 });
      const clipped = {
        zeroGrad: () => optimizer.zeroGrad(),
        step(): void {
          clipGradAdaptive(ps, { clipping: 0.3 });
          optimizer.step();
          average.update();
        },
      };
      const step = trainingStep(ps, clipped);
      const call = compiled ? compile(step) : step;
      for (let t = 1; t <= 10; t++) call(noiseOf(ps, t));
      const hex = (ts: readonly Tensor[]): string => ts.map((t) => Buffer.from(t.data().buffer).toString("hex")).join();
      return `${name}, ${compiled ? "compiled" : "eager"}: ${hex(ps)} ${hex(average.stateDict().averages)}`;
    }),
  );
}

test("optimizers, averages and adaptive clipping have the same bits on 1, 2, 3 and 8 threads", () => {
  configure({ threads: 1 });
  const wanted = trained();
  for (const threads of [2, 3, 8]) {
    configure({ threads });
    divideAlways(true);
    awaitTeam();
    const found = trained();
    divideAlways(false);
    for (const [i, bits] of found.entries()) assert.ok(bits === wanted[i], `${bits.slice(0, 30)}... differs on ${threads} threads`);
  }
  configure({ threads: 1 });
});

test.run();
