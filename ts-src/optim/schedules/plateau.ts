// A rate that falls when a metric stops getting better.

import { ConfigError } from "../../../bindings/errors.js";
import { showValue } from "../../../bindings/show.js";
import { checkedNumber, checkedOptions } from "../../ops/checks.js";
import { checkedCount, Schedule, type Scheduled, type ScheduleState, type ValueKind } from "./schedule.js";

export interface ReduceLROnPlateauOptions {
  /** Whether less of the metric is better ("min", the default) or more. */
  mode?: "min" | "max";
  /** The factor, 0 to below 1; 0.1 by default. */
  factor?: number;
  /** Steps without a better metric that are let pass; 10 by default. */
  patience?: number;
  /** By how much a metric is better than the best; 1e-4 by default. */
  threshold?: number;
  /** Whether the threshold is a share of the best ("rel", the default) or a difference. */
  thresholdMode?: "rel" | "abs";
  /** Steps after a change in which none counts as bad; 0 by default. */
  cooldown?: number;
  /** The lowest rate, or one for each group; 0 by default. */
  minLr?: number | readonly number[];
  /** A change by no more than this is not made; 1e-8 by default. */
  eps?: number;
}

function checkedWord<W extends string>(name: string, option: string, value: unknown, words: readonly W[]): W {
  if (words.includes(value as W)) return value as W;
  throw new ConfigError(`${name}: expected ${option} ${words.join(" or ")}; got ${showValue(value)}`);
}

/**
 * lr = max(factor lr, minLr) after more than `patience` steps in which the metric was not better than the best, as in PyTorch: for
 * a step after each epoch, step(validationLoss). A metric that is NaN is not better. Throws ConfigError for options that cannot be.
 */
export class ReduceLROnPlateau extends Schedule {
  private readonly mode: "min" | "max";
  /** Which scores it takes for better ones. */
  get better(): "higher" | "lower" {
    return this.mode === "max" ? "higher" : "lower";
  }

  private readonly thresholdMode: "rel" | "abs";
  private readonly factor: number;
  private readonly patience: number;
  private readonly threshold: number;
  private readonly cooldown: number;
  private readonly minLrs: readonly number[];
  private readonly eps: number;
  /** null before the first metric. */
  private best: number | null = null;
  private badEpochs = 0;
  private cooldownLeft = 0;

  constructor(optimizer: Scheduled, options: ReduceLROnPlateauOptions = {}) {
    super("ReduceLROnPlateau", optimizer);
    const name = this.name;
    const known = ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"] as const;
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel", cooldown = 0, minLr = 0, eps = 1e-8 } = checkedOptions(name, options, known); // biome-ignore format: names
    this.mode = checkedWord(name, "mode", mode, ["min", "max"]);
    this.thresholdMode = checkedWord(name, "thresholdMode", thresholdMode, ["rel", "abs"]);
    this.factor = checkedNumber(name, "factor", factor, 0, 1);
    if (factor === 1) throw new ConfigError(`${name}: expected factor below 1; got 1`);
    this.patience = checkedCount(name, "patience", patience, 0);
    this.threshold = checkedNumber(name, "threshold", threshold, 0, Number.POSITIVE_INFINITY);
    this.cooldown = checkedCount(name, "cooldown", cooldown, 0);
    this.minLrs = this.perGroup("minLr", minLr, 0);
    this.eps = checkedNumber(name, "eps", eps, 0, Number.POSITIVE_INFINITY);
    this.begin();
  }

  override checkStep(metric?: number): void {
    if (typeof metric !== "number")
      throw new ConfigError(`${this.name}: expected step(metric), a number such as the loss of the validation; got ${showValue(metric)}`);
  }

  override advance(metric?: number): void {
    if (this.improves(metric as number)) {
      this.best = metric as number;
      this.badEpochs = 0;
    } else this.badEpochs++;
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--;
      this.badEpochs = 0;
    }
    super.advance();
    if (this.badEpochs <= this.patience) return;
    this.cooldownLeft = this.cooldown;
    this.badEpochs = 0;
  }

  protected next(lr: number, _base: number, group: number): number {
    if (this.badEpochs <= this.patience) return lr;
    const less = Math.max(lr * this.factor, this.minLrs[group]);
    return lr - less > this.eps ? less : lr;
  }

  private improves(metric: number): boolean {
    if (this.best === null) return this.mode === "min" ? metric < Number.POSITIVE_INFINITY : metric > Number.NEGATIVE_INFINITY;
    const step = this.thresholdMode === "rel" ? this.best * this.threshold : this.threshold;
    return this.mode === "min" ? metric < this.best - step : metric > this.best + step;
  }

  override begin(): void {
    super.begin();
    this.best = null;
    this.badEpochs = 0;
    this.cooldownLeft = 0;
  }

  protected override stateKinds(): { readonly [name: string]: ValueKind } {
    return { ...super.stateKinds(), best: "optional", numBadEpochs: "count", cooldownCounter: "count" };
  }

  override stateDict(): ScheduleState {
    return { ...super.stateDict(), best: this.best, numBadEpochs: this.badEpochs, cooldownCounter: this.cooldownLeft };
  }

  override takeState(state: ScheduleState): void {
    super.takeState(state);
    this.best = state.best as number | null;
    this.badEpochs = state.numBadEpochs as number;
    this.cooldownLeft = state.cooldownCounter as number;
  }
}
