// A rate that rises at the beginning, before another schedule takes over.

import { checkedNumber, checkedOptions } from "../../ops/checks.js";
import { checkedCount, Schedule, type Scheduled } from "./schedule.js";

export interface LinearWarmupOptions {
  /** The share of the rate at the beginning, above 0 to 1; 1/3 by default. */
  startFactor?: number;
  /** The share at the end, 0 to 1; 1 by default. */
  endFactor?: number;
  /** Steps from one to the other; 5 by default. */
  totalIters?: number;
}

/**
 * lr_t = lr_0 (startFactor + (endFactor - startFactor) min(t, totalIters) / totalIters), as LinearLR of PyTorch (Goyal et al. 2017,
 * section 2.2). With SequentialLR it goes before another schedule. Throws ConfigError for options that cannot be.
 */
export class LinearWarmup extends Schedule {
  private readonly startFactor: number;
  private readonly endFactor: number;
  private readonly totalIters: number;

  constructor(optimizer: Scheduled, options: LinearWarmupOptions = {}) {
    super("LinearWarmup", optimizer);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = checkedOptions(this.name, options, ["startFactor", "endFactor", "totalIters"]);
    this.startFactor = checkedNumber(this.name, "startFactor", startFactor, 0, 1, true);
    this.endFactor = checkedNumber(this.name, "endFactor", endFactor, 0, 1);
    this.totalIters = checkedCount(this.name, "totalIters", totalIters, 1);
    this.begin();
  }

  protected override first(lr: number): number {
    return lr * this.startFactor;
  }

  protected next(lr: number): number {
    const { startFactor, endFactor, totalIters, lastEpoch: t } = this;
    if (t > totalIters) return lr;
    const change = endFactor - startFactor;
    return lr * (1 + change / (totalIters * startFactor + (t - 1) * change));
  }
}
