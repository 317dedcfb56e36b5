// RMSprop.

import type { Kernels } from "../../bindings/kernels.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkFlags, checkRanges, type Params } from "./optimizer.js";

/** lr 0.01 by default. */
export interface RMSpropSettings extends CommonSettings {
  /** Decay rate of the averages; 0.99 by default. */
  alpha: number;
  /** Added to the divisor; 1e-8 by default. */
  eps: number;
  /** 0 by default. */
  momentum: number;
  /** Divide by the standard deviation of the gradient instead of by its root mean square. */
  centered: boolean;
}

const PLAIN = ["square_avg"];
const WITH_MOMENTUM = [...PLAIN, "momentum_buffer"];
const CENTERED = [...PLAIN, "grad_avg"];
const CENTERED_MOMENTUM = [...CENTERED, "momentum_buffer"];

/**
 * g += weightDecay w; v = alpha v + (1 - alpha) g^2; if centered a = alpha a + (1 - alpha) g, else a = 0;
 * u = g / (sqrt(v - a^2) + eps); with momentum b = momentum b + u, else b = u; w -= lr b
 * (Hinton 2012, Neural Networks for Machine Learning, lecture 6e; centered: Graves 2013, section 4.2).
 * Throws ConfigError for settings out of range.
 */
export class RMSprop extends FusedOptimizer<RMSpropSettings> {
  protected readonly flops = 32;

  constructor(params: Params<RMSpropSettings>, settings: Partial<RMSpropSettings> = {}) {
    super("RMSprop", params, { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false, maximize: false }, settings);
  }

  protected override check(s: RMSpropSettings): void {
    super.check(s);
    const inf = Number.POSITIVE_INFINITY;
    checkRanges(this.name, { alpha: [s.alpha, 0, inf], eps: [s.eps, 0, inf], momentum: [s.momentum, 0, inf] });
    checkFlags(this.name, { centered: s.centered });
  }

  protected stateNames({ centered, momentum }: RMSpropSettings): readonly string[] {
    if (centered) return momentum > 0 ? CENTERED_MOMENTUM : CENTERED;
    return momentum > 0 ? WITH_MOMENTUM : PLAIN;
  }

  protected ownSettings({ alpha, momentum, eps }: RMSpropSettings): readonly number[] {
    return [alpha, momentum, eps];
  }

  protected advance(k: Kernels, cells: number): void {
    k.countStep(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses, names: readonly string[]): void {
    const [v, second, third] = state;
    if (third !== undefined) k.rmspropCenteredMomentum(w, g, v, second, third, cells, n);
    else if (second === undefined) k.rmsprop(w, g, v, cells, n);
    else if (names === CENTERED) k.rmspropCentered(w, g, v, second, cells, n);
    else k.rmspropMomentum(w, g, v, second, cells, n);
  }
}
