// The training loop: epochs over batches, with progress, validation and a way to stop.

import { stoppedBy } from "../../bindings/abort.js";
import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, NumericError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import type { Batch } from "../data/dataset.js";
import type { Module } from "../layers/module.js";
import { checkedOptions } from "../ops/checks.js";
import { noGrad } from "../ops/derivatives.js";
import { manualSeed } from "../ops/random.js";
import type { Metric } from "./metrics.js";
import { type Bar, createBar } from "./progress.js";
import { checkedLoss, Step } from "./step.js";

/** Batches, once or many times; `length`, their number, is what the time left is worked out from. */
export type Batches = (Iterable<Batch> | AsyncIterable<Batch>) & { readonly length?: number };
export type Metrics = Readonly<Record<string, Metric>>;

/** Means over examples: of the loss and of each metric by name. */
export interface Scores {
  loss: number;
  [metric: string]: number;
}

export interface EvaluateOptions {
  loss: (output: Tensor, target: Tensor) => Tensor;
  metrics?: Metrics;
  signal?: AbortSignal;
}

export interface FitOptions extends EvaluateOptions {
  /** Anything with step() and zeroGrad(). */
  optimizer: { step(): void; zeroGrad(): void };
  /** Times round the data; 1 by default. */
  epochs?: number;
  /** Batches to measure on after each epoch. */
  validation?: Batches;
  /** Called after each step and each epoch. */
  onProgress?: (progress: Progress) => void;
  /** Whether a bar is shown where stderr is a terminal; true by default. */
  progress?: boolean;
  /** Starts the random numbers anew before the first step. */
  seed?: number;
  /**
   * Whether a step is one program, with the bits of the step op by op (false). Then forward and loss run once for each shape of
   * a batch: what JavaScript decides in them is decided then. By default a step that cannot be a program, as it reads
   * elements, runs op by op, and a line on stderr says why; true makes that a ConfigError. A program leaves no `grad` behind, and
   * an optimizer of one's own runs op by op unless true.
   */
  compile?: boolean;
}

export interface Progress {
  /** Counted from 1. */
  epoch: number;
  epochs: number;
  /** Steps done in this epoch, and all of them if known. */
  step: number;
  steps: number | undefined;
  /** Means over this epoch so far. */
  training: Scores;
  /** Whether the epoch is over; validation, if any, is then done. */
  ended: boolean;
  validation: Scores | undefined;
  /** Examples a second in this epoch. */
  rate: number;
  /** Seconds since the beginning. */
  seconds: number;
  /** Seconds to the end of the last epoch, if the number of steps is known. */
  secondsLeft: number | undefined;
}

export interface History {
  epochs: { epoch: number; training: Scores; validation: Scores | undefined; seconds: number }[];
  /** The loss of each step. */
  losses: number[];
  seconds: number;
}

/** Running means, weighted by examples. */
class Means {
  examples = 0;
  private readonly sums = new Map<string, number>();

  add(scores: Scores, examples: number): void {
    for (const [name, value] of Object.entries(scores)) this.sums.set(name, (this.sums.get(name) ?? 0) + value * examples);
    this.examples += examples;
  }

  get scores(): Scores {
    return Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / this.examples])) as Scores;
  }
}

const BREATH_MS = 100; // how long the event loop waits at most: signals, timers and finalizers run between

/** Lets the event loop run if it has waited long enough. */
class Breath {
  private last = performance.now();

  async take(signal: AbortSignal | undefined): Promise<void> {
    if (performance.now() - this.last >= BREATH_MS) {
      await new Promise<void>((resolve) => (typeof setImmediate === "function" ? setImmediate(resolve) : setTimeout(resolve)));
      this.last = performance.now();
    }
    stopIfAborted(signal);
  }
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw stoppedBy(signal);
}

