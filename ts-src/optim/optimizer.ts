// The base of optimizers: groups of parameters with their settings, and the state of each parameter.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { clearGradient } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "../ops/checks.js";
import { clone } from "../ops/convert.js";

/** A group's parameters and its settings, which may be changed between steps. */
export type ParamGroup<S> = S & { params: readonly Tensor[] };

/** Settings of most optimizers. */
export interface CommonSettings {
  /** Learning rate. */
  lr: number;
  /** The weight of |w|^2 / 2 in what is minimised, by which w is added to the gradient; or, decoupled, by which w shrinks. */
  weightDecay: number;
  /** Go up instead of down: the gradient is that of what is to grow. */
  maximize: boolean;
}

export interface OptimizerState<S> {
  /** Per parameter, in the order of the groups; a parameter that had no step is missing. */
  state: Record<number, Record<string, Tensor | number>>;
  paramGroups: (S & { params: number[] })[];
}

/** Parameters, or groups of them with settings of their own. */
export type Params<S> = readonly Tensor[] | readonly ({ params: readonly Tensor[] } & Partial<S>)[];

/** What a value of a parameter's state is: a tensor like the parameter, any other tensor, a count of steps, another number. */
export type StateKind = "tensor" | "other" | "steps" | "number";

export abstract class Optimizer<S extends { lr: number }, P> {
  readonly paramGroups: ParamGroup<S>[];
  protected readonly states = new Map<Tensor, P>();
  protected readonly name: string;
  /** Names of the settings. */
  private readonly known: readonly string[];

  /** `params`: tensors that require gradients, or groups; a setting stands in the group, or in `settings`, or is the default. */
  constructor(name: string, params: Params<S>, defaults: S, settings: Partial<S>) {
    this.name = name;
    this.known = Object.keys(defaults);
    checkedOptions(name, settings as Record<string, unknown>, this.known);
    if (!Array.isArray(params)) throw new ConfigError(`${name}: expected an array of parameters, such as model.parameters(); got ${showValue(params)}`);
    if (params.length === 0) throw new ConfigError(`${name}: expected at least one parameter; got none`);
    const groups: readonly unknown[] = params[0] instanceof Tensor ? [{ params }] : params;
    this.paramGroups = groups.map((group) => {
      const { params: own, ...rest } = this.checkedGroup(group);
      return { ...defaults, ...given(settings), ...given(rest), params: [...own] } as ParamGroup<S>;
    });
    const seen = new Set<Tensor>();
    for (const group of this.paramGroups) {
      this.check(group);
      for (const p of group.params) {
        if (!(p instanceof Tensor) || p.node !== undefined || !p.requiresGrad) {
          throw new ConfigError(`${name}: expected parameters that are leaves with requiresGrad; got ${p instanceof Tensor ? p.describe() : showValue(p)}`);
        }
        if (seen.has(p)) throw new ConfigError(`${name}: expected each parameter once; got ${p.describe()} twice`);
        seen.add(p);
      }
    }
  }

  /** A group that came from outside: an object with `params`, an array, and none but the optimizer's settings. */
  private checkedGroup(group: unknown): { params: readonly Tensor[] } & Partial<S> {
    if (group === null || typeof group !== "object" || group instanceof Tensor || !Array.isArray((group as { params?: unknown }).params)) {
      const got = group !== null && typeof group === "object" && "params" in group ? `params: ${showValue(group.params)}` : showValue(group);
      throw new ConfigError(`${this.name}: expected tensors, or groups { params: [tensors], ${this.known.join(", ")} }; got ${got}`);
    }
    checkedOptions(this.name, group as Record<string, unknown>, ["params", ...this.known]);
    return group as { params: readonly Tensor[] } & Partial<S>;
  }

