// tapir train mnist: trains the network of 784-n-10, measures, saves the model, and writes a report.
import { join } from "node:path";
import { configure } from "../../bindings/configure.js";
import { DataLoader } from "../data/loader.js";
import { mnist } from "../data/mnist.js";
import { writeBytes } from "../formats/files.js";
import { saveSafetensors } from "../formats/safetensors.js";
import { summary } from "../layers/index.js";
import { crossEntropy } from "../ops/crossentropy.js";
import { manualSeed } from "../ops/random.js";
import { Adam, SGD } from "../optim/index.js";
import { fit } from "../train/fit.js";
import { accuracy } from "../train/metrics.js";
import { answersOf } from "./answers.js";
import { CLASSES, digest, network, testLoader } from "./classifier.js";
import { curve } from "./curve.js";
import { makeFolder } from "./folder.js";
import { percent, result, seconds } from "./output.js";
import { reportHtml } from "./report/report.js";
import { histograms, weightsOf } from "./report/weights.js";

/** Of the command line. */
export interface Values {
  epochs: number;
  batch: number;
  hidden: number;
  lr: number;
  optimizer: "adam" | "sgd";
  threads?: number;
  seed: number;
  out: string;
  json?: boolean;
}

/** How many of the images that were misclassified a report shows. */
export const MISTAKES_SHOWN = 200;

export async function trainMnist(v: Values, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  if (v.threads !== undefined) configure({ threads: v.threads });
  const images = await mnist();
  makeFolder(v.out);

  manualSeed(v.seed);
  const inputs = images.train.images.shape[1];
  const model = network(inputs, v.hidden);
  const parameters = model.parameters();
  const weightsBefore = weightsOf(model.namedParameters());
  const optimizer = v.optimizer === "adam" ? new Adam(parameters, { lr: v.lr }) : new SGD(parameters, { lr: v.lr });
  const history = await fit(model, new DataLoader(images.train, { batchSize: v.batch, shuffle: true, seed: v.seed }), {
    loss: crossEntropy,
    optimizer,
    epochs: v.epochs,
    metrics: { accuracy },
    validation: testLoader(images.test),
    signal,
    // the learning rate falls to 0 by a cosine (Loshchilov and Hutter 2017, equation 5, without restarts): 98.3 instead of 97.8 %
    onProgress({ epoch, step, steps }) {
      const done = (epoch - 1 + step / (steps as number)) / v.epochs;
      optimizer.paramGroups[0].lr = v.lr * 0.5 * (1 + Math.cos(Math.PI * done));
    },
  });

  const { confusion, mistakes } = answersOf(model, testLoader(images.test), CLASSES);
  const last = history.epochs[history.epochs.length - 1].validation as { loss: number; accuracy: number };
  const state = model.stateDict();
  const paths = { model: join(v.out, "model.safetensors"), report: join(v.out, "report.html") };
  await saveSafetensors(paths.model, state);
  const elapsed = (performance.now() - started) / 1000;
  const html = reportHtml({
    title: `MNIST, ${inputs}-${v.hidden}-10`,
    settings: Object.entries(v).map(([name, value]) => [name, String(value)] as const),
    scores: last,
    on: "test",
    seconds: elapsed,
    parameters: parameters.reduce((n, p) => n + p.size, 0),
    history,
    model: summary(model, [1, inputs]),
    weights: histograms(weightsBefore, weightsOf(model.namedParameters())),
    confusion,
    mistakes: { mistakes: mistakes.slice(0, MISTAKES_SHOWN), total: mistakes.length, classes: undefined, on: "test" },
  });
  await writeBytes("report", paths.report, [html]);

  if (process.stdout.isTTY) process.stdout.write(`\n${curve(history.losses)}\n\n`);
  result(
    v.json,
    { testAccuracy: last.accuracy, testLoss: last.loss, seconds: elapsed, epochs: v.epochs, steps: history.losses.length, digest: digest(state), ...paths },
    `test accuracy ${percent(last.accuracy)}   ${seconds(elapsed)}   model ${paths.model}   report ${paths.report}`,
  );
}
