// Early stopping by a score, which may be the true loss: Goodfellow et al. 2016, algorithm 7.1.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import type { Better } from "./metrics.js";
import { betterOf, type Metrics, type Scores } from "./scores.js";

export interface EarlyStoppingOptions {
  /** The score that is watched, after each epoch: of the validation if there is one, else of the training; "loss" by default. */
  monitor?: string;
  /** Epochs without a better score after which training ends; 5 by default. */
  patience?: number;
  /** By how much a score must be better to count; 0 by default. */
  minDelta?: number;
  /** Whether the model has, at the end, the weights of the epoch with the best score; true by default. */
  restoreBest?: boolean;
  /** Which scores are better; the metrics of this package say so themselves. */
  better?: Better;
}

/** A score and the direction in which it is better. */
export class Watch {
  readonly monitor: string;
  readonly better: Better;

  /** Throws ConfigError for a score that there is not, or whose better direction nobody says. */
  constructor(name: string, monitor: unknown, better: unknown, metrics: Metrics) {
    const known = ["loss", ...Object.keys(metrics)];
    if (typeof monitor !== "string" || !known.includes(monitor))
      throw new ConfigError(`${name}: expected monitor ${known.join(" or ")}; got ${showValue(monitor)}`);
    const direction = better ?? betterOf(metrics, monitor);
    if (direction !== "higher" && direction !== "lower") {
      throw new ConfigError(`${name}: expected better: "higher" or "lower", as the metric ${monitor} does not say which it is; got ${showValue(better)}`);
    }
    this.monitor = monitor;
    this.better = direction;
  }

  of(scores: Scores): number {
    return scores[this.monitor];
  }

  /** Whether `score` is better than `best` by more than `by`; any number is better than none. */
  improves(score: number, best: number | undefined, by = 0): boolean {
    if (Number.isNaN(score)) return false;
    if (best === undefined) return true;
    return this.better === "higher" ? score > best + by : score < best - by;
  }
}

export interface EarlyStoppingState {
  best: number | undefined;
  bestEpoch: number;
  /** Epochs since then. */
  waited: number;
}

export class EarlyStopping {
  readonly watch: Watch;
  readonly restoreBest: boolean;
  state: EarlyStoppingState = { best: undefined, bestEpoch: 0, waited: 0 };
  private readonly patience: number;
  private readonly minDelta: number;

  /** Throws ConfigError for options that cannot be. */
  constructor(options: EarlyStoppingOptions, metrics: Metrics) {
    const name = "fit: earlyStopping";
    const known = ["monitor", "patience", "minDelta", "restoreBest", "better"] as const;
    const { monitor = "loss", patience = 5, minDelta = 0, restoreBest = true, better } = checkedOptions(name, options, known);
    this.watch = new Watch(name, monitor, better, metrics);
    if (!Number.isInteger(patience) || patience < 1)
      throw new ConfigError(`${name}: expected patience, a whole number of epochs >= 1; got ${showValue(patience)}`);
    this.patience = patience;
    this.minDelta = checkedNumber(name, "minDelta", minDelta, 0, Number.MAX_VALUE);
    this.restoreBest = checkedFlag(name, "restoreBest", restoreBest);
  }

  /** Takes the scores of an epoch; answers whether they are the best so far. */
  ended(epoch: number, scores: Scores): boolean {
    const score = this.watch.of(scores);
    if (this.watch.improves(score, this.state.best, this.minDelta)) {
      this.state = { best: score, bestEpoch: epoch, waited: 0 };
      return true;
    }
    this.state = { ...this.state, waited: this.state.waited + 1 };
    return false;
  }

  get over(): boolean {
    return this.state.waited >= this.patience;
  }
}
