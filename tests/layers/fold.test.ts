// Batch norms folded into the layers before them give the same answers.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, layers, manualSeed, noGrad, randn, type Tensor } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { BatchNorm1d, BatchNorm2d, Conv1d, Conv2d, ConvTranspose2d, Flatten, Linear, ReLU, Sequential, foldBatchNorm } = layers;
const dtype = "float64";
const SEED = 5;

/** A model whose norms have learnt and seen something. */
function used(model: layers.Sequential, shape: number[]): layers.Sequential {
  for (let i = 0; i < 3; i++) model.forward(randn(shape, { dtype }));
  noGrad(() => {
    for (const p of model.parameters()) p.add_(randn(p.shape, { dtype }).mul(0.3));
  });
  return model;
}

const models: Record<string, [model: () => layers.Sequential, shape: number[], left: string[]]> = {
  "a linear layer": [() => new Sequential(new Linear(3, 4, { dtype }), new BatchNorm1d(4, { dtype })), [5, 3], ["Linear"]],
  "one without bias, before a norm without weights": [
    () => new Sequential(new Linear(3, 4, { dtype, bias: false }), new BatchNorm1d(4, { dtype, affine: false, eps: 0.1 }), new ReLU()),
    [5, 3],
    ["Linear", "ReLU"],
  ],
  "a convolution over one axis": [() => new Sequential(new Conv1d(2, 4, 2, { dtype, groups: 2 }), new BatchNorm1d(4, { dtype })), [3, 2, 5], ["Conv1d"]],
  "images, a transposed convolution in groups, and a model within": [
    () =>
      new Sequential(
        new Sequential(new Conv2d(1, 4, 3, { dtype, padding: 1, bias: false }), new BatchNorm2d(4, { dtype }), new ReLU()),
        new ConvTranspose2d(4, 6, 2, { dtype, groups: 2, stride: 2 }),
        new BatchNorm2d(6, { dtype }),
        new Flatten(),
        new Linear(96, 3, { dtype }),
        new BatchNorm1d(3, { dtype }),
      ),
    [3, 1, 2, 2],
    ["Sequential", "ConvTranspose2d", "Flatten", "Linear"],
  ],
  "a normalised weight": [() => new Sequential(layers.weightNorm(new Linear(3, 4, { dtype })), new BatchNorm1d(4, { dtype })), [5, 3], ["Linear"]],
  "norms that cannot be folded": [
    () => new Sequential(new BatchNorm1d(3, { dtype }), new Linear(3, 4, { dtype }), new ReLU(), new BatchNorm1d(4, { dtype }), new Linear(4, 2, { dtype }), new BatchNorm1d(2, { dtype, trackRunningStats: false })),
    [5, 3],
    ["BatchNorm1d", "Linear", "ReLU", "BatchNorm1d", "Linear", "BatchNorm1d"],
  ],
}; // biome-ignore format: models in one line

for (const [name, [make, shape, left]] of Object.entries(models)) {
  test(`folding keeps the answers of ${name}, and the model as it was`, () => {
    manualSeed(SEED);
    const model = used(make(), shape);
    const before = Object.values(model.stateDict()).map((t) => [...t.data()]);
    const folded = foldBatchNorm(model);
    assert.equal(
      folded.children().map(([, layer]) => layer.constructor.name),
      left,
    );
    assert.ok(model.training && model.children().every(([, layer]) => layer.training));
    assert.ok(!folded.training && folded.children().every(([, layer]) => !layer.training));
    const x = randn(shape, { dtype });
    const y = folded.forward(x).data();
    assert.equal(
      Object.values(model.stateDict()).map((t) => [...t.data()]),
      before,
    );
    assertClose(y, (model.eval().forward(x) as Tensor).data(), { rtol: 1e-12, atol: 1e-13 }, `seed ${SEED}`);
  });
}

test("what is folded has a weight and a bias, and draws no random numbers", () => {
  manualSeed(SEED);
  const model = models["a normalised weight"][0]();
  const next = (): number[] => [...randn([3]).data()];
  manualSeed(SEED);
  const drawn = next();
  manualSeed(SEED);
  assert.equal(Object.keys(foldBatchNorm(model).stateDict()).sort(), ["0.bias", "0.weight"]);
  assert.equal(next(), drawn);
  assertThrows(() => foldBatchNorm(new Linear(2, 2) as unknown as layers.Sequential), ConfigError, /expected a Sequential/);
});

test.run();
