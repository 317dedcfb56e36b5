// Adagrad with the whole matrix of the gradients' outer products, for small problems.

import { ConfigError, DtypeError, NumericError, ShapeError } from "../../bindings/errors.js";
import { keep, scope } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { activeTracer, change, Untraceable } from "../../bindings/trace.js";
import { clone } from "../ops/convert.js";
import { tensor, zeros } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { sub_ } from "../ops/inplace.js";
import { reshape } from "../ops/shape.js";
import { symmetricEigen } from "./eigen.js";
import { type CommonSettings, checkCommon, checkRanges, Optimizer, type ParamGroup, type Params, type StateKind } from "./optimizer.js";

/** lr 0.01 by default. */
export interface FullMatrixAdagradSettings extends CommonSettings {
  /** Added to the eigenvalues of G, against divisors near 0; 1e-4 by default. */
  eps: number;
}

/** Elements of a group: G has its square of them, and an eigendecomposition takes about 9 n^3 operations a step. */
const MOST = 2048;

interface State {
  step: number;
  /** G, [n, n] in float64. */
  readonly sum: Tensor;
}

const sizeOf = (group: { readonly params: readonly Tensor[] }): number => group.params.reduce((n, p) => n + p.size, 0);

/**
 * For all parameters of a group as one vector: g += weightDecay w; G += g g^T; w -= lr (eps I + G)^(-1/2) g (Duchi et al. 2011,
 * figure 1, full matrix), the root by an eigendecomposition in float64. A parameter without gradient counts as one of 0 and stays.
 * The state, `step` and `sum` (G), is that of the group's first parameter. It reads elements, so no compiled step can hold it:
 * train.fit runs op by op with it. Throws ConfigError for settings out of range and for groups of more than 2,048 elements,
 * NumericError for a gradient that is not finite; then nothing was changed.
 */
export class FullMatrixAdagrad extends Optimizer<FullMatrixAdagradSettings, State> {
  /** Of the step that is taken: what look() has made of each group's gradients. */
  private readonly vectors = new Map<ParamGroup<FullMatrixAdagradSettings>, Float64Array | undefined>();

  constructor(params: Params<FullMatrixAdagradSettings>, settings: Partial<FullMatrixAdagradSettings> = {}) {
    super("FullMatrixAdagrad", params, { lr: 1e-2, eps: 1e-4, weightDecay: 0, maximize: false }, settings);
    for (const group of this.paramGroups) {
      const n = sizeOf(group);
      if (n > MOST) throw new ConfigError(`FullMatrixAdagrad: expected groups of at most ${MOST} elements; got ${n}; take Adagrad, or make more groups`);
    }
  }

  protected check(s: FullMatrixAdagradSettings): void {
    checkCommon(this.name, s);
    checkRanges(this.name, { eps: [s.eps, 0, Number.POSITIVE_INFINITY] });
  }

  override step(): void {
    if (activeTracer() !== undefined)
      throw new Untraceable("FullMatrixAdagrad: expected a step outside of a trace, as it reads elements of gradients; got one within it");
    super.step();
  }

  protected override look(group: ParamGroup<FullMatrixAdagradSettings>): void {
    super.look(group);
    this.vectors.set(group, this.vectorOf(group));
  }

  /** The gradients of a group as one vector; undefined if there are none. Throws NumericError. */
  private vectorOf(group: ParamGroup<FullMatrixAdagradSettings>): Float64Array | undefined {
    if (group.params.every(({ grad }) => grad === undefined)) return undefined;
    const g = new Float64Array(sizeOf(group));
    let from = 0;
    for (const p of group.params) {
      const gradient = this.gradientOf(p)?.data();
      const w = group.weightDecay === 0 ? undefined : p.data();
      for (let j = 0; gradient !== undefined && j < p.size; j++) {
        g[from + j] = (group.maximize ? -gradient[j] : gradient[j]) + (w === undefined ? 0 : group.weightDecay * w[j]);
      }
      from += p.size;
    }
    const bad = g.find((value) => !Number.isFinite(value * value));
    if (bad !== undefined) throw new NumericError(`FullMatrixAdagrad: expected gradients whose squares are finite; got ${bad}; lower the learning rate`);
    return g;
  }

  protected stepGroup(group: ParamGroup<FullMatrixAdagradSettings>): void {
    const g = this.vectors.get(group);
    if (g === undefined) return;
    const n = g.length;
    const first = group.params[0];
    const state = this.states.get(first) ?? { step: 0, sum: keep(zeros([n, n], { dtype: "float64" })) };
    this.states.set(first, state);
    state.step++;
    const { sum } = state;
    change({ name: this.name, tensors: { sum }, writes: ["sum"], run: (t) => addOuter(view(t.sum.ptr, n * n, "float64"), g) });
    const step = scaled(view(sum.ptr, n * n, "float64"), g, group);
    let at = 0;
    for (const p of group.params) {
      const part = step.subarray(at, at + p.size);
      if (p.grad !== undefined) noGrad(() => scope(() => void sub_(p, reshape(tensor(part, { dtype: p.dtype }), p.shape))));
      at += p.size;
    }
  }

  protected stateKinds(p: Tensor, group: ParamGroup<FullMatrixAdagradSettings>): { readonly [name: string]: StateKind } {
    return p === group.params[0] ? { step: "steps", sum: "other" } : {};
  }

  protected exported({ step, sum }: State): Record<string, Tensor | number> {
    return { step, sum };
  }

  protected imported(_p: Tensor, state: Record<string, Tensor | number>, group: ParamGroup<FullMatrixAdagradSettings>): State {
    const sum = state.sum as Tensor;
    const n = sizeOf(group);
    if (!sameShape(sum.shape, [n, n])) throw new ShapeError(`${this.name}: expected sum of shape [${n},${n}]; got ${showShape(sum.shape)}`);
    if (sum.dtype !== "float64") throw new DtypeError(`${this.name}: expected sum of dtype float64; got ${sum.dtype}`);
    return { step: state.step as number, sum: keep(clone(sum)) };
  }
}

/** G += g g^T. */
function addOuter(sum: { [i: number]: number }, g: Float64Array): void {
  const n = g.length;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum[i * n + j] += g[i] * g[j];
}

/** lr (eps I + G)^(-1/2) g. */
function scaled(sum: ArrayLike<number>, g: Float64Array, { lr, eps }: { lr: number; eps: number }): Float64Array {
  const n = g.length;
  const { values, vectors } = symmetricEigen(sum, n);
  const step = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const v = vectors.subarray(i * n, i * n + n);
    let along = 0;
    for (let j = 0; j < n; j++) along += v[j] * g[j];
    // an eigenvalue of 0 may come out below it; without eps, nothing of g lies along it
    const root = Math.sqrt(Math.max(values[i], 0) + eps);
    const factor = root === 0 ? 0 : (lr * along) / root;
    for (let j = 0; j < n; j++) step[j] += factor * v[j];
  }
  return step;
}
