// AdamW: Adam whose weights decay by themselves.

import { type AdamSettings, AdamWithAmsgrad } from "./adam-like.js";
import type { Params } from "./optimizer.js";

/**
 * w = (1 - lr weightDecay) w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
 * w -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) (Loshchilov and Hutter 2019, algorithm 2); weightDecay 0.01 by default.
 * Throws ConfigError for settings out of range.
 */
export class AdamW extends AdamWithAmsgrad {
  protected readonly decoupled = true;

  constructor(params: Params<AdamSettings>, settings: Partial<AdamSettings> = {}) {
    super("AdamW", params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 1e-2, amsgrad: false, maximize: false }, settings);
  }
}
