// Clothing: a small convolutional network with batch normalization and dropout on the 60,000 images of Fashion-MNIST, shifted and mirrored at random,
// with AdamW and one cycle of the learning rate: 92 % of the 10,000 test images. Needs Debian's package dataset-fashion-mnist, or the folder of
// its four files in TAPIR_FASHION_MNIST.
//
//   node examples/fashion-mnist/main.mjs [--epochs N] [--quick] [--out DIR]
//
// --quick takes 2,000 images once, and tests on as many.
import "../../dist/fast.js";
import { crossEntropy, data, layers, manualSeed, noGrad, optim, schedules, train } from "../../dist/index.js";
import { options } from "../options.mjs";
import { lossPanel, mistakesPanel, savePlot } from "../plot.mjs";

const given = options(import.meta.url, { epochs: { type: "string", default: "5" } });
const epochs = given.quick ? 1 : Number(given.epochs);
const SIZE = [28, 28];
const BLACK = -0.286 / 0.353; // a pixel of 0, normalized
const { BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } = layers;

class Network extends Module {
  constructor() {
    super();
    const stage = (inputs, outputs) => [new Conv2d(inputs, outputs, 3, { padding: 1, bias: false }), new BatchNorm2d(outputs), new ReLU()];
    this.features = new Sequential(...stage(1, 16), new MaxPool2d(2), ...stage(16, 32), new MaxPool2d(2), ...stage(32, 64));
    this.classifier = new Sequential(
      ...[new Flatten(), new Dropout(0.25), new Linear(64 * 7 * 7, 128, { bias: false }), new BatchNorm1d(128), new ReLU()],
      ...[new Dropout(0.25), new Linear(128, 10)],
    );
  }

  /** Logits [N, 10] of images x [N, 784]. */
  forward(x) {
    return this.classifier.forward(this.features.forward(x.reshape([x.shape[0], 1, ...SIZE])));
  }
}

const images = await data.fashionMnist();
const [training, held] = [images.train, images.test].map((set) => (given.quick ? set.split([2000, set.length - 2000])[0] : set));
const [moved, mirrored] = [data.shift(1, { size: SIZE, value: BLACK }), data.flip({ size: SIZE })];
const transform = (batch, place) => mirrored(moved(batch, place), place);
const batches = new data.DataLoader(training, { batchSize: 128, shuffle: true, transform });
const test = new data.DataLoader(held, { batchSize: 500 });

manualSeed(0);
const model = new Network();
const optimizer = new optim.AdamW(model.parameters());
const history = await train.fit(model, batches, {
  loss: crossEntropy,
  optimizer,
  epochs,
  schedule: { schedule: new schedules.OneCycleLR(optimizer, { maxLr: 0.01, epochs, stepsPerEpoch: batches.length }), per: "step" },
  metrics: { accuracy: train.accuracy },
  validation: test,
});

const confusion = new train.ConfusionMatrix(images.classes.length);
model.eval();
for (const [x, y] of test) noGrad(() => void confusion.add(model.forward(x), y));
const percent = `${(100 * confusion.accuracy).toFixed(2)} %`;
console.log(`test accuracy ${percent}   ${epochs === 1 ? "1 epoch" : `${epochs} epochs`}   ${history.seconds.toFixed(0)} s`);
const plot = given.place("fashion-mnist.svg");
await savePlot(plot, {
  title: "Fashion-MNIST",
  subtitle: `${percent} of the test images`,
  panels: [
    lossPanel(history, batches.length, { domainY: [0.1, 3], height: 300 }),
    mistakesPanel(confusion, images.classes, { width: 320, height: 300, y: null }),
  ],
});
console.log(`plot ${plot}`);
