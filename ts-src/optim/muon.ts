// Muon: momentum whose matrix is made orthogonal before each step.

import { ConfigError } from "../../bindings/errors.js";
import { type Kernels, kernelsOf } from "../../bindings/kernels.js";
import { scope } from "../../bindings/lifetime.js";
import { allocated } from "../../bindings/op.js";
import { showShape } from "../../bindings/shape.js";
import { dividedElements } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import { change } from "../../bindings/trace.js";
import { add, mul } from "../ops/binary.js";
import { checkedNumber } from "../ops/checks.js";
import { clone } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { matmul } from "../ops/matmul.js";
import { norm } from "../ops/norm.js";
import { div } from "../ops/quotient.js";
import { clamp } from "../ops/select.js";
import { transpose } from "../ops/shape.js";
import { type Addresses, FusedOptimizer } from "./fused.js";
import { type CommonSettings, checkFlags, checkRanges, type ParamGroup, type Params } from "./optimizer.js";

/** lr 0.001 and weightDecay 0.1, decoupled, by default. */
export interface MuonSettings extends CommonSettings {
  /** 0.95 by default. */
  momentum: number;
  /** Nesterov's momentum; true by default. */
  nesterov: boolean;
  /** Steps of the iteration that makes the matrix orthogonal; 5 by default. */
  nsSteps: number;
  /** The least norm that the matrix is divided by; 1e-7 by default. */
  eps: number;
}

/** Coefficients of the iteration, which bring singular values from near 0 to 0.7 .. 1.2 in five steps (Jordan 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STATE = ["momentum_buffer"];

/**
 * For matrices [rows, cols]: m = momentum m + (1 - momentum) g; u = (1 - momentum) g + momentum m if nesterov, else m;
 * X = u / |u|, then nsSteps times X = a X + (b S + c S^2) X with S = X X^T, a = 3.4445, b = -4.7750, c = 2.0315, which tends to U V^T of
 * u = U D V^T; w = (1 - lr weightDecay) w - lr sqrt(max(1, rows / cols)) X (Jordan 2024, "Muon: an optimizer for hidden layers in
 * neural networks"). Throws ConfigError for settings out of range and for parameters that are no matrices: give them to AdamW.
 */
export class Muon extends FusedOptimizer<MuonSettings> {
  protected override readonly numbers = {};
  protected readonly flops = 6;

  constructor(params: Params<MuonSettings>, settings: Partial<MuonSettings> = {}) {
    super("Muon", params, { lr: 1e-3, weightDecay: 0.1, momentum: 0.95, nesterov: true, nsSteps: 5, eps: 1e-7, maximize: false }, settings);
    for (const p of this.paramGroups.flatMap((group) => group.params)) {
      if (p.ndim !== 2) throw new ConfigError(`Muon: expected parameters of two axes; got ${p.describe()} of shape ${showShape(p.shape)}; give it to AdamW`);
    }
  }

  protected override check(s: MuonSettings): void {
    super.check(s);
    checkRanges(this.name, { momentum: [s.momentum, 0, 1], eps: [s.eps, 0, Number.POSITIVE_INFINITY] });
    checkFlags(this.name, { nesterov: s.nesterov });
    if (!Number.isInteger(checkedNumber(this.name, "nsSteps", s.nsSteps, 1, 100)))
      throw new ConfigError(`Muon: expected a whole number for nsSteps; got ${s.nsSteps}`);
  }

  protected stateNames(): readonly string[] {
    return STATE;
  }

  protected ownSettings({ momentum, nesterov }: MuonSettings): readonly number[] {
    return [momentum, 0, 0, Number(nesterov)];
  }

  protected advance(k: Kernels, cells: number): void {
    k.countStep(cells);
  }

  /** The first part of a step, of u, that is made orthogonal. */
  protected kernel(k: Kernels, { w: u, g, state, cells, n }: Addresses): void {
    k.muonMomentum(u, g, state[0], cells, n);
  }

  protected override update(p: Tensor, gradient: Tensor, group: ParamGroup<MuonSettings>): void {
    const state = this.stateOf(p, group, STATE);
    const { nsSteps, eps } = group;
    change({
      name: this.name,
      tensors: { p, m: state.tensors.momentum_buffer, cells: state.cells.tensor, gradient },
      writes: ["p", "m", "cells"],
      before: this.writing(group),
      run: (t) => {
        this.advance(kernelsOf(p.dtype), t.cells.ptr);
        const u = allocated("Muon", p.dtype, p.shape);
        try {
          const { m, cells, gradient } = t;
          dividedElements({ writes: [u, m], reads: [gradient], shared: [cells] }, this.flops, (k, [uAt, mAt, g], n) =>
            this.kernel(k, { w: uAt, g, state: [mAt], cells: cells.ptr, n }),
          );
          noGrad(() => scope(() => moveAlong(t.p, orthogonal(u, nsSteps, eps), cells)));
        } finally {
          u.dispose();
        }
      },
      valid: () => this.states.get(p) === state && group.nsSteps === nsSteps && group.eps === eps,
    });
  }
}

/** w = (1 - lr decay) w - lr sqrt(max(1, rows / cols)) x. */
function moveAlong(w: Tensor, x: Tensor, cells: Tensor): void {
  const scale = Math.sqrt(Math.max(1, w.shape[0] / w.shape[1]));
  dividedElements({ writes: [w], reads: [x], shared: [cells] }, 3, (k, [to, from], n) => k.muonStep(to, from, cells.ptr, scale, n));
}

/** Near U V^T of u = U D V^T, contiguous. */
function orthogonal(u: Tensor, steps: number, eps: number): Tensor {
  const turned = u.shape[0] > u.shape[1];
  let x = div(u, clamp(norm(u), eps));
  // the products are those of the smaller side
  if (turned) x = transpose(x);
  for (let i = 0; i < steps; i++) {
    const s = matmul(x, transpose(x));
    x = add(mul(x, A), matmul(add(mul(s, B), mul(matmul(s, s), C)), x));
  }
  return turned ? clone(transpose(x)) : x;
}
