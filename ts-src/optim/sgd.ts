// Stochastic gradient descent.

import { ConfigError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { change } from "../../bindings/trace.js";
import { Cells, checkRanges, Optimizer, type ParamGroup, type Params, stateTensor } from "./optimizer.js";

export interface SGDSettings {
  /** Learning rate; 0.001 by default. */
  lr: number;
  momentum: number;
  dampening: number;
  weightDecay: number;
  /** Nesterov's momentum; needs momentum > 0 and no dampening. */
  nesterov: boolean;
}

interface State {
  momentum_buffer: Tensor;
}

/**
 * d = g + weightDecay w; v = momentum v + (1 - dampening) d (v = d at the first step);
 * w -= lr (d + momentum v if nesterov, else v) (Sutskever et al. 2013, as PyTorch applies it).
 * Throws ConfigError for settings out of range.
 */
export class SGD extends Optimizer<SGDSettings, State> {
  protected readonly stateNames = { momentum_buffer: "tensor" } as const;
  /** Of each group: lr, momentum, dampening, weightDecay. */
  private readonly cells = new Map<ParamGroup<SGDSettings>, Cells>();

  constructor(params: Params<SGDSettings>, settings: Partial<SGDSettings> = {}) {
    super("SGD", params, { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false }, settings);
  }

  protected check(s: SGDSettings): void {
    const inf = Number.POSITIVE_INFINITY;
    checkRanges("SGD", { lr: [s.lr, 0, inf], momentum: [s.momentum, 0, inf], weightDecay: [s.weightDecay, 0, inf], dampening: [s.dampening, 0, inf] });
    if (typeof s.nesterov !== "boolean") throw new ConfigError(`SGD: expected nesterov: true or false; got ${showValue(s.nesterov)}`);
    if (s.nesterov && (s.momentum <= 0 || s.dampening !== 0)) {
      throw new ConfigError(`SGD: expected momentum > 0 and dampening 0 with nesterov; got ${s.momentum} and ${s.dampening}`);
    }
  }

  protected update(p: Tensor, gradient: Tensor, group: ParamGroup<SGDSettings>): void {
    const cells = this.cells.get(group) ?? new Cells(4);
    this.cells.set(group, cells);
    const { momentum, nesterov } = group;
    const before = (): void => cells.set(0, group.lr, group.momentum, group.dampening, group.weightDecay);
    const sameKernel = (): boolean => (group.momentum === 0) === (momentum === 0) && group.nesterov === nesterov;
    if (momentum === 0) {
      change({
        name: "SGD",
        tensors: { p, cells: cells.tensor, gradient },
        writes: ["p"],
        before,
        run: (t) => kernelsOf(p.dtype).sgd(t.p.ptr, t.gradient.ptr, t.cells.ptr, p.size),
        valid: sameKernel,
      });
      return;
    }
    const known = this.states.get(p);
    const state = known ?? { momentum_buffer: stateTensor(p) };
    this.states.set(p, state);
    let runs = 0;
    change({
      name: "SGD",
      tensors: { p, v: state.momentum_buffer, cells: cells.tensor, gradient },
      writes: ["p", "v"],
      before: () => {
        before();
        runs++;
      },
      run: (t) => kernelsOf(p.dtype).sgdMomentum(t.p.ptr, t.gradient.ptr, t.v.ptr, t.cells.ptr, p.size, Number(known === undefined), Number(nesterov)),
      // the first step fills the buffer, so a plan of it serves once
      valid: () => sameKernel() && this.states.get(p) === state && (known !== undefined || runs === 0),
    });
  }

  protected exported(state: State): Record<string, Tensor | number> {
    return { momentum_buffer: state.momentum_buffer };
  }

  protected imported(p: Tensor, state: Record<string, Tensor | number>): State {
    return { momentum_buffer: stateTensor(p, state.momentum_buffer) };
  }
}
