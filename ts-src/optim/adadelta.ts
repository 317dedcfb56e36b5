// Adadelta.

import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkRanges, type Params } from "./optimizer.js";

/** lr 1 by default. */
export interface AdadeltaSettings extends CommonSettings {
  /** Decay rate of the averages, 0 to 1; 0.9 by default. */
  rho: number;
  /** Added below both roots; 1e-6 by default. */
  eps: number;
}

const STATE = ["square_avg", "acc_delta"];

/**
 * g += weightDecay w; v = rho v + (1 - rho) g^2; delta = sqrt(u + eps) / sqrt(v + eps) g; u = rho u + (1 - rho) delta^2;
 * w -= lr delta (Zeiler 2012, algorithm 1). Throws ConfigError for settings out of range.
 */
export class Adadelta extends FusedOptimizer<AdadeltaSettings> {
  protected readonly flops = 40;

  constructor(params: Params<AdadeltaSettings>, settings: Partial<AdadeltaSettings> = {}) {
    super("Adadelta", params, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false }, settings);
  }

  protected override check(s: AdadeltaSettings): void {
    super.check(s);
    checkRanges(this.name, { rho: [s.rho, 0, 1], eps: [s.eps, 0, Number.POSITIVE_INFINITY] });
  }

  protected stateNames(): readonly string[] {
    return STATE;
  }

  protected ownSettings({ rho, eps }: AdadeltaSettings): readonly number[] {
    return [rho, 0, eps];
  }

  protected advance(k: Kernels, cells: number): void {
    k.countStep(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    k.adadelta(w, g, state[0], state[1], cells, n);
  }
}
