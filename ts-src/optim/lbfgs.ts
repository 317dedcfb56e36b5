// L-BFGS: steps along a direction that the last changes of weights and gradients make of the gradient, each with a line search.

import { ConfigError, NumericError, ShapeError } from "../../bindings/errors.js";
import { keep, scope } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer, Untraceable } from "../../bindings/trace.js";
import { add, mul, sub } from "../ops/binary.js";
import { checkedNumber } from "../ops/checks.js";
import { clone } from "../ops/convert.js";
import { tensor, zeros } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { max } from "../ops/extrema.js";
import { add_, copy_ } from "../ops/inplace.js";
import { concat, stack } from "../ops/join.js";
import { dot } from "../ops/products.js";
import { sum } from "../ops/reduce.js";
import { reshape } from "../ops/shape.js";
import { slice } from "../ops/slice.js";
import { abs, neg } from "../ops/unary.js";
import { checkRanges, Optimizer, type ParamGroup, type Params, type StateKind } from "./optimizer.js";
import { type Place, strongWolfe } from "./strong-wolfe.js";

export interface LBFGSSettings {
  /** The length of a step without line search, and the first one that a line search tries; 1 by default. */
  lr: number;
  /** Directions a step; 20 by default. */
  maxIter: number;
  /** Calls of the closure a step, after which no further direction begins; null, the default, for 1.25 maxIter. */
  maxEval: number | null;
  /** The largest element of a gradient with which a step ends; 1e-7 by default. */
  toleranceGrad: number;
  /** The change of the loss, or of the largest weight, with which a step ends; 1e-9 by default. */
  toleranceChange: number;
  /** Changes that are remembered, each two vectors of all weights; 100 by default. */
  historySize: number;
  /** "strongWolfe", or null, the default, for steps of lr. */
  lineSearchFn: "strongWolfe" | null;
}

/** Curvatures y s up to here are left out, so that the direction goes down. */
const LEAST_CURVATURE = 1e-10;

interface State {
  n_iter: number;
  func_evals: number;
  /** The last direction, and the length of its step. */
  d: Tensor;
  t: number;
  /** Changes of the gradient and of the weights, and 1 / (y s). */
  old_dirs: Tensor[];
  old_stps: Tensor[];
  ro: number[];
  H_diag: number;
  prev_flat_grad: Tensor;
  prev_loss: number;
}

/** A place on the line of a direction, with its gradient. */
interface Found extends Place {
  readonly gradient: Tensor;
}

/**
 * For y_k the changes of the gradient and s_k those of the weights, d = -H g with H from H_0 = (s y) / (y y) I by
 * H = (I - s y^T / (y s)) H (I - y s^T / (y s)) + s s^T / (y s) for the last historySize pairs, without any matrix; w += t d with t = lr, or by
 * strongWolfe (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithm 7.4), as in PyTorch. There is one group of parameters. The
 * state is that of the first one; in stateDict(), old_dirs, old_stps [pairs, elements] and ro [pairs] are stacked. It reads losses
 * and gradients, so no compiled step can hold it: train.fit runs op by op with it, a direction a batch, without line search.
 * Throws ConfigError for settings out of range, for more than one group and for parameters of several dtypes.
 */
export class LBFGS extends Optimizer<LBFGSSettings, State> {
  constructor(params: Params<LBFGSSettings>, settings: Partial<LBFGSSettings> = {}) {
    const defaults: LBFGSSettings = { lr: 1, maxIter: 20, maxEval: null, toleranceGrad: 1e-7, toleranceChange: 1e-9, historySize: 100, lineSearchFn: null };
    super("LBFGS", params, defaults, settings);
    if (this.paramGroups.length !== 1) throw new ConfigError(`LBFGS: expected one group of parameters; got ${this.paramGroups.length}`);
    const dtypes = new Set(this.weights.map((p) => p.dtype));
    if (dtypes.size > 1) throw new ConfigError(`LBFGS: expected parameters of one dtype; got ${[...dtypes].join(", ")}`);
  }

  private get weights(): readonly Tensor[] {
    return this.paramGroups[0].params;
  }

  protected check(s: LBFGSSettings): void {
    const inf = Number.POSITIVE_INFINITY;
    checkRanges(this.name, { lr: [s.lr, 0, inf], toleranceGrad: [s.toleranceGrad, 0, inf], toleranceChange: [s.toleranceChange, 0, inf] });
    for (const [setting, value] of Object.entries({ maxIter: s.maxIter, maxEval: s.maxEval ?? 1, historySize: s.historySize })) {
      if (!Number.isInteger(checkedNumber(this.name, setting, value, 1, Number.MAX_SAFE_INTEGER)))
        throw new ConfigError(`LBFGS: expected a whole number for ${setting}; got ${value}`);
    }
    if (s.lineSearchFn !== null && s.lineSearchFn !== "strongWolfe")
      throw new ConfigError(`LBFGS: expected lineSearchFn "strongWolfe" or null; got ${showValue(s.lineSearchFn)}`);
  }

