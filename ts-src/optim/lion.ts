// Lion: steps of one length for every weight, by the sign of a momentum.

import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkBetas, type Params } from "./optimizer.js";

/** lr 0.0001 by default; the paper takes a third to a tenth of AdamW's, and a weightDecay that many times larger. */
export interface LionSettings extends CommonSettings {
  /** Of the step and of the momentum; 0.9 and 0.99 by default. */
  betas: readonly [number, number];
}

const STATE = ["exp_avg"];

/**
 * w = (1 - lr weightDecay) w - lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g (Chen et al. 2023, program 1).
 * Throws ConfigError for settings out of range.
 */
export class Lion extends FusedOptimizer<LionSettings> {
  protected override readonly numbers = {};
  protected readonly flops = 12;

  constructor(params: Params<LionSettings>, settings: Partial<LionSettings> = {}) {
    super("Lion", params, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false }, settings);
  }

  protected override check(s: LionSettings): void {
    super.check(s);
    checkBetas(this.name, s.betas);
  }

  protected stateNames(): readonly string[] {
    return STATE;
  }

  protected ownSettings({ betas }: LionSettings): readonly number[] {
    return betas;
  }

  protected advance(k: Kernels, cells: number): void {
    k.countStep(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.lion(w, g, state[0], cells, n);
  }
}