/** Throws ConfigError unless model, data and the options that evaluate() and fit() share are what they must be. */
function checkCall(name: string, model: Module, data: Batches, options: EvaluateOptions | undefined): void {
  const { loss, metrics = {}, signal }: Partial<EvaluateOptions> = options ?? {};
  const has = (value: unknown, ...methods: string[]): boolean =>
    value !== null && typeof value === "object" && methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function");
  if (!has(model, "forward", "train", "eval")) throw new ConfigError(`${name}: expected a model, a Module; got ${showValue(model)}`);
  if (!isBatches(data)) throw new ConfigError(`${name}: expected data, an iterable of batches such as a DataLoader; got ${showValue(data)}`);
  if (typeof loss !== "function") throw new ConfigError(`${name}: expected a loss function (output, target); got ${showValue(loss)}`);
  if (metrics === null || typeof metrics !== "object") throw new ConfigError(`${name}: expected metrics by name; got ${showValue(metrics)}`);
  for (const [metric, measure] of Object.entries(metrics)) {
    if (typeof measure !== "function")
      throw new ConfigError(`${name}: expected a function (output, target) for the metric ${metric}; got ${showValue(measure)}`);
  }
  if (signal !== undefined && typeof signal?.aborted !== "boolean") throw new ConfigError(`${name}: expected signal, an AbortSignal; got ${showValue(signal)}`);
}

function isBatches(data: unknown): boolean {
  return data !== null && typeof data === "object" && (Symbol.iterator in data || Symbol.asyncIterator in data);
}

/** Throws ConfigError for what is no batch. */
function checkBatch(name: string, batch: unknown): void {
  if (Array.isArray(batch) && batch.length === 2 && batch[0] instanceof Tensor && batch[1] instanceof Tensor && batch[0].ndim > 0) return;
  const got = Array.isArray(batch) ? `[${batch.map((part) => (part instanceof Tensor ? part.describe() : showValue(part))).join(", ")}]` : showValue(batch);
  throw new ConfigError(`${name}: expected batches [x, y], two tensors with examples along the first axis; got ${got}`);
}

function scored(name: string, loss: Tensor, x: Tensor, output: Tensor, target: Tensor, metrics: Metrics): Scores {
  const value = loss.item();
  if (!Number.isFinite(value)) throw new NumericError(`${name}: expected a finite loss; got ${value}${blame(x, output, target)}`);
  const scores: Scores = { loss: value };
  for (const [metric, measure] of Object.entries(metrics)) {
    const figure: unknown = measure(output, target);
    if (typeof figure !== "number") throw new ConfigError(`${name}: expected the metric ${metric} to answer a number; got ${showValue(figure)}`);
    scores[metric] = figure;
  }
  return scores;
}

/** Where a loss that is not finite comes from. */
function blame(x: Tensor, output: Tensor, target: Tensor): string {
  for (const [what, t] of Object.entries({ input: x, target })) {
    if (!isFloat(t.dtype)) continue;
    const data = t.data();
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) return `; the ${what} has ${data[bad]} at element ${bad} of ${t.describe()}: clean the data`;
  }
  const bad = output.data().findIndex((value) => !Number.isFinite(value));
  return bad >= 0 ? "; the input is finite, the output is not: lower the learning rate" : "; input, target and output are finite: check the loss function";
}

/** Mean loss and metrics over batches, without gradients and with the model switched to use. */
export async function evaluate(model: Module, data: Batches, options: EvaluateOptions): Promise<Scores> {
  checkedOptions("evaluate", options, ["loss", "metrics", "signal"]);
  checkCall("evaluate", model, data, options);
  stopIfAborted(options.signal);
  const means = new Means();
  const breath = new Breath();
  const training = model.training;
  model.eval();
  try {
    for await (const batch of batches(data)) {
      checkBatch("evaluate", batch);
      const [x, y] = batch;
      means.add(
        noGrad(() => {
          const output = model.forward(x);
          return scored("evaluate", checkedLoss("evaluate", options.loss(output, y)), x, output, y, options.metrics ?? {});
        }),
        x.shape[0],
      );
      await breath.take(options.signal);
    }
  } finally {
    model.train(training);
  }
  if (means.examples === 0) throw new ConfigError("evaluate: expected at least one batch; got none");
  return means.scores;
}

