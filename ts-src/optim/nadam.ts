// NAdam: Adam with Nesterov's momentum.

import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, KEPT } from "./fused.js";
import { MomentOptimizer, type MomentSettings } from "./moments.js";
import { checkRanges, type Params } from "./optimizer.js";

/** lr 0.002 by default. */
export interface NAdamSettings extends MomentSettings {
  /** psi, how fast the momentum grows to beta1; 0.004 by default. */
  momentumDecay: number;
}

/**
 * g += weightDecay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2);
 * w -= lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_(t+1) / (1 - mu_1 ... mu_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + eps)
 * (Dozat 2016, as PyTorch applies it). Throws ConfigError for settings out of range.
 */
export class NAdam extends MomentOptimizer<NAdamSettings> {
  protected override readonly numbers = { step: { cell: 0, first: 0 }, mu_product: { cell: KEPT, first: 1 } };
  protected readonly flops = 42;

  constructor(params: Params<NAdamSettings>, settings: Partial<NAdamSettings> = {}) {
    super("NAdam", params, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3, maximize: false }, settings);
  }

  protected override check(s: NAdamSettings): void {
    super.check(s);
    checkRanges(this.name, { momentumDecay: [s.momentumDecay, 0, Number.POSITIVE_INFINITY] });
  }

  protected override ownSettings(settings: NAdamSettings): readonly number[] {
    return [...super.ownSettings(settings), 0.96 ** settings.momentumDecay];
  }

  protected advance(k: Kernels, cells: number): void {
    k.nadamAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.nadam(w, g, state[0], state[1], cells, n);
  }
}