  /**
   * Changes the parameters along up to maxIter directions and answers the loss before. `closure` drops the gradients, works out the
   * loss and its gradients by backward(), and answers the loss, each time it is called. Without it the parameters are changed once,
   * by the gradients that they have, and nothing is answered.
   */
  override step(closure?: () => Tensor): number | undefined {
    if (activeTracer() !== undefined) throw new Untraceable("LBFGS: expected a step outside of a trace, as it reads losses and gradients; got one within it");
    if (closure === undefined) {
      super.step();
      return undefined;
    }
    if (typeof closure !== "function") throw new ConfigError(`LBFGS: expected a closure that answers the loss; got ${showValue(closure)}`);
    const [group] = this.paramGroups;
    this.check(group);
    return this.run(group, () => lossOf(closure()));
  }

  protected stepGroup(group: ParamGroup<LBFGSSettings>): void {
    if (group.lineSearchFn !== null) throw new ConfigError("LBFGS: expected step(closure) with lineSearchFn; got no closure; pass one, or lineSearchFn: null");
    this.run(group, undefined);
  }

  private run(group: ParamGroup<LBFGSSettings>, evaluate: (() => number) | undefined): number | undefined {
    const { lr, toleranceGrad, toleranceChange } = group;
    const maxIter = evaluate === undefined ? 1 : group.maxIter;
    const maxEval = group.maxEval ?? Math.floor(maxIter * 1.25);
    const before = evaluate?.();
    let loss = before ?? Number.NaN;
    if (before !== undefined && !Number.isFinite(before)) throw new NumericError(`LBFGS: expected a closure with a finite loss; got ${before}`);
    let gradient = this.gradient();
    let state = this.states.get(this.weights[0]);
    let evaluations = evaluate === undefined ? 0 : 1;
    if (state !== undefined) state.func_evals += evaluations;
    let done = largest(gradient) <= toleranceGrad;
    for (let i = 1; !done; i++) {
      state = state === undefined ? begun(gradient, evaluations) : directed(state, gradient, group.historySize);
      this.states.set(this.weights[0], state);
      replace(state, "prev_flat_grad", gradient);
      if (evaluate !== undefined) state.prev_loss = loss;
      state.t = state.n_iter === 1 ? Math.min(1, 1 / absoluteSum(gradient)) * lr : lr;
      const { d } = state;
      const slope = inner(gradient, d);
      if (slope > -toleranceChange) break;
      let called = 0;
      if (evaluate !== undefined && group.lineSearchFn !== null) {
        const found = this.searched({ t: 0, loss, slope, gradient }, state, toleranceChange, evaluate);
        ({ loss, gradient } = found.place);
        state.t = found.place.t;
        called = found.evaluations;
        this.move(state.t, d);
      } else {
        this.move(state.t, d);
        if (evaluate !== undefined && i < maxIter) {
          loss = evaluate();
          gradient = this.gradient();
          called = 1;
        }
      }
      evaluations += called;
      state.func_evals += called;
      done =
        i === maxIter ||
        evaluations >= maxEval ||
        largest(gradient) <= toleranceGrad ||
        largest(d) * state.t <= toleranceChange ||
        Math.abs(loss - state.prev_loss) < toleranceChange;
    }
    if (gradient !== state?.prev_flat_grad) gradient.dispose();
    return before;
  }

  private searched(start: Found, state: State, toleranceChange: number, evaluate: () => number): { place: Found; evaluations: number } {
    const made: Tensor[] = [];
    const weights = this.weights.map((p) => kept(() => clone(p)));
    const restore = (): void => noGrad(() => this.weights.forEach((p, i) => void copy_(p, weights[i])));
    let place = start;
    try {
      const at = (t: number): Found => {
        try {
          this.move(t, state.d);
          // one that is no number is beyond all others
          const value = evaluate();
          const loss = Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
          const gradient = this.gradient();
          made.push(gradient);
          return { t, loss, slope: inner(gradient, state.d), gradient };
        } finally {
          restore();
        }
      };
      place = strongWolfe(at, start, state.t, largest(state.d), toleranceChange);
      return { place, evaluations: made.length };
    } finally {
      for (const t of [...weights, ...made]) if (t !== place.gradient) t.dispose();
    }
  }

  /** All gradients as one vector, 0 for a parameter without. */
  private gradient(): Tensor {
    return kept(() => concat(this.weights.map((p) => reshape(this.gradientOf(p) ?? zeros(p.shape, { dtype: p.dtype }), [p.size]))));
  }

  /** w += t d. */
  private move(t: number, d: Tensor): void {
    let from = 0;
    for (const p of this.weights) {
      const part = [from, from + p.size] as const;
      noGrad(() => scope(() => void add_(p, reshape(mul(slice(d, [...part]), t), p.shape))));
      from += p.size;
    }
  }

  protected stateKinds(p: Tensor): { readonly [name: string]: StateKind } {
    if (p !== this.weights[0]) return {};
    return {
      func_evals: "steps",
      n_iter: "steps",
      d: "other",
      t: "number",
      old_dirs: "other",
      old_stps: "other",
      ro: "other",
      H_diag: "number",
      prev_flat_grad: "other",
      prev_loss: "number",
    };
  }

