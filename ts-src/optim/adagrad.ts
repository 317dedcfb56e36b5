// Adagrad with a rate for each weight.

import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkRanges, type Params } from "./optimizer.js";

/** lr 0.01 by default. */
export interface AdagradSettings extends CommonSettings {
  /** How the rate falls with the steps; 0 by default. */
  lrDecay: number;
  /** What the sums begin with; 0 by default. It counts when a parameter has its first step. */
  initialAccumulatorValue: number;
  /** Added to the divisor; 1e-10 by default. */
  eps: number;
}

const STATE = ["sum"];

/**
 * g += weightDecay w; s += g^2; w -= lr / (1 + (t - 1) lrDecay) g / (sqrt(s) + eps), s at first initialAccumulatorValue
 * (Duchi et al. 2011, figure 1, with the diagonal of G). Throws ConfigError for settings out of range.
 */
export class Adagrad extends FusedOptimizer<AdagradSettings> {
  protected readonly flops = 27;

  constructor(params: Params<AdagradSettings>, settings: Partial<AdagradSettings> = {}) {
    super("Adagrad", params, { lr: 1e-2, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10, maximize: false }, settings);
  }

  protected override check(s: AdagradSettings): void {
    super.check(s);
    const inf = Number.POSITIVE_INFINITY;
    checkRanges(this.name, { lrDecay: [s.lrDecay, 0, inf], initialAccumulatorValue: [s.initialAccumulatorValue, 0, inf], eps: [s.eps, 0, inf] });
  }

  protected override firstValue({ initialAccumulatorValue }: AdagradSettings): number {
    return initialAccumulatorValue;
  }

  protected stateNames(): readonly string[] {
    return STATE;
  }

  protected ownSettings({ lrDecay, eps }: AdagradSettings): readonly number[] {
    return [0, 0, eps, lrDecay];
  }

  protected advance(k: Kernels, cells: number): void {
    k.adagradAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.adagrad(w, g, state[0], cells, n);
  }
}
