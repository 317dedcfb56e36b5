// What Adam, AdamW and AMSGrad share: moments with bias correction, one kernel.

import type { Kernels } from "../../bindings/kernels.js";
import type { Addresses } from "./fused.js";
import { MOMENTS, MomentOptimizer, type MomentSettings } from "./moments.js";
import { checkFlags } from "./optimizer.js";

const WITH_LARGEST = [...MOMENTS, "max_exp_avg_sq"];

export abstract class AdamLike<S extends MomentSettings> extends MomentOptimizer<S> {
  protected readonly flops = 42;

  /** Whether weights shrink by themselves instead of by their gradient. */
  protected abstract readonly decoupled: boolean;
  /** Whether the largest second moment so far divides. */
  protected abstract keepsLargest(settings: S): boolean;

  protected override stateNames(settings: S): readonly string[] {
    return this.keepsLargest(settings) ? WITH_LARGEST : MOMENTS;
  }

  protected override ownSettings(settings: S): readonly number[] {
    return [...super.ownSettings(settings), Number(this.decoupled)];
  }

  protected advance(k: Kernels, cells: number): void {
    k.adamAdvance(cells);
  }

  protected kernel(k: Kernels, { w, g, state, cells, n }: Addresses): void {
    const [m, v, top] = state;
    if (top === undefined) k.adam(w, g, m, v, cells, n);
    else k.amsgrad(w, g, m, v, top, cells, n);
  }
}

/** lr 0.001 by default. */
export interface AdamSettings extends MomentSettings {
  /** Divide by the largest second moment so far, as AMSGrad does. */
  amsgrad: boolean;
}

/** Adam and AdamW, which keep the largest second moment if asked. */
export abstract class AdamWithAmsgrad extends AdamLike<AdamSettings> {
  protected override check(s: AdamSettings): void {
    super.check(s);
    checkFlags(this.name, { amsgrad: s.amsgrad });
  }

  protected keepsLargest({ amsgrad }: AdamSettings): boolean {
    return amsgrad;
  }
}