  protected exported(state: State): Record<string, Tensor | number> {
    const { dtype } = this.weights[0];
    const n = state.d.size;
    const rows = (list: readonly Tensor[]): Tensor => kept(() => (list.length > 0 ? stack([...list]) : zeros([0, n], { dtype })));
    const ro = keep(tensor(Float64Array.from(state.ro)));
    return { ...state, old_dirs: rows(state.old_dirs), old_stps: rows(state.old_stps), ro };
  }

  protected imported(_p: Tensor, saved: Record<string, Tensor | number>): State {
    const n = this.weights.reduce((size, p) => size + p.size, 0);
    const { dtype } = this.weights[0];
    const ro = saved.ro as Tensor;
    const shapes = { d: [n], prev_flat_grad: [n], old_dirs: [ro.size, n], old_stps: [ro.size, n], ro: [ro.size] };
    for (const [name, shape] of Object.entries(shapes)) {
      const t = saved[name] as Tensor;
      if (!sameShape(t.shape, shape)) throw new ShapeError(`LBFGS: expected ${name} of shape ${showShape(shape)}; got ${showShape(t.shape)}`);
      if (t.dtype !== (name === "ro" ? "float64" : dtype))
        throw new ConfigError(`LBFGS: expected ${name} of dtype ${name === "ro" ? "float64" : dtype}; got ${t.dtype}`);
    }
    const rows = (t: Tensor): Tensor[] => Array.from({ length: ro.size }, (_, i) => kept(() => clone(reshape(slice(t, [i, i + 1]), [n]))));
    const { n_iter, func_evals, t, H_diag, prev_loss } = saved as Record<string, number>;
    const [d, prev_flat_grad] = [saved.d, saved.prev_flat_grad].map((t) => kept(() => clone(t as Tensor)));
    const [old_dirs, old_stps] = [saved.old_dirs, saved.old_stps].map((t) => rows(t as Tensor));
    return { n_iter, func_evals, d, t, old_dirs, old_stps, ro: [...ro.data()], H_diag, prev_flat_grad, prev_loss };
  }
}

function lossOf(loss: unknown): number {
  if (loss instanceof Tensor && loss.size === 1) return loss.item();
  throw new ConfigError(`LBFGS: expected a closure that answers a loss of one element; got ${loss instanceof Tensor ? loss.describe() : showValue(loss)}`);
}

/** What `fn` makes, without history, until it is disposed. */
function kept(fn: () => Tensor): Tensor {
  return keep(noGrad(() => scope(fn)));
}

function replace(state: State, name: "d" | "prev_flat_grad", t: Tensor): void {
  if (state[name] !== t) state[name].dispose();
  state[name] = t;
}

/** The state before the first step, straight down. */
function begun(gradient: Tensor, evaluations: number): State {
  const d = kept(() => neg(gradient));
  return { n_iter: 1, func_evals: evaluations, d, t: 0, old_dirs: [], old_stps: [], ro: [], H_diag: 1, prev_flat_grad: gradient, prev_loss: 0 };
}

/** The state with the direction for a gradient, and the pair of changes since the last one. */
function directed(state: State, gradient: Tensor, historySize: number): State {
  state.n_iter++;
  const y = kept(() => sub(gradient, state.prev_flat_grad));
  const s = kept(() => mul(state.d, state.t));
  const curvature = inner(y, s);
  if (curvature > LEAST_CURVATURE) {
    while (state.old_dirs.length >= historySize) {
      state.old_dirs.shift()?.dispose();
      state.old_stps.shift()?.dispose();
      state.ro.shift();
    }
    state.old_dirs.push(y);
    state.old_stps.push(s);
    state.ro.push(1 / curvature);
    state.H_diag = curvature / inner(y, y);
  } else {
    y.dispose();
    s.dispose();
  }
  replace(
    state,
    "d",
    kept(() => twoLoops(gradient, state)),
  );
  return state;
}

const number = (fn: () => Tensor): number => noGrad(() => scope(() => fn().item()));
const inner = (a: Tensor, b: Tensor): number => number(() => dot(a, b));
const largest = (x: Tensor): number => (x.size === 0 ? 0 : number(() => max(abs(x)) as Tensor));
const absoluteSum = (x: Tensor): number => number(() => sum(abs(x)));

/** -H g (Nocedal and Wright 2006, algorithm 7.4). */
function twoLoops(gradient: Tensor, { old_dirs, old_stps, ro, H_diag }: State): Tensor {
  let r = neg(gradient);
  const along: number[] = [];
  for (let i = ro.length - 1; i >= 0; i--) {
    along[i] = inner(old_stps[i], r) * ro[i];
    r = add(r, mul(old_dirs[i], -along[i]));
  }
  r = mul(r, H_diag);
  for (let i = 0; i < ro.length; i++) r = add(r, mul(old_stps[i], along[i] - inner(old_dirs[i], r) * ro[i]));
  return r;
}