  /** Throws ConfigError for a setting that cannot be. */
  protected abstract check(settings: S): void;
  /** Changes the parameters of a group that have a gradient. */
  protected abstract stepGroup(group: ParamGroup<S>): void;
  /** State tensors and numbers under PyTorch's names; undefined for a state that a trace made and no step has used yet. */
  protected abstract exported(state: P, group: ParamGroup<S>): Record<string, Tensor | number> | undefined;
  /** The state from what exported() gave, of which the names are right and the tensors fit p. */
  protected abstract imported(p: Tensor, state: Record<string, Tensor | number>, group: ParamGroup<S>): P;
  /** What the state of p is made of. */
  protected abstract stateKinds(p: Tensor, group: ParamGroup<S>): { readonly [name: string]: StateKind };

  /** Changes each parameter that has a gradient. */
  step(): void {
    // all is looked at before anything is changed
    for (const group of this.paramGroups) this.look(group);
    for (const group of this.paramGroups) this.stepGroup(group);
  }

  /** Throws for settings and gradients that cannot be. */
  protected look(group: ParamGroup<S>): void {
    this.check(group);
    for (const p of group.params) this.checkedGradient(p);
  }

  /** The gradient of a parameter, contiguous; undefined if it has none. */
  protected gradientOf(p: Tensor): Tensor | undefined {
    const gradient = this.checkedGradient(p);
    return gradient === undefined || gradient.contiguous ? gradient : clone(gradient);
  }

  private checkedGradient(p: Tensor): Tensor | undefined {
    const gradient = p.grad;
    if (gradient === undefined) return undefined;
    p.alive(`${this.name}: parameter`);
    gradient.alive(`${this.name}: gradient`);
    if (gradient.dtype !== p.dtype) throw new DtypeError(`${this.name}: expected a gradient of dtype ${p.dtype}; got ${gradient.dtype}`);
    if (!sameShape(gradient.shape, p.shape)) {
      throw new ShapeError(`${this.name}: expected a gradient of shape ${showShape(p.shape)}; got ${showShape(gradient.shape)}`);
    }
    return gradient;
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
    for (const [i, { p, group }] of this.parameters().entries()) {
      const own = this.states.get(p);
      const shown = own && this.exported(own, group);
      if (shown) state[i] = shown;
    }
    let next = 0;
    const paramGroups = this.paramGroups.map((group) => ({ ...group, params: group.params.map(() => next++) }));
    return { state, paramGroups };
  }

  /**
   * Takes state and settings over, copying tensors. Throws ConfigError, ShapeError, DtypeError or DisposedError if they do not
   * fit; then nothing was changed.
   */
  loadStateDict(saved: OptimizerState<S>): void {
    const parts: Partial<OptimizerState<S>> | null = saved;
    const state: unknown = parts?.state;
    if (!Array.isArray(parts?.paramGroups) || state === null || typeof state !== "object" || Array.isArray(state)) {
      throw new ConfigError(`${this.name}: expected a state { state, paramGroups }, as stateDict() gives; got ${showValue(saved)}`);
    }
    const groups = this.checkedGroups(parts.paramGroups);
    const parameters = groups.flatMap((group, i) => this.paramGroups[i].params.map((p) => ({ p, group })));
    const states = new Map<Tensor, P>();
    for (const [i, own] of Object.entries(state)) {
      const found = /^(0|[1-9]\d*)$/.test(i) ? parameters[Number(i)] : undefined;
      if (!found) throw new ConfigError(`${this.name}: expected state of parameters 0 to ${parameters.length - 1}; got ${i}`);
      states.set(found.p, this.imported(found.p, this.checkedState(found.p, i, own, found.group), found.group));
    }
    for (const [i, group] of groups.entries()) Object.assign(this.paramGroups[i], group);
    this.states.clear();
    for (const [p, own] of states) this.states.set(p, own);
  }

