// A true loss and the surrogate that stands in for it: the error rate has no derivative that leads anywhere, so training goes down
// a loss that has one, and watches, and stops by, the one that is meant (Goodfellow et al. 2016, section 8.1.2).
import { ConfigError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { binaryCrossEntropyWithLogits } from "../losses/classification.js";
import { focalLoss, multiMarginLoss } from "../losses/margin.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";
import { crossEntropy } from "../ops/crossentropy.js";
import { div } from "../ops/quotient.js";
import { oneHot } from "../ops/scatter.js";
import { type MetricFunction, topKAccuracy, zeroOne } from "./metrics.js";
import type { Metrics } from "./scores.js";

export type Loss = (output: Tensor, target: Tensor) => Tensor;

/** What is trained on, and what is meant by it. */
export interface Objective {
  /** The differentiable loss. */
  readonly surrogate: Loss;
  /** The true loss by the name under which scores have it. */
  readonly trueLoss: Metrics;
}

export interface SurrogateOptions {
  /**
   * "nll" (default): the negative log-likelihood of a softmax; "hinge": Crammer and Singer's margin; "logistic": each class against
   * the rest; "focal": the likelihood with sure examples counting less; or a function (output, target).
   */
  surrogate?: "nll" | "hinge" | "logistic" | "focal" | Loss;
  /** Of "nll": share of the target that is spread over all classes; 0 by default. */
  labelSmoothing?: number;
  /** Of "focal"; 2 by default. */
  gamma?: number;
  /** Of "hinge"; 1 by default. */
  margin?: number;
}

/** Mean over examples of the sum over classes of log(1 + e^-x) for the class itself and log(1 + e^x) for the others. */
function logistic(output: Tensor, target: Tensor): Tensor {
  return scope(() => {
    const truths = oneHot(target, output.shape[1], { dtype: output.dtype });
    return div(binaryCrossEntropyWithLogits(output, truths, { reduction: "sum" }), output.shape[0]);
  });
}

function surrogateOf(name: string, options: SurrogateOptions): Loss {
  const { surrogate = "nll", labelSmoothing, gamma, margin } = checkedOptions(name, options, ["surrogate", "labelSmoothing", "gamma", "margin"]);
  const of: Record<string, string> = { labelSmoothing: "nll", gamma: "focal", margin: "hinge" };
  for (const [option, value] of Object.entries({ labelSmoothing, gamma, margin })) {
    if (value !== undefined && surrogate !== of[option])
      throw new ConfigError(`${name}: expected ${option} with the surrogate ${of[option]} only; got ${showValue(surrogate)}`);
  }
  if (typeof surrogate === "function") return surrogate;
  switch (surrogate) {
    case "nll": {
      const smoothing = checkedNumber(name, "labelSmoothing", labelSmoothing ?? 0, 0, 1);
      return (output, target) => crossEntropy(output, target, { labelSmoothing: smoothing });
    }
    case "hinge":
      return (output, target) => multiMarginLoss(output, target, { margin: margin ?? 1 });
    case "logistic":
      return logistic;
    case "focal": {
      const less = checkedNumber(name, "gamma", gamma ?? 2, 0, Number.MAX_VALUE);
      return (output, target) => focalLoss(output, target, { gamma: less });
    }
    default:
      throw new ConfigError(`${name}: expected the surrogate nll, hinge, logistic, focal or a function; got ${showValue(surrogate)}`);
  }
}

/**
 * The zero-one loss of logits [N, C] and class numbers [N] by a surrogate, for `loss` of fit(): the score is "zeroOne", the error
 * rate. Throws ConfigError for options that do not go together.
 */
export function zeroOneObjective(options: SurrogateOptions = {}): Objective {
  return { surrogate: surrogateOf("zeroOneObjective", options), trueLoss: { zeroOne } };
}

/** The top-k error by a surrogate: the score is "top" and k, such as "top5", the share of examples whose class is not among the k largest. Throws ConfigError. */
export function topKObjective(k: number, options: SurrogateOptions = {}): Objective {
  const among = topKAccuracy(k);
  const error: MetricFunction = Object.assign((output: Tensor, target: Tensor) => 1 - among(output, target), { better: "lower" as const });
  return { surrogate: surrogateOf("topKObjective", options), trueLoss: { [`top${k}`]: error } };
}
