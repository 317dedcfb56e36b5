// Training follows PyTorch step by step: tests/fixtures/mlp_curve.py made the losses.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import { crossEntropy, layers, optim, type Tensor, tensor } from "../../ts-src/index.js";
import { assertClose } from "../assert-close.js";

const curves = JSON.parse(readFileSync("tests/fixtures/mlp_curve.json", "utf8")) as Record<string, number[]>;

function wave(shape: number[], phase: number, scale = 1): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => scale * Math.sin(phase + 0.7 * i + 0.01 * i * i))).reshape(shape);
}

const optimizers: Record<string, (p: Tensor[]) => { step(): void; zeroGrad(): void }> = {
  adam: (p) => new optim.Adam(p, { lr: 0.01, weightDecay: 0.001 }),
  sgd: (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.001 }),
  plain: (p) => new optim.SGD(p, { lr: 0.1 }),
};

for (const [name, make] of Object.entries(optimizers)) {
  test(`100 steps with ${name} have PyTorch's losses within 1e-4`, () => {
    const model = new layers.Sequential(new layers.Linear(20, 16), new layers.ReLU(), new layers.Linear(16, 5));
    model.loadStateDict({ "0.weight": wave([16, 20], 1, 0.3), "0.bias": wave([16], 2, 0.1), "2.weight": wave([5, 16], 3, 0.3), "2.bias": wave([5], 4, 0.1) });
    const x = wave([32, 20], 5);
    const y = tensor(Int32Array.from({ length: 32 }, (_, i) => (3 * i * i + i) % 5));
    const optimizer = make(model.parameters());
    const losses: number[] = [];
    for (let step = 0; step < 100; step++) {
      const loss = crossEntropy(model.forward(x), y, { labelSmoothing: 0.05 });
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    assertClose(losses, curves[name], { rtol: 1e-4 }, name);
  });
}

test.run();
