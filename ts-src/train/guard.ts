// A guard against spikes of the loss: a step whose loss is far above the usual one is left out, or training goes back to weights
// from before (Chowdhery et al. 2022, section 5.1, restart from a checkpoint before the spike and skip its batches).
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";

export interface SpikeGuardOptions {
  /** How many times the median of the last losses is a spike; 5 by default. */
  factor?: number;
  /** Losses that the median is taken of; nothing is a spike before there are as many; 50 by default. */
  window?: number;
  /** "skip" (default) leaves the step out; "rollback" also puts weights and optimizer back to the last snapshot. */
  action?: "skip" | "rollback";
  /** Steps between snapshots for a rollback; 100 by default. */
  snapshotEvery?: number;
}

export class SpikeGuard {
  readonly action: "skip" | "rollback";
  readonly snapshotEvery: number;
  private readonly factor: number;
  private readonly window: number;
  /** The last losses that were no spikes. */
  private losses: number[] = [];

  /** Throws ConfigError for options that cannot be. */
  constructor(options: SpikeGuardOptions) {
    const name = "fit: spikeGuard";
    const { factor = 5, window = 50, action = "skip", snapshotEvery = 100 } = checkedOptions(name, options, ["factor", "window", "action", "snapshotEvery"]);
    this.factor = checkedNumber(name, "factor", factor, 1, Number.MAX_VALUE);
    for (const [option, value] of Object.entries({ window, snapshotEvery })) {
      if (!Number.isInteger(value) || value < 1) throw new ConfigError(`${name}: expected ${option}, a whole number >= 1; got ${showValue(value)}`);
    }
    if (action !== "skip" && action !== "rollback") throw new ConfigError(`${name}: expected action "skip" or "rollback"; got ${showValue(action)}`);
    this.window = window;
    this.action = action;
    this.snapshotEvery = snapshotEvery;
  }

  /** The loss above which the next step is a spike; Infinity as long as nothing is. */
  get limit(): number {
    if (this.losses.length < this.window) return Number.POSITIVE_INFINITY;
    const sorted = [...this.losses].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    // a factor of a loss below 0 would be below the usual
    return median > 0 ? this.factor * median : Number.POSITIVE_INFINITY;
  }

  /** Takes the loss of a step; answers whether it is a spike, or no number. */
  isSpike(loss: number): boolean {
    if (!Number.isFinite(loss) || loss > this.limit) return true;
    this.losses.push(loss);
    if (this.losses.length > this.window) this.losses.shift();
    return false;
  }

  get state(): number[] {
    return [...this.losses];
  }

  restore(losses: readonly number[]): void {
    this.losses = [...losses];
  }
}
