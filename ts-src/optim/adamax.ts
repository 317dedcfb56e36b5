// Adamax.

import type { Kernels } from "../../bindings/kernels.js";
import type { Addresses } from "./fused.js";
import { MomentOptimizer, type MomentSettings } from "./moments.js";
import type { Params } from "./optimizer.js";

const STATE = ["exp_avg", "exp_inf"];

/**
 * g += weightDecay w; m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps);
 * w -= lr / (1 - beta1^t) m / u (Kingma and Ba 2015, algorithm 2, with PyTorch's eps); lr 0.002 by default.
 * Throws ConfigError for settings out of range.
 */
export class Adamax extends MomentOptimizer<MomentSettings> {
  protected readonly flops = 20;

  constructor(params: Params<MomentSettings>, settings: Partial<MomentSettings> = {}) {
    super("Adamax", params, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false }, settings);
  }

  protected override stateNames(): readonly string[] {
    return STATE;
  }

  protected advance(k: Kernels, cells: number): void {
    k.adamaxAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.adamax(w, g, state[0], state[1], cells, n);
  }
}
