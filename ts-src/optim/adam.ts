// Adam.

import { ConfigError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { showValue } from "../../bindings/show.js";
import { dividedElements } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import { change } from "../../bindings/trace.js";
import { Cells, checkRanges, Optimizer, type ParamGroup, type Params, stateTensor } from "./optimizer.js";

export interface AdamSettings {
  /** Learning rate; 0.001 by default. */
  lr: number;
  /** Decay rates of the two moments; 0.9 and 0.999 by default. */
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
}

/** A square root and two quotients count as 10 each. */
const FLOPS = 40;

/** Cells: lr, beta1, beta2, eps, decay, beta1^t, beta2^t, t. */
const [LR, POWERS, STEPS] = [0, 5, 7];

interface State {
  readonly loaded: boolean;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
  cells: Cells;
}

/**
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
 * w -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) (Kingma and Ba 2015, algorithm 1).
 * Throws ConfigError for settings out of range.
 */
export class Adam extends Optimizer<AdamSettings, State> {
  protected readonly stateNames = { step: "steps", exp_avg: "tensor", exp_avg_sq: "tensor" } as const;

  constructor(params: Params<AdamSettings>, settings: Partial<AdamSettings> = {}) {
    super("Adam", params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }, settings);
  }

  protected check(s: AdamSettings): void {
    const inf = Number.POSITIVE_INFINITY;
    if (!Array.isArray(s.betas) || s.betas.length !== 2)
      throw new ConfigError(`Adam: expected betas [beta1, beta2]; got ${Array.isArray(s.betas) ? `${s.betas.length} of them` : showValue(s.betas)}`);
    checkRanges("Adam", {
      lr: [s.lr, 0, inf],
      "betas[0]": [s.betas[0], 0, 1],
      "betas[1]": [s.betas[1], 0, 1],
      eps: [s.eps, 0, inf],
      weightDecay: [s.weightDecay, 0, inf],
    });
  }

  protected update(p: Tensor, gradient: Tensor, group: ParamGroup<AdamSettings>): void {
    const state = this.states.get(p) ?? this.begun(p, 0, group);
    this.states.set(p, state);
    const { exp_avg: m, exp_avg_sq: v, cells } = state;
    change({
      name: "Adam",
      tensors: { p, m, v, cells: cells.tensor, gradient },
      writes: ["p", "m", "v", "cells"],
      before: this.writing(group),
      run: (t) => {
        kernelsOf(p.dtype).adamAdvance(t.cells.ptr);
        const tensors = { writes: [t.p, t.m, t.v], reads: [t.gradient], shared: [t.cells] };
        dividedElements(tensors, FLOPS, (k, [w, m, v, g], n) => k.adam(w, g, m, v, t.cells.ptr, n));
      },
      valid: () => this.states.get(p) === state,
    });
  }

  protected settings({ lr, betas, eps, weightDecay }: AdamSettings): number[] {
    return [lr, betas[0], betas[1], eps, weightDecay];
  }

  protected write(values: readonly number[], group: ParamGroup<AdamSettings>): void {
    for (const p of group.params) this.states.get(p)?.cells.set(LR, values);
  }

  private begun(p: Tensor, step: number, group: ParamGroup<AdamSettings>, from?: Record<string, Tensor | number>): State {
    const cells = new Cells(8);
    cells.set(LR, this.settings(group));
    cells.set(POWERS, [group.betas[0] ** step, group.betas[1] ** step, step]);
    return { loaded: from !== undefined, exp_avg: stateTensor(p, from?.exp_avg), exp_avg_sq: stateTensor(p, from?.exp_avg_sq), cells };
  }

  protected exported({ loaded, exp_avg, exp_avg_sq, cells }: State): Record<string, Tensor | number> | undefined {
    const step = cells.read(STEPS);
    return loaded || step > 0 ? { step, exp_avg, exp_avg_sq } : undefined;
  }

  protected imported(p: Tensor, state: Record<string, Tensor | number>, group: ParamGroup<AdamSettings>): State {
    return this.begun(p, state.step as number, group, state);
  }
}