  /** The groups of a saved state with this optimizer's own parameters. */
  private checkedGroups(saved: readonly unknown[]): ParamGroup<S>[] {
    const groups = saved.map((group) => this.checkedGroup(group));
    if (groups.length !== this.paramGroups.length || groups.some((group, i) => group.params.length !== this.paramGroups[i].params.length)) {
      const sizes = (list: readonly { params: readonly unknown[] }[]): string => list.map((group) => group.params.length).join(", ");
      throw new ConfigError(`${this.name}: expected groups of ${sizes(this.paramGroups)} parameters; got ${sizes(groups)}`);
    }
    return groups.map((group, i) => {
      const whole = { ...this.paramGroups[i], ...given(group), params: this.paramGroups[i].params };
      this.check(whole);
      return whole;
    });
  }

  private checkedState(p: Tensor, i: string, state: unknown, group: ParamGroup<S>): Record<string, Tensor | number> {
    const kinds = this.stateKinds(p, group);
    const names = Object.keys(kinds);
    const what = `${this.name}: state of parameter ${i}`;
    if (names.length === 0) throw new ConfigError(`${what}: expected none, with these settings; got ${showValue(state)}`);
    if (state === null || typeof state !== "object") throw new ConfigError(`${what}: expected an object with ${names.join(", ")}; got ${showValue(state)}`);
    checkedOptions(what, state as Record<string, unknown>, names);
    for (const [name, kind] of Object.entries(kinds)) {
      const value: unknown = (state as Record<string, unknown>)[name];
      if (kind === "steps") {
        if (!Number.isSafeInteger(value) || (value as number) < 0) {
          throw new ConfigError(`${what}: expected ${name}, a whole number >= 0; got ${showValue(value)}`);
        }
        continue;
      }
      if (kind === "number") {
        if (!Number.isFinite(value)) throw new ConfigError(`${what}: expected ${name}, a finite number; got ${showValue(value)}`);
        continue;
      }
      if (!(value instanceof Tensor)) throw new ConfigError(`${what}: expected ${name}, a tensor; got ${showValue(value)}`);
      value.alive(`${what}: ${name}`);
      if (kind === "other") continue;
      if (!sameShape(value.shape, p.shape)) throw new ShapeError(`${what}: expected ${name} of shape ${showShape(p.shape)}; got ${showShape(value.shape)}`);
      if (value.dtype !== p.dtype) throw new DtypeError(`${what}: expected ${name} of dtype ${p.dtype}; got ${value.dtype}`);
    }
    return state as Record<string, Tensor | number>;
  }
}

/** What was given: a setting that is undefined counts as left out. */
function given<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}

/** Throws ConfigError unless every named setting is in its range. */
export function checkRanges(name: string, ranges: { readonly [setting: string]: readonly [value: unknown, least: number, below: number] }): void {
  for (const [setting, [value, least, below]] of Object.entries(ranges)) {
    if (typeof value !== "number" || !(value >= least && value < below)) {
      const range = below === Number.POSITIVE_INFINITY ? `>= ${least}` : `from ${least} to below ${below}`;
      throw new ConfigError(`${name}: expected ${setting} ${range}; got ${typeof value === "number" ? value : showValue(value)}`);
    }
  }
}

/** Throws ConfigError unless every named setting is true or false. */
export function checkFlags(name: string, flags: { readonly [setting: string]: unknown }): void {
  for (const [setting, value] of Object.entries(flags)) {
    if (typeof value !== "boolean") throw new ConfigError(`${name}: expected ${setting}: true or false; got ${showValue(value)}`);
  }
}

/** Throws ConfigError for common settings that cannot be. */
export function checkCommon(name: string, { lr, weightDecay, maximize }: CommonSettings): void {
  const inf = Number.POSITIVE_INFINITY;
  checkRanges(name, { lr: [lr, 0, inf], weightDecay: [weightDecay, 0, inf] });
  checkFlags(name, { maximize });
}

/** Throws ConfigError unless betas are two numbers from 0 to below 1. */
export function checkBetas(name: string, betas: unknown): void {
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new ConfigError(`${name}: expected betas [beta1, beta2]; got ${Array.isArray(betas) ? `${betas.length} of them` : showValue(betas)}`);
  checkRanges(name, { "betas[0]": [betas[0], 0, 1], "betas[1]": [betas[1], 0, 1] });
}
