// tapir train mnist: trains, measures, saves the model, and writes a report.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import asciichart from "asciichart";
import { configure } from "../../bindings/configure.js";
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { DataLoader } from "../data/loader.js";
import { mnist } from "../data/mnist.js";
import { reason, writeBytes } from "../formats/files.js";
import { saveSafetensors } from "../formats/safetensors.js";
import { crossEntropy } from "../ops/crossentropy.js";
import { manualSeed } from "../ops/random.js";
import { Adam, SGD } from "../optim/index.js";
import { fit } from "../train/fit.js";
import { accuracy } from "../train/metrics.js";
import { digest, mistakesOf, network, testLoader } from "./classifier.js";
import { type Command, oneOf, parse, positive, wholeNumber } from "./options.js";
import { percent, result, seconds } from "./output.js";
import { reportHtml } from "./report.js";

export const command: Command = {
  name: "train",
  operands: "mnist",
  most: 1,
  summary:
    "Trains a 784-n-10 network with ReLU on the 60,000 images of MNIST, measures it on the 10,000 test images\nafter each epoch, and writes model.safetensors and report.html.",
  options: {
    epochs: { value: "N", help: "times round the training images", default: "4", parse: wholeNumber(1) },
    batch: { value: "N", help: "images a step", default: "32", parse: wholeNumber(1, 60_000) },
    hidden: { value: "N", help: "units of the hidden layer", default: "256", parse: wholeNumber(1, 65_536) },
    lr: { value: "X", help: "learning rate at the start, which falls to 0 by a cosine; 0.1 suits sgd", default: "0.002", parse: positive },
    optimizer: { value: "NAME", help: "adam or sgd", default: "adam", parse: oneOf("adam", "sgd") },
    threads: { value: "N", help: "threads, with the same bits for any number of them (all cores, or TAPIR_THREADS)", parse: wholeNumber(1, 64) },
    seed: { value: "N", help: "seed of weights and order; the same seed gives the same bits", default: "0", parse: wholeNumber(0, 0xffffffff) },
    out: { value: "DIR", help: "folder for model and report", default: "out/mnist" },
    json: { help: "print one JSON object as the last line" },
    help: { help: "show this" },
  },
  examples: ["tapir train mnist", "tapir train mnist --epochs 3 --hidden 128 --optimizer sgd --lr 0.1", "tapir train mnist --json | tail -n 1"],
};

interface Values {
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

const MISTAKES_SHOWN = 200;
const CURVE_POINTS = 1000;

export async function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values, operands } = parse(command, args);
  if (operands[0] !== "mnist") throw new ConfigError(`train: expected the dataset mnist; got ${operands[0] ?? "none"}`);
  const v = values as unknown as Values;
  const started = performance.now();
  if (v.threads !== undefined) configure({ threads: v.threads });
  const images = await mnist();
  makeFolder(v.out);

  manualSeed(v.seed);
  const inputs = images.train.images.shape[1];
  const model = network(inputs, v.hidden);
  const parameters = model.parameters();
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

  const { confusion, mistakes } = mistakesOf(model, images.test);
  const last = history.epochs[history.epochs.length - 1].validation as { loss: number; accuracy: number };
  const state = model.stateDict();
  const paths = { model: join(v.out, "model.safetensors"), report: join(v.out, "report.html") };
  await saveSafetensors(paths.model, state);
  const elapsed = (performance.now() - started) / 1000;
  const stride = Math.ceil(history.losses.length / CURVE_POINTS);
  const picked = history.losses.map((_, i) => i).filter((i) => i % stride === 0);
  const html = reportHtml({
    title: `MNIST, ${inputs}-${v.hidden}-10`,
    settings: Object.entries(values).map(([name, value]) => [name, String(value)] as const),
    summary: {
      testAccuracy: last.accuracy,
      testLoss: last.loss,
      seconds: elapsed,
      steps: history.losses.length,
      parameters: parameters.reduce((n, p) => n + p.size, 0),
    },
    steps: { step: picked.map((i) => i + 1), loss: picked.map((i) => history.losses[i]) },
    epochs: history.epochs.map((e) => ({
      epoch: e.epoch,
      loss: e.training.loss,
      accuracy: e.training.accuracy,
      validationLoss: e.validation?.loss as number,
      validationAccuracy: e.validation?.accuracy as number,
      seconds: e.seconds,
    })),
    confusion,
    mistakes: mistakes.slice(0, MISTAKES_SHOWN),
    mistakeCount: mistakes.length,
  });
  await writeBytes("report", paths.report, [html]);

  if (process.stdout.isTTY) process.stdout.write(`\n${curve(history.losses)}\n\n`);
  result(
    v.json,
    { testAccuracy: last.accuracy, testLoss: last.loss, seconds: elapsed, epochs: v.epochs, steps: history.losses.length, digest: digest(state), ...paths },
    `test accuracy ${percent(last.accuracy)}   ${seconds(elapsed)}   model ${paths.model}   report ${paths.report}`,
  );
}

/** Makes a folder and tries to write to it, so that a training does not end without a place for its model. */
function makeFolder(path: string): void {
  try {
    // level by level: mkdirSync(path, { recursive: true }) never returns for a folder below /proc
    const whole = resolve(path);
    const levels: string[] = [];
    for (let level = whole; !existsSync(level) && level !== dirname(level); level = dirname(level)) levels.unshift(level);
    for (const level of levels) makeLevel(level);
    const probe = join(whole, `tapir.${process.pid}.partial`);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    throw new FormatError(`--out: expected a folder to write to; ${reason(error)} at ${path}`, { cause: error });
  }
}

function makeLevel(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // another process was faster
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The training loss over the steps, as text. */
function curve(losses: readonly number[]): string {
  const columns = 64;
  const size = Math.max(1, Math.ceil(losses.length / columns));
  const means: number[] = [];
  for (let i = 0; i < losses.length; i += size) {
    const part = losses.slice(i, i + size);
    means.push(part.reduce((a, b) => a + b, 0) / part.length);
  }
  return `training loss, ${losses.length.toLocaleString("en-US")} steps\n${asciichart.plot(means.length > 1 ? means : [...means, ...means], { height: 8 })}`;
}
