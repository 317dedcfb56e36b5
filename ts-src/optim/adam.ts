// Adam.

import { type AdamSettings, AdamWithAmsgrad } from "./adam-like.js";
import type { Params } from "./optimizer.js";

/**
 * g += weightDecay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
 * w -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) (Kingma and Ba 2015, algorithm 1).
 * Throws ConfigError for settings out of range.
 */
export class Adam extends AdamWithAmsgrad {
  protected readonly decoupled = false;

  constructor(params: Params<AdamSettings>, settings: Partial<AdamSettings> = {}) {
    super("Adam", params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false, maximize: false }, settings);
  }
}
