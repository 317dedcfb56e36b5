// Weights that PyTorch made: tests/fixtures/layers/models.py wrote the states and what the models answer.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, formats, layers, maxPool2d, noGrad, relu, type Tensor, tensor } from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const FOLDER = "tests/fixtures/layers";
const answers = JSON.parse(readFileSync(`${FOLDER}/models.json`, "utf8")) as Record<string, { names: string[]; shape: number[]; logits: number[] }>;

/** The formula of cases.py. */
function wave(shape: readonly number[], phase: number): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: n }, (_, i) => {
    const v = (i + 1) * 0.6180339887498949 + phase * 0.7548776662466927;
    return -1 + 2 * (v - Math.floor(v));
  });
  return tensor(values).reshape([...shape]);
}

class LeNet extends layers.Module {
  readonly conv1 = new layers.Conv2d(1, 6, 5);
  readonly conv2 = new layers.Conv2d(6, 16, 5);
  readonly fc1 = new layers.Linear(256, 120);
  readonly fc2 = new layers.Linear(120, 84);
  readonly fc3 = new layers.Linear(84, 10);

  forward(x: Tensor): Tensor {
    const first = maxPool2d(relu(this.conv1.forward(x)), 2);
    const second = maxPool2d(relu(this.conv2.forward(first)), 2).flatten(1);
    return this.fc3.forward(relu(this.fc2.forward(relu(this.fc1.forward(second)))));
  }
}

class Sequences extends layers.Module {
  readonly embedding = new layers.Embedding(20, 8);
  readonly lstm = new layers.LSTM(8, 12, { numLayers: 2, bidirectional: true, batchFirst: true });
  readonly fc = new layers.Linear(24, 5);

  forward(x: Tensor): Tensor {
    const [y] = this.lstm.forward(this.embedding.forward(x));
    return this.fc.forward(y.slice(null, -1));
  }
}

class Encoder extends layers.Module {
  readonly layer = new layers.TransformerEncoderLayer(16, 4, { dimFeedforward: 32, batchFirst: true });
  readonly fc = new layers.Linear(16, 5);

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.layer.forward(x).mean({ axis: 1 }));
  }
}

const words = tensor(Int32Array.from({ length: 24 }, (_, at) => (3 * Math.floor(at / 6) ** 2 + 5 * (at % 6)) % 20)).reshape([4, 6]);
const { Linear, ReLU, Sequential } = layers;
const normalised = (): layers.Sequential =>
  new Sequential(
    new layers.Conv2d(1, 4, 3, { bias: false }),
    new layers.BatchNorm2d(4),
    new ReLU(),
    new layers.Conv2d(4, 6, 3),
    new layers.BatchNorm2d(6),
    new layers.Flatten(),
    new Linear(96, 5),
    new layers.BatchNorm1d(5),
  );

const models: Record<string, { model: layers.Module; x: Tensor }> = {
  mlp: { model: new Sequential(new Linear(20, 16), new ReLU(), new Linear(16, 16), new ReLU(), new Linear(16, 5)), x: wave([4, 20], 1) },
  lenet: { model: new LeNet(), x: wave([3, 1, 28, 28], 2) },
  lstm: { model: new Sequences(), x: words },
  transformer: { model: new Encoder(), x: wave([3, 5, 16], 3) },
  normalised: { model: normalised(), x: wave([3, 1, 8, 8], 4) },
};

for (const [name, { model, x }] of Object.entries(models)) {
  test(`the state of ${name} that PyTorch made loads under its names and gives its logits`, async () => {
    const { names, shape, logits } = answers[name];
    assert.equal(Object.keys(model.stateDict()), names);
    model.loadStateDict(await formats.loadSafetensors(`${FOLDER}/${name}.safetensors`));
    const y = noGrad(() => model.eval().forward(x));
    assert.equal(y.shape, shape);
    assertClose(y.data(), logits, { rtol: 0, atol: 1e-5 }, name);
  });
}

test("the state of another architecture is refused with the missing and the unexpected names, and changes nothing", async () => {
  const model = new LeNet();
  const before = Object.values(model.stateDict()).map((t) => [...t.data()]);
  const state = await formats.loadSafetensors(`${FOLDER}/mlp.safetensors`);
  assertThrows(() => model.loadStateDict(state), ConfigError, /missing conv1\.weight, conv1\.bias, .*fc3\.bias; unexpected 0\.weight, 0\.bias, .*4\.bias/);
  assert.equal(
    Object.values(model.stateDict()).map((t) => [...t.data()]),
    before,
  );
});

test("the folded model gives PyTorch's logits too", async () => {
  const model = normalised();
  model.loadStateDict(await formats.loadSafetensors(`${FOLDER}/normalised.safetensors`));
  const y = noGrad(() => layers.foldBatchNorm(model).forward(models.normalised.x));
  assertClose(y.data(), answers.normalised.logits, { rtol: 0, atol: 1e-5 });
});

test.run();
