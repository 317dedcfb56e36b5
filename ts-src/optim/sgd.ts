// Stochastic gradient descent.

import { ConfigError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkFlags, checkRanges, type Params } from "./optimizer.js";

/** lr 0.001 by default, all else 0 or false. */
export interface SGDSettings extends CommonSettings {
  momentum: number;
  dampening: number;
  /** Nesterov's momentum; needs momentum > 0 and no dampening. */
  nesterov: boolean;
}

const PLAIN: readonly string[] = [];
const WITH_MOMENTUM = ["momentum_buffer"];

/**
 * d = g + weightDecay w; v = momentum v + (1 - dampening) d (v = d at the first step);
 * w -= lr (d + momentum v if nesterov, else v) (Sutskever et al. 2013, as PyTorch applies it).
 * Throws ConfigError for settings out of range.
 */
export class SGD extends FusedOptimizer<SGDSettings> {
  protected override readonly numbers = {};
  protected readonly flops = 6;

  constructor(params: Params<SGDSettings>, settings: Partial<SGDSettings> = {}) {
    super("SGD", params, { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false }, settings);
  }

  protected override check(s: SGDSettings): void {
    super.check(s);
    const inf = Number.POSITIVE_INFINITY;
    checkRanges(this.name, { momentum: [s.momentum, 0, inf], dampening: [s.dampening, 0, inf] });
    checkFlags(this.name, { nesterov: s.nesterov });
    if (s.nesterov && (s.momentum <= 0 || s.dampening !== 0)) {
      throw new ConfigError(`SGD: expected momentum > 0 and dampening 0 with nesterov; got ${s.momentum} and ${s.dampening}`);
    }
  }

  protected stateNames({ momentum }: SGDSettings): readonly string[] {
    return momentum > 0 ? WITH_MOMENTUM : PLAIN;
  }

  protected ownSettings({ momentum, dampening, nesterov }: SGDSettings): readonly number[] {
    return [momentum, dampening, 0, Number(nesterov)];
  }

  protected advance(k: Kernels, cells: number, names: readonly string[]): void {
    // of steps with momentum, of which the first fills the buffer
    if (names === WITH_MOMENTUM) k.countStep(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    if (state.length > 0) k.sgdMomentum(w, g, state[0], cells, n);
    else k.sgd(w, g, cells, n);
  }
}
