// Adam.

import { ConfigError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { showValue } from "../../bindings/show.js";
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

/** Cells: lr, beta1, beta2, eps, decay, beta1^t, beta2^t, t. */
const [LR, BETA1, BETA2, EPS, DECAY, POWERS, STEPS] = [0, 1, 2, 3, 4, 5, 7];

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
    // most steps change no setting, and a step of a small net takes 3 us
    const changed = (): boolean =>
      cells.differs(LR, group.lr) ||
      cells.differs(BETA1, group.betas[0]) ||
      cells.differs(BETA2, group.betas[1]) ||
      cells.differs(EPS, group.eps) ||
      cells.differs(DECAY, group.weightDecay);
    change({
      name: "Adam",
      tensors: { p, m, v, cells: cells.tensor, gradient },
      writes: ["p", "m", "v", "cells"],
      before: () => {
        if (!changed()) return;
        this.check(group);
        cells.set(LR, [group.lr, group.betas[0], group.betas[1], group.eps, group.weightDecay]);
      },
      run: (t) => {
        const k = kernelsOf(p.dtype);
        k.adamAdvance(t.cells.ptr);
        k.adam(t.p.ptr, t.gradient.ptr, t.m.ptr, t.v.ptr, t.cells.ptr, p.size);
      },
      valid: () => this.states.get(p) === state,
    });
  }

  private begun(p: Tensor, step: number, group: ParamGroup<AdamSettings>, from?: Record<string, Tensor | number>): State {
    const cells = new Cells(8);
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
