// NAdam: Adam with Nesterov's momentum.

import type { Kernels } from "../../bindings/kernels.js";
import type { MomentSettings } from "./adam-like.js";
import { type Addresses, FusedOptimizer, KEPT } from "./fused.js";
import { checkBetas, checkRanges, type Params } from "./optimizer.js";

/** lr 0.002 by default. */
export interface NAdamSettings extends MomentSettings {
  /** psi, how fast the momentum grows to beta1; 0.004 by default. */
  momentumDecay: number;
}

const STATE = ["exp_avg", "exp_avg_sq"];

/**
 * g += weightDecay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2);
 * w -= lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_(t+1) / (1 - mu_1 ... mu_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + eps)
 * (Dozat 2016, as PyTorch applies it). Throws ConfigError for settings out of range.
 */
export class NAdam extends FusedOptimizer<NAdamSettings> {
  protected override readonly numbers = { step: { cell: 0, first: 0 }, mu_product: { cell: KEPT, first: 1 } };
  protected readonly flops = 42;

  constructor(params: Params<NAdamSettings>, settings: Partial<NAdamSettings> = {}) {
    super("NAdam", params, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3, maximize: false }, settings);
  }

  protected override check(s: NAdamSettings): void {
    super.check(s);
    checkBetas(this.name, s.betas);
    const inf = Number.POSITIVE_INFINITY;
    checkRanges(this.name, { eps: [s.eps, 0, inf], momentumDecay: [s.momentumDecay, 0, inf] });
  }

  protected stateNames(): readonly string[] {
    return STATE;
  }

  protected ownSettings({ betas, eps, momentumDecay }: NAdamSettings): readonly number[] {
    return [betas[0], betas[1], eps, 0.96 ** momentumDecay];
  }

  protected advance(k: Kernels, cells: number): void {
    k.nadamAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.nadam(w, g, state[0], state[1], cells, n);
  }
}
