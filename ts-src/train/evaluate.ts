// Measuring a model on batches, and what training and measuring have in common.
import { stoppedBy } from "../../bindings/abort.js";
import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, NumericError } from "../../bindings/errors.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Batch } from "../data/dataset.js";
import type { Module } from "../layers/module.js";
import { checkedFlag, checkedOptions } from "../ops/checks.js";
import { noGrad } from "../ops/derivatives.js";
import { type Batches, checkBatch, checkCall, type EvaluateOptions } from "./options.js";
import { createMeter, terminal } from "./progress.js";
import { Scorer, type Scores } from "./scores.js";
import { checkedLoss } from "./step.js";

const BREATH_MS = 100; // how long the event loop waits at most: signals, timers and finalizers run between

/** Lets the event loop run if it has waited long enough. */
export class Breath {
  private last = performance.now();

  async take(signal: AbortSignal | undefined): Promise<void> {
    if (performance.now() - this.last >= BREATH_MS) {
      await new Promise<void>((resolve) => (typeof setImmediate === "function" ? setImmediate(resolve) : setTimeout(resolve)));
      this.last = performance.now();
    }
    stopIfAborted(signal);
  }
}

export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw stoppedBy(signal);
}

/** The value of a loss; throws NumericError that says where one that is not finite comes from. */
export function finiteLoss(name: string, loss: Tensor, x: Tensor, output: Tensor, target: Tensor): number {
  const value = loss.item();
  if (!Number.isFinite(value)) throw new NumericError(`${name}: expected a finite loss; got ${value}${blame(x, output, target)}`);
  return value;
}

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
  checkedOptions("evaluate", options, ["loss", "metrics", "signal", "progress"]);
  const { loss, metrics } = checkCall("evaluate", model, data, options);
  const { signal, progress = false } = options;
  const meter = checkedFlag("evaluate", "progress", progress) ? createMeter("evaluate", data.length, terminal()) : undefined;
  stopIfAborted(signal);
  const scorer = new Scorer("evaluate", metrics);
  const breath = new Breath();
  const modules = model.namedModules().map(([, module]) => ({ module, training: module.training }));
  model.eval();
  try {
    for await (const batch of batches(data)) {
      checkBatch("evaluate", batch);
      const [x, y] = batch;
      noGrad(() => {
        const output = model.forward(x);
        const value = finiteLoss("evaluate", checkedLoss("evaluate", loss(output, y)), x, output, y);
        scorer.add(value, x.shape[0], output, y);
      });
      meter?.advance();
      await breath.take(signal);
    }
  } finally {
    meter?.stop();
    for (const { module, training } of modules) module.training = training;
  }
  if (scorer.examples === 0) throw new ConfigError("evaluate: expected at least one batch; got none");
  return scorer.scores;
}

/** The plain iterator where there are both: it spares three promises a batch. */
export function batches(data: Batches): Iterable<Batch> | AsyncIterable<Batch> {
  if (!(Symbol.iterator in data)) return data;
  return { [Symbol.iterator]: () => (data as Iterable<Batch>)[Symbol.iterator]() };
}
