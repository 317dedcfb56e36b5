// Stochastic gradient descent.

import { ConfigError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { showValue } from "../../bindings/show.js";
import { dividedElements } from "../../bindings/split.js";
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

/** An element of the update. */
const FLOPS = 6;

interface State {
  momentum_buffer: Tensor;
  /** One cell: steps done, of which the first fills the buffer. */
  readonly steps: Cells;
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
    const before = this.writing(group);
    const sameKernel = (): boolean => (group.momentum === 0) === (momentum === 0) && group.nesterov === nesterov;
    if (momentum === 0) {
      change({
        name: "SGD",
        tensors: { p, cells: cells.tensor, gradient },
        writes: ["p"],
        before,
        run(t) {
          dividedElements({ writes: [t.p], reads: [t.gradient], shared: [t.cells] }, FLOPS, (k, [w, g], n) => k.sgd(w, g, t.cells.ptr, n));
        },
        valid: sameKernel,
      });
      return;
    }
    const state = this.states.get(p) ?? { momentum_buffer: stateTensor(p), steps: new Cells(1) };
    this.states.set(p, state);
    change({
      name: "SGD",
      tensors: { p, v: state.momentum_buffer, cells: cells.tensor, steps: state.steps.tensor, gradient },
      writes: ["p", "v", "steps"],
      before,
      run(t) {
        const tensors = { writes: [t.p, t.v], reads: [t.gradient], shared: [t.cells, t.steps] };
        dividedElements(tensors, FLOPS, (k, [w, v, g], n) => k.sgdMomentum(w, g, v, t.cells.ptr, t.steps.ptr, n, Number(nesterov)));
        kernelsOf(p.dtype).sgdAdvance(t.steps.ptr);
      },
      valid: () => sameKernel() && this.states.get(p) === state,
    });
  }

  protected settings({ lr, momentum, dampening, weightDecay }: SGDSettings): number[] {
    return [lr, momentum, dampening, weightDecay];
  }

  protected write(values: readonly number[], group: ParamGroup<SGDSettings>): void {
    this.cells.get(group)?.set(0, values);
  }

  protected exported({ momentum_buffer, steps }: State): Record<string, Tensor | number> | undefined {
    return steps.read(0) > 0 ? { momentum_buffer } : undefined;
  }

  protected imported(p: Tensor, state: Record<string, Tensor | number>): State {
    const steps = new Cells(1);
    steps.set(0, [1]);
    return { momentum_buffer: stateTensor(p, state.momentum_buffer), steps };
  }
}
