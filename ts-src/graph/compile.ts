// A function as programs, one for each kind of arguments: traced at the first call with them, and found again by them.

import { ConfigError } from "../../bindings/errors.js";
import { tensorsIn, withHeld } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import { activeTracer } from "../../bindings/trace.js";
import type { Tree } from "../ops/tree.js";
import { Graph } from "./graph.js";
import { optimise } from "./passes/optimise.js";
import { Plan } from "./plan.js";
import { checkedRuns, type Profile, type ProfileOptions } from "./profile.js";
import { signature } from "./signature.js";
import { traced } from "./trace.js";

export interface Compiled<A extends readonly unknown[], R> {
  (...xs: A): R;
  /** Traces so far, plans in use, instructions and bytes of the latest. */
  stats(): { traces: number; instructions: number; planBytes: number };
  /**
   * Where the time of a call with these arguments goes, instruction by instruction. The plan runs many times, but nothing stays
   * changed: weights, an optimizer's state and the random numbers to come are as before. Throws ConfigError as a call does.
   */
  profile(args: A, options?: ProfileOptions): Profile;
  /** Gives the memory of all plans back. */
  dispose(): void;
}

const MANY_TRACES = 16;

/** The programs of one function, or of a graph. */
export class Plans {
  traces = 0;
  latest: Plan | undefined;
  private readonly plans = new Map<string, Plan>();
  private readonly f: ((...xs: Tree[]) => Tree) | Graph;

  constructor(f: ((...xs: Tree[]) => Tree) | Graph) {
    this.f = f;
  }

  get size(): number {
    return this.plans.size;
  }

  has(xs: readonly unknown[]): boolean {
    return this.plans.has(signature(xs));
  }

  /** The plan for such arguments, traced if there is none. Throws Untraceable for a function that cannot be a program. */
  planFor(xs: readonly unknown[]): Plan {
    if (this.latest?.fits(xs) && this.latest.valid) return this.latest;
    const key = signature(xs);
    let plan = this.plans.get(key);
    if (plan !== undefined && !plan.valid) {
      plan.dispose();
      this.plans.delete(key);
      plan = undefined;
    }
    if (plan === undefined) {
      for (const t of tensorsIn(xs)) t.alive("compile");
      // arguments that the graph does not take are no reason for a plan
      if (this.f instanceof Graph) this.f.checked(xs as readonly Tree[]);
      const { result, handles } = withHeld(() => (this.f instanceof Graph ? this.f : traced(this.f, xs)));
      const optimised = withHeld(() => optimise(result));
      plan = new Plan(optimised.result, [...handles, ...optimised.handles], result.leaves);
      this.plans.set(key, plan);
      this.traces++;
      if (this.traces === MANY_TRACES)
        console.warn(`compile: a function was traced ${this.traces} times, each for other shapes or settings; pad its arguments to few shapes`);
    }
    this.latest = plan;
    return plan;
  }

  run(xs: readonly unknown[], judge?: (result: Tree) => void): Tree {
    const plan = this.planFor(xs);
    if (plan.fits(xs)) return plan.run(xs, judge);
    return plan.run(plan.graph.checked(xs as readonly Tree[]), judge);
  }

  dispose(): void {
    for (const plan of this.plans.values()) plan.dispose();
    this.plans.clear();
    this.latest = undefined;
  }
}

/** Plans of compiled functions that nobody holds any more. */
const forgotten = new FinalizationRegistry<Plans>((plans) => plans.dispose());

/**
 * The same function, or a graph, as programs: one for each shape and dtype of its arguments, traced at the first call with them.
 * Gradients that backward() makes in it begin with each call and end with it: those of several calls do not add up. What else
 * JavaScript holds (numbers, which tensor is a module's weight) stays as it was at the trace; elements of tensors are read anew,
 * settings of optimizers when a call begins.
 * Results live until the second call after their own; use item(), data() or keep() to hold one for longer.
 */
export function compile<A extends readonly unknown[], R extends Tree>(f: ((...xs: A) => R) | Graph): Compiled<A, R> {
  if (typeof f !== "function" && !(f instanceof Graph)) throw new ConfigError(`compile: expected a function or a graph; got ${showValue(f)}`);
  const plans = new Plans(f as unknown as Graph | ((...xs: Tree[]) => Tree));
  const run = (...xs: A): R => {
    // within a trace the function is part of the larger graph
    if (activeTracer() !== undefined) return (f instanceof Graph ? f.run(...(xs as unknown as Tree[])) : f(...xs)) as R;
    return plans.run(xs) as R;
  };
  forgotten.register(run, plans);
  return Object.assign(run, {
    stats: () => ({ traces: plans.traces, instructions: 0, planBytes: 0, ...plans.latest?.stats() }),
    profile(args: A, options: ProfileOptions = {}): Profile {
      const runs = checkedRuns(options);
      if (!Array.isArray(args)) throw new ConfigError(`profile: expected the arguments in an array; got ${showValue(args)}`);
      if (activeTracer() !== undefined) throw new ConfigError("profile: expected a call outside of a trace; got one within it");
      return plans.planFor(args).profile(args as unknown as readonly Tree[], runs);
    },
    dispose: () => plans.dispose(),
  });
}
