// AMSGrad: Adam whose steps never grow because a large gradient is forgotten.

import { AdamLike } from "./adam-like.js";
import type { MomentSettings } from "./moments.js";
import type { Params } from "./optimizer.js";

/**
 * g += weightDecay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; u = max(u, v);
 * w -= lr m / (1 - beta1^t) / (sqrt(u / (1 - beta2^t)) + eps) (Reddi et al. 2018, algorithm 2, with Adam's bias correction as in
 * PyTorch); the same as Adam with amsgrad. Throws ConfigError for settings out of range.
 */
export class AMSGrad extends AdamLike<MomentSettings> {
  protected readonly decoupled = false;

  constructor(params: Params<MomentSettings>, settings: Partial<MomentSettings> = {}) {
    super("AMSGrad", params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false }, settings);
  }

  protected keepsLargest(): boolean {
    return true;
  }
}