/** The plain iterator where there are both: it spares three promises a batch. */
function batches(data: Batches): Iterable<Batch> | AsyncIterable<Batch> {
  if (!(Symbol.iterator in data)) return data;
  return { [Symbol.iterator]: () => (data as Iterable<Batch>)[Symbol.iterator]() };
}

/**
 * Trains: for each batch [x, y] loss(model.forward(x), y).backward() and optimizer.step(), as one program unless `compile` is false.
 * Throws NumericError, with the weights of the step before, when a loss is not finite; AbortError when `signal` stops it.
 */
export async function fit(model: Module, data: Batches, options: FitOptions): Promise<History> {
  checkedOptions("fit", options, ["loss", "optimizer", "epochs", "metrics", "validation", "onProgress", "progress", "seed", "signal", "compile"]);
  checkCall("fit", model, data, options);
  const { loss, optimizer, epochs = 1, metrics = {}, validation, onProgress, progress = true, signal, compile } = options;
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new ConfigError(`fit: expected epochs >= 1; got ${typeof epochs === "number" ? epochs : showValue(epochs)}`);
  if (typeof optimizer?.step !== "function" || typeof optimizer.zeroGrad !== "function") {
    throw new ConfigError(`fit: expected an optimizer, with step() and zeroGrad(); got ${showValue(optimizer)}`);
  }
  if (validation !== undefined && !isBatches(validation)) {
    throw new ConfigError(`fit: expected validation, an iterable of batches such as a DataLoader; got ${showValue(validation)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") throw new ConfigError(`fit: expected onProgress, a function; got ${showValue(onProgress)}`);
  if (typeof progress !== "boolean") throw new ConfigError(`fit: expected progress: true or false; got ${showValue(progress)}`);
  if (compile !== undefined && typeof compile !== "boolean") throw new ConfigError(`fit: expected compile: true or false; got ${showValue(compile)}`);
  stopIfAborted(signal);
  if (options.seed !== undefined) manualSeed(options.seed);
  const bar = progress ? terminalBar() : undefined;
  const history: History = { epochs: [], losses: [], seconds: 0 };
  const breath = new Breath();
  const started = performance.now();
  const steps = data.length;
  const training = new Step({ model, loss, optimizer, compile });
  model.train();
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const epochStarted = performance.now();
      const means = new Means();
      let step = 0;
      const report = (ended: boolean, measured?: Scores): void => {
        const now = performance.now();
        const done = steps ? (epoch - 1 + step / steps) / epochs : undefined;
        const soFar: Progress = {
          epoch,
          epochs,
          step,
          steps,
          training: means.scores,
          ended,
          validation: measured,
          rate: means.examples / ((now - epochStarted) / 1000),
          seconds: (now - started) / 1000,
          secondsLeft: done ? (((now - started) / 1000) * (1 - done)) / done : undefined,
        };
        onProgress?.(soFar);
        bar?.update(soFar);
      };
      for await (const batch of batches(data)) {
        stopIfAborted(signal);
        checkBatch("fit", batch);
        const [x, y] = batch;
        training.run(x, y, (value, output) => {
          const scores = scored("fit", value, x, output, y, metrics);
          history.losses.push(scores.loss);
          means.add(scores, x.shape[0]);
        });
        step++;
        if (onProgress || bar) report(false);
        await breath.take(signal);
      }
      if (step === 0) throw new ConfigError("fit: expected at least one batch an epoch; got none; an iterator that was used up begins no second epoch");
      const measured = validation ? await evaluate(model, validation, { loss, metrics, signal }) : undefined;
      const seconds = (performance.now() - epochStarted) / 1000;
      history.epochs.push({ epoch, training: means.scores, validation: measured, seconds });
      report(true, measured);
    }
  } finally {
    training.dispose();
    bar?.stop();
  }
  history.seconds = (performance.now() - started) / 1000;
  return history;
}

/** A bar on stderr if that is a terminal. */
function terminalBar(): Bar | undefined {
  const screen = globalThis.process?.stderr;
  return screen?.isTTY ? createBar(screen) : undefined;
}
