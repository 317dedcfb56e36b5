// What optimizers with two moments share: settings, their checks, and where they stand in the cells.

import { FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkBetas, checkRanges } from "./optimizer.js";

export interface MomentSettings extends CommonSettings {
  /** Decay rates of the two moments; 0.9 and 0.999 by default. */
  betas: readonly [number, number];
  /** Added to the divisor; 1e-8 by default. */
  eps: number;
}

export const MOMENTS = ["exp_avg", "exp_avg_sq"];

export abstract class MomentOptimizer<S extends MomentSettings> extends FusedOptimizer<S> {
  protected override check(s: S): void {
    super.check(s);
    checkBetas(this.name, s.betas);
    checkRanges(this.name, { eps: [s.eps, 0, Number.POSITIVE_INFINITY] });
  }

  protected stateNames(_settings: S): readonly string[] {
    return MOMENTS;
  }

  protected ownSettings({ betas, eps }: S): readonly number[] {
    return [betas[0], betas[1], eps];
  }
}
