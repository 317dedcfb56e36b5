// A rate that falls along a cosine.

import { checkedNumber, checkedOptions } from "../../ops/checks.js";
import { checkedCount, Schedule, type Scheduled } from "./schedule.js";

export interface CosineAnnealingLROptions {
  /** Steps from the first rate to the last; afterwards the rate rises again, as the cosine does. */
  TMax: number;
  /** The last rate; 0 by default. */
  etaMin?: number;
}

/**
 * lr_t = etaMin + (lr_0 - etaMin) (1 + cos(pi t / TMax)) / 2 (Loshchilov and Hutter 2017, equation 5, without restarts).
 * Throws ConfigError for options that cannot be.
 */
export class CosineAnnealingLR extends Schedule {
  private readonly TMax: number;
  private readonly etaMin: number;

  constructor(optimizer: Scheduled, options: CosineAnnealingLROptions) {
    super("CosineAnnealingLR", optimizer);
    const { TMax, etaMin = 0 } = checkedOptions(this.name, options, ["TMax", "etaMin"]);
    this.TMax = checkedCount(this.name, "TMax", TMax, 1);
    this.etaMin = checkedNumber(this.name, "etaMin", etaMin, 0, Number.POSITIVE_INFINITY);
    this.begin();
  }

  protected next(lr: number, base: number): number {
    const { TMax, etaMin, lastEpoch: t } = this;
    // the factor below would be one over 0
    if ((t - 1 - TMax) % (2 * TMax) === 0) return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / TMax))) / 2;
    return ((1 + Math.cos((Math.PI * t) / TMax)) / (1 + Math.cos((Math.PI * (t - 1)) / TMax))) * (lr - etaMin) + etaMin;
  }
}
