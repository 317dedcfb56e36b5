// The loss and the metrics of a configuration.
import type { Tensor } from "../../../bindings/tensor.js";
import { binaryCrossEntropy, binaryCrossEntropyWithLogits, hingeLoss } from "../../losses/classification.js";
import { focalLoss, multiMarginLoss } from "../../losses/margin.js";
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "../../losses/regression.js";
import { tensor } from "../../ops/create.js";
import { crossEntropy, nllLoss } from "../../ops/crossentropy.js";
import { noGrad } from "../../ops/derivatives.js";
import { reshape } from "../../ops/shape.js";
import { f1, precision, recall } from "../../train/confusion.js";
import { accuracy, type Metric, perplexity, topKAccuracy, zeroOne } from "../../train/metrics.js";
import { type Loss, type Objective, topKObjective, zeroOneObjective } from "../../train/objective.js";
import type { Metrics } from "../../train/scores.js";
import { checkedLoss } from "../../train/step.js";
import { type Entry, valuesOf } from "./entry.js";

/** Whether outputs are scores of classes [N, C] and targets class numbers [N]. */
type Kind = "classes" | "values";

interface LossKind {
  readonly kind: Kind;
  readonly takes: readonly string[];
  readonly make: (...args: never[]) => Loss | Objective;
}

type LossFunction = (output: Tensor, target: Tensor, options: never) => Tensor;

/** A list of numbers among the options is a tensor for the loss: weights of classes. */
function tensorOptions(options: object): never {
  const entries = Object.entries(options).map(([name, value]) => [name, Array.isArray(value) ? tensor(value) : value]);
  return Object.fromEntries(entries) as never;
}

function ofClasses(loss: LossFunction): LossKind {
  return {
    kind: "classes",
    takes: ["options"],
    make: (options: object = {}) => {
      const given = tensorOptions(options);
      return (output, target) => loss(output, target, given);
    },
  };
}

/** A column of targets [N] has the shape of outputs [N, 1]. */
function ofValues(loss: LossFunction): LossKind {
  return {
    kind: "values",
    takes: ["options"],
    make: (options: object = {}) => {
      const given = tensorOptions(options);
      return (output, target) => loss(output, target.ndim === 1 && output.ndim === 2 && output.shape[1] === 1 ? reshape(target, output.shape) : target, given);
    },
  };
}

export const lossTable: { readonly [name: string]: LossKind } = {
  crossEntropy: ofClasses(crossEntropy),
  nllLoss: ofClasses(nllLoss),
  focalLoss: ofClasses(focalLoss),
  multiMarginLoss: ofClasses(multiMarginLoss),
  zeroOne: { kind: "classes", takes: ["options"], make: zeroOneObjective },
  topK: { kind: "classes", takes: ["k", "options"], make: topKObjective },
  mseLoss: ofValues(mseLoss),
  l1Loss: ofValues(l1Loss),
  huberLoss: ofValues(huberLoss),
  smoothL1Loss: ofValues(smoothL1Loss),
  binaryCrossEntropy: ofValues(binaryCrossEntropy),
  binaryCrossEntropyWithLogits: ofValues(binaryCrossEntropyWithLogits),
  hingeLoss: ofValues(hingeLoss),
};

interface MetricKind {
  readonly takes: readonly string[];
  /** The name of its score. */
  readonly score: (...args: never[]) => string;
  readonly make: (classes: number, ...args: never[]) => Metric;
}

function plain(name: string, metric: Metric): MetricKind {
  return { takes: [], score: () => name, make: () => metric };
}

function averaged(name: string, make: (options: { classes: number }) => Metric): MetricKind {
  return { takes: ["options"], score: () => name, make: (classes, options: object = {}) => make({ ...options, classes }) };
}

export const metricTable: { readonly [name: string]: MetricKind } = {
  accuracy: plain("accuracy", accuracy),
  zeroOne: plain("zeroOne", zeroOne),
  topKAccuracy: { takes: ["k"], score: (k: number) => `top${k}Accuracy`, make: (_classes, k: number) => topKAccuracy(k) },
  f1: averaged("f1", f1),
  precision: averaged("precision", precision),
  recall: averaged("recall", recall),
  perplexity: plain("perplexity", perplexity),
};

/** The loss of a file; throws ConfigError. */
export function lossOf(given: Entry): { readonly kind: Kind; readonly loss: Loss | Objective; readonly ignored: number | undefined; readonly entry: Entry } {
  const named = given.named("a loss", lossTable);
  const args = valuesOf(named, named.found.takes);
  const options = args.at(named.found.takes.length - 1);
  const loss = named.entry.within(() => named.found.make(...(args as never[])));
  const { ignoreIndex: ignored } = (options ?? {}) as { ignoreIndex?: number };
  return { kind: named.found.kind, loss, ignored, entry: named.entry };
}

/** The metrics of a file by the names of their scores: of classes, the accuracy where none are named. Throws ConfigError. */
export function metricsOf(given: Entry | undefined, kind: Kind, classes: number | undefined): Metrics {
  if (given === undefined) return kind === "classes" ? { accuracy } : {};
  const metrics: Record<string, Metric> = {};
  for (const item of given.items("metrics")) {
    const named = item.named("a metric", metricTable);
    const args = valuesOf(named, named.found.takes) as never[];
    if (classes === undefined && named.name !== "perplexity") item.refuse("no metric of classes with this loss", named.name);
    const score = named.found.score(...args);
    if (Object.hasOwn(metrics, score)) item.refuse("each metric once");
    metrics[score] = named.entry.within(() => named.found.make(classes as number, ...args));
  }
  return metrics;
}

/** The loss of a batch; throws ConfigError with the place where output, target and loss do not fit. */
export function triedLoss(entry: Entry, loss: Loss | Objective, output: Tensor, target: Tensor): void {
  const differentiable = typeof loss === "function" ? loss : loss.surrogate;
  entry.within(() => noGrad(() => checkedLoss("loss", differentiable(output, target))));
}
