// RAdam: Adam that divides by a variance only once it is known well enough.

import type { Kernels } from "../../bindings/kernels.js";
import type { Addresses } from "./fused.js";
import { MomentOptimizer, type MomentSettings } from "./moments.js";
import type { Params } from "./optimizer.js";

/**
 * g += weightDecay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
 * R = 2 / (1 - beta2) - 1, rho = R - 2 t beta2^t / (1 - beta2^t), r = sqrt((rho - 4) (rho - 2) R / ((R - 4) (R - 2) rho));
 * w -= lr m / (1 - beta1^t) r sqrt(1 - beta2^t) / (sqrt(v) + eps) where rho > 5, else w -= lr m / (1 - beta1^t)
 * (Liu et al. 2020, algorithm 2). Throws ConfigError for settings out of range.
 */
export class RAdam extends MomentOptimizer<MomentSettings> {
  protected readonly flops = 40;

  constructor(params: Params<MomentSettings>, settings: Partial<MomentSettings> = {}) {
    super("RAdam", params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false }, settings);
  }

  protected advance(k: Kernels, cells: number): void {
    k.radamAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.radam(w, g, state[0], state[1], cells, n);
  }
}
