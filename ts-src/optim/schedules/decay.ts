// Rates that fall by a factor: every so many steps, at milestones, at each step.

import { ConfigError } from "../../../bindings/errors.js";
import { showValue } from "../../../bindings/show.js";
import { checkedNumber, checkedOptions } from "../../ops/checks.js";
import { checkedCount, Schedule, type Scheduled } from "./schedule.js";

const inf = Number.POSITIVE_INFINITY;

export interface StepLROptions {
  /** Steps between two changes. */
  stepSize: number;
  /** The factor; 0.1 by default. */
  gamma?: number;
}

/** lr_t = lr_0 gamma^floor(t / stepSize). Throws ConfigError for options that cannot be. */
export class StepLR extends Schedule {
  private readonly stepSize: number;
  private readonly gamma: number;

  constructor(optimizer: Scheduled, options: StepLROptions) {
    super("StepLR", optimizer);
    const { stepSize, gamma = 0.1 } = checkedOptions(this.name, options, ["stepSize", "gamma"]);
    this.stepSize = checkedCount(this.name, "stepSize", stepSize, 1);
    this.gamma = checkedNumber(this.name, "gamma", gamma, 0, inf);
    this.begin();
  }

  protected next(lr: number): number {
    return this.lastEpoch % this.stepSize === 0 ? lr * this.gamma : lr;
  }
}

export interface MultiStepLROptions {
  /** Steps at which the rate changes; one that stands there twice counts twice. */
  milestones: readonly number[];
  /** The factor; 0.1 by default. */
  gamma?: number;
}

/** lr_t = lr_0 gamma^(milestones up to t). Throws ConfigError for options that cannot be. */
export class MultiStepLR extends Schedule {
  private readonly milestones: readonly number[];
  private readonly gamma: number;

  constructor(optimizer: Scheduled, options: MultiStepLROptions) {
    super("MultiStepLR", optimizer);
    const { milestones, gamma = 0.1 } = checkedOptions(this.name, options, ["milestones", "gamma"]);
    if (!Array.isArray(milestones)) throw new ConfigError(`${this.name}: expected milestones, an array of steps; got ${showValue(milestones)}`);
    this.milestones = milestones.map((step) => checkedCount(this.name, "milestones", step, 1));
    this.gamma = checkedNumber(this.name, "gamma", gamma, 0, inf);
    this.begin();
  }

  protected next(lr: number): number {
    return lr * this.gamma ** this.milestones.filter((step) => step === this.lastEpoch).length;
  }
}

export interface ExponentialLROptions {
  /** The factor of each step. */
  gamma: number;
}

/** lr_t = lr_0 gamma^t. Throws ConfigError for options that cannot be. */
export class ExponentialLR extends Schedule {
  private readonly gamma: number;

  constructor(optimizer: Scheduled, options: ExponentialLROptions) {
    super("ExponentialLR", optimizer);
    this.gamma = checkedNumber(this.name, "gamma", checkedOptions(this.name, options, ["gamma"]).gamma, 0, inf);
    this.begin();
  }

  protected next(lr: number): number {
    return lr * this.gamma;
  }
}
