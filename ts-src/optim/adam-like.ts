// What Adam, AdamW and AMSGrad share: moments with bias correction, one kernel.

import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkBetas, checkRanges } from "./optimizer.js";

export interface MomentSettings extends CommonSettings {
  /** Decay rates of the two moments; 0.9 and 0.999 by default. */
  betas: readonly [number, number];
  /** Added to the divisor; 1e-8 by default. */
  eps: number;
}

const STATE = ["exp_avg", "exp_avg_sq"];
const WITH_LARGEST = [...STATE, "max_exp_avg_sq"];

export abstract class AdamLike<S extends MomentSettings> extends FusedOptimizer<S> {
  protected readonly flops = 42;

  /** Whether weights shrink by themselves instead of by their gradient. */
  protected abstract readonly decoupled: boolean;
  /** Whether the largest second moment so far divides. */
  protected abstract keepsLargest(settings: S): boolean;

  protected override check(s: S): void {
    super.check(s);
    checkBetas(this.name, s.betas);
    checkRanges(this.name, { eps: [s.eps, 0, Number.POSITIVE_INFINITY] });
  }

  protected stateNames(settings: S): readonly string[] {
    return this.keepsLargest(settings) ? WITH_LARGEST : STATE;
  }

  protected ownSettings({ betas, eps }: S): readonly number[] {
    return [betas[0], betas[1], eps, Number(this.decoupled)];
  }

  protected advance(k: Kernels, cells: number): void {
    k.adamAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    const [m, v, top] = state;
    if (top === undefined) k.adam(w, g, m, v, cells, n);
    else k.amsgrad(w, g, m, v, top, cells, n);
  }
}
