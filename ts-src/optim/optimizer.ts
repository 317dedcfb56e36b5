// The base of optimizers: groups of parameters with their settings, and the state of each parameter.
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { clearGradient, keep } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { Tensor } from "../../bindings/tensor.js";
import { clone } from "../ops/convert.js";
import { zeros } from "../ops/create.js";

/** A group's parameters and its settings, which may be changed between steps. */
export type ParamGroup<S> = S & { params: readonly Tensor[] };

export interface OptimizerState<S> {
  /** Per parameter, in the order of the groups; a parameter that had no step is missing. */
  state: Record<number, Record<string, Tensor | number>>;
  paramGroups: (S & { params: number[] })[];
}

export abstract class Optimizer<S extends { lr: number }, P> {
  readonly paramGroups: ParamGroup<S>[];
  protected readonly states = new Map<Tensor, P>();
  private readonly name: string;

  /** `params`: tensors that require gradients, or groups with settings of their own. */
  constructor(name: string, params: readonly Tensor[] | readonly ({ params: readonly Tensor[] } & Partial<S>)[], settings: S) {
    this.name = name;
    if (!Array.isArray(params) || params.length === 0) throw new ConfigError(`${name}: expected at least one parameter; got none`);
    const groups = params[0] instanceof Tensor ? [{ params }] : params;
    this.paramGroups = groups.map((group) => ({ ...settings, ...group }));
    const seen = new Set<Tensor>();
    for (const group of this.paramGroups) {
      this.check(group);
      for (const p of group.params) {
        if (!(p instanceof Tensor) || p.node !== undefined || !p.requiresGrad) {
          throw new ConfigError(`${name}: expected parameters that are leaves with requiresGrad; got ${p instanceof Tensor ? p.describe() : typeof p}`);
        }
        if (seen.has(p)) throw new ConfigError(`${name}: expected each parameter once; got ${p.describe()} twice`);
        seen.add(p);
      }
    }
  }

  /** Throws ConfigError for a setting that cannot be. */
  protected abstract check(settings: S): void;
  /** Changes p by its gradient. */
  protected abstract update(p: Tensor, gradient: Tensor, group: ParamGroup<S>): void;
  /** State tensors and numbers under PyTorch's names. */
  protected abstract exported(state: P): Record<string, Tensor | number>;
  protected abstract imported(p: Tensor, state: Record<string, Tensor | number>, group: ParamGroup<S>): P;

  /** Changes each parameter that has a gradient. */
  step(): void {
    for (const group of this.paramGroups) {
      this.check(group);
      for (const p of group.params) {
        const gradient = p.grad;
        if (gradient === undefined) continue;
        p.alive(`${this.name}: parameter`);
        gradient.alive(`${this.name}: gradient`);
        if (gradient.dtype !== p.dtype) throw new DtypeError(`${this.name}: expected a gradient of dtype ${p.dtype}; got ${gradient.dtype}`);
        if (!sameShape(gradient.shape, p.shape)) {
          throw new ShapeError(`${this.name}: expected a gradient of shape ${showShape(p.shape)}; got ${showShape(gradient.shape)}`);
        }
        this.update(p, gradient.contiguous ? gradient : clone(gradient), group);
        p.storage.version++;
      }
    }
  }

  /** Drops the gradients. */
  zeroGrad(): void {
    for (const group of this.paramGroups) for (const p of group.params) clearGradient(p);
  }

  private parameters(): { p: Tensor; group: ParamGroup<S> }[] {
    return this.paramGroups.flatMap((group) => group.params.map((p) => ({ p, group })));
  }

  /** State and settings; the state's tensors are those in use, not copies. */
  stateDict(): OptimizerState<S> {
    const state: OptimizerState<S>["state"] = {};
    for (const [i, { p }] of this.parameters().entries()) {
      const own = this.states.get(p);
      if (own) state[i] = this.exported(own);
    }
    let next = 0;
    const paramGroups = this.paramGroups.map((group) => ({ ...group, params: group.params.map(() => next++) }));
    return { state, paramGroups };
  }

  /** Takes state and settings over, copying tensors; throws ConfigError or ShapeError if they do not fit. */
  loadStateDict(saved: OptimizerState<S>): void {
    const groups = saved.paramGroups;
    if (groups.length !== this.paramGroups.length || groups.some((group, i) => group.params.length !== this.paramGroups[i].params.length)) {
      const sizes = (list: readonly { params: readonly unknown[] }[]): string => list.map((group) => group.params.length).join(", ");
      throw new ConfigError(`${this.name}: expected groups of ${sizes(this.paramGroups)} parameters; got ${sizes(groups)}`);
    }
    for (const group of groups) this.check(group);
    const parameters = this.parameters();
    for (const [i, state] of Object.entries(saved.state)) {
      const p = parameters[Number(i)]?.p;
      if (!p) throw new ConfigError(`${this.name}: expected state of parameters 0 to ${parameters.length - 1}; got ${i}`);
      for (const [name, value] of Object.entries(state)) {
        if (value instanceof Tensor && !sameShape(value.shape, p.shape)) {
          throw new ShapeError(`${this.name}: expected ${name} of parameter ${i} of shape ${showShape(p.shape)}; got ${showShape(value.shape)}`);
        }
      }
    }
    for (const [i, group] of groups.entries()) Object.assign(this.paramGroups[i], { ...group, params: this.paramGroups[i].params });
    this.states.clear();
    for (const [i, state] of Object.entries(saved.state)) {
      const { p, group } = parameters[Number(i)];
      this.states.set(p, this.imported(p, state, group));
    }
  }
}

/** Memory cells (f64) that a kernel reads its settings from; a change of a setting is a write to a cell. */
export class Cells {
  readonly tensor: Tensor;

  constructor(n: number) {
    this.tensor = keep(zeros([n], { dtype: "float64" }));
  }

  get ptr(): number {
    return this.tensor.ptr;
  }

  set(first: number, ...values: number[]): void {
    view(this.tensor.ptr + first * 8, values.length, "float64").set(values);
  }
}

/** A state tensor like p, zero or a copy of `from`. */
export function stateTensor(p: Tensor, from?: Tensor | number): Tensor {
  if (from instanceof Tensor) return keep(clone(from));
  return keep(zeros(p.shape, { dtype: p.dtype }));
}

/** Throws ConfigError unless every named setting is in its range. */
export function checkRanges(name: string, ranges: { readonly [setting: string]: readonly [value: number, least: number, below: number] }): void {
  for (const [setting, [value, least, below]] of Object.entries(ranges)) {
    if (!(value >= least && value < below)) {
      const range = below === Number.POSITIVE_INFINITY ? `>= ${least}` : `from ${least} to below ${below}`;
      throw new ConfigError(`${name}: expected ${setting} ${range}; got ${String(value)}`);
    }
  }
}
