// Means over examples while batches come in: of the loss, and of each metric.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Better, GatheredMetric, Metric } from "./metrics.js";

export type Metrics = Readonly<Record<string, Metric>>;

/** The mean loss and the value of each metric by name. */
export interface Scores {
  loss: number;
  [metric: string]: number;
}

/** Throws ConfigError unless these are metrics by name. */
export function checkMetrics(name: string, metrics: unknown): asserts metrics is Metrics {
  if (metrics === null || typeof metrics !== "object") throw new ConfigError(`${name}: expected metrics by name; got ${showValue(metrics)}`);
  for (const [metric, measure] of Object.entries(metrics)) {
    if (metric === "loss") throw new ConfigError(`${name}: expected another name for a metric than loss, which is measured anyway`);
    const gathers = measure !== null && typeof measure === "object" && ["begin", "add", "value"].every((part) => typeof measure[part] === "function");
    if (typeof measure !== "function" && !gathers)
      throw new ConfigError(
        `${name}: expected a function (output, target), or { better, begin, add, value }, for the metric ${metric}; got ${showValue(measure)}`,
      );
  }
}

/** Which values of a score are better; undefined where its function does not say. */
export function betterOf(metrics: Metrics, score: string): Better | undefined {
  return score === "loss" ? "lower" : metrics[score]?.better;
}

/** A function's answers as something gathered: their sum over examples, and the examples. */
function averaged(name: string, metric: string, measure: (output: Tensor, target: Tensor) => number): Omit<GatheredMetric, "better"> {
  return {
    begin: () => [0, 0],
    add(gathered, output, target) {
      const figure: unknown = measure(output, target);
      if (typeof figure !== "number") throw new ConfigError(`${name}: expected the metric ${metric} to answer a number; got ${showValue(figure)}`);
      const examples = target.shape[0] ?? 1;
      gathered[0] += figure * examples;
      gathered[1] += examples;
    },
    value: ([sum, examples]) => sum / examples,
  };
}

export class Scorer {
  examples = 0;
  private loss = 0;
  private readonly parts: readonly { readonly name: string; readonly metric: Omit<GatheredMetric, "better">; gathered: number[] }[];

  /** `name`: of the function that users called, for messages. */
  constructor(name: string, metrics: Metrics) {
    this.parts = Object.entries(metrics).map(([metric, measure]) => {
      const own = typeof measure === "function" ? averaged(name, metric, measure) : measure;
      return { name: metric, metric: own, gathered: own.begin() };
    });
  }

  /** Adds a batch of so many examples. */
  add(loss: number, examples: number, output: Tensor, target: Tensor): void {
    for (const { metric, gathered } of this.parts) metric.add(gathered, output, target, loss);
    this.loss += loss * examples;
    this.examples += examples;
  }

  get scores(): Scores {
    const scores: Scores = { loss: this.loss / this.examples };
    for (const { name, metric, gathered } of this.parts) scores[name] = metric.value(gathered);
    return scores;
  }

  /** What was gathered, to go on from later. */
  get state(): ScorerState {
    return { examples: this.examples, loss: this.loss, gathered: Object.fromEntries(this.parts.map(({ name, gathered }) => [name, [...gathered]])) };
  }

  restore(state: ScorerState): void {
    this.examples = state.examples;
    this.loss = state.loss;
    for (const part of this.parts) part.gathered = [...state.gathered[part.name]];
  }
}

export interface ScorerState {
  readonly examples: number;
  readonly loss: number;
  /** By the name of the metric. */
  readonly gathered: Readonly<Record<string, readonly number[]>>;
}
