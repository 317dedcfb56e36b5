// One step of fit(): forward, loss, backward, clipping and optimizer as one program, or op by op; with several batches a step, a program
// for a batch and one for the step.

import { isWatching } from "../../bindings/anomaly.js";
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { allOrNothing, Untraceable } from "../../bindings/trace.js";
import { Plans } from "../graph/compile.js";
import type { Plan } from "../graph/plan.js";
import type { AnyModule, Module } from "../layers/module.js";
import { tensor } from "../ops/create.js";
import { backward } from "../ops/reverse.js";
import type { Tree } from "../ops/tree.js";
import { Accumulation } from "../optim/accumulation.js";
import { Optimizer } from "../optim/optimizer.js";
import type { Clipping } from "./clipping.js";

/** Sees a step before it changes weights or statistics; if it throws, they stay. */
export interface Judge {
  /** Loss and output of a batch. */
  batch(loss: Tensor, output: Tensor): void;
  /** The norm of the gradients, where they are clipped. */
  gradients(norm: Tensor): void;
}

interface Parts {
  readonly model: Module;
  readonly loss: (output: Tensor, target: Tensor) => Tensor;
  readonly optimizer: { step(): void; zeroGrad(): void };
  /** undefined: as a program where that can be, with an optimizer of this package. */
  readonly compile: boolean | undefined;
  readonly clip: Clipping | undefined;
  /** Batches for a step of the optimizer. */
  readonly accumulate: number;
  readonly average: { update(): void } | undefined;
}

/** Shapes of batches that have a program of their own, whose memory stays until training ends; a batch of any other runs op by op. */
const MOST_SHAPES = 8;

export class Step {
  /** Batches and examples since the last step of the optimizer. */
  pending = { batches: 0, examples: 0 };
  readonly accumulation: Accumulation | undefined;
  private readonly parts: Parts;
  private readonly parameters: readonly Tensor[];
  private plans: { readonly batch: Plans; readonly step: Plans } | undefined;
  /** What in the model the plans were traced for. */
  private state: readonly boolean[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
    const { optimizer } = parts;
    this.parameters = optimizer instanceof Optimizer ? optimizer.paramGroups.flatMap(({ params }) => params) : parts.model.parameters();
    if (parts.accumulate > 1) this.accumulation = new Accumulation(this.parameters);
    // what an optimizer of one's own counts in JavaScript, a program would not
    if (parts.compile ?? optimizer instanceof Optimizer) this.plans = this.traceable();
  }

  /** Runs a batch, and the optimizer's step if it is the last one for it; answers whether it was. Throws ConfigError with `compile: true` if that cannot be a program. */
  run(x: Tensor, y: Tensor, judge: Judge): boolean {
    const plan = this.planned((plans) => plans.batch, [x, y]);
    if (plan === undefined) this.eager(x, y, judge);
    else
      plan.run([x, y], (result) => {
        const [loss, output, norm] = result as readonly [Tensor, Tensor, Tensor | undefined];
        judge.batch(loss, output);
        if (norm !== undefined) judge.gradients(norm);
      });
    if (this.accumulation === undefined) return true;
    this.pending = { batches: this.pending.batches + 1, examples: this.pending.examples + x.shape[0] };
    return this.pending.batches >= this.parts.accumulate && this.finish(judge);
  }

  /** Takes the optimizer's step for batches that wait for one; answers whether there were any. */
  finish(judge: Judge): boolean {
    if (this.pending.batches === 0) return false;
    const share = tensor(1 / this.pending.examples, { dtype: "float64" });
    const plan = this.planned((plans) => plans.step, [share]);
    if (plan !== undefined) {
      plan.run([share], (result) => {
        if (this.parts.clip !== undefined) judge.gradients((result as readonly Tensor[])[0]);
      });
    } else {
      const norm = this.given(share);
      if (norm !== undefined) judge.gradients(norm);
      this.stepped();
    }
    this.pending = { batches: 0, examples: 0 };
    return true;
  }

  /** Forgets batches that wait for a step. */
  drop(): void {
    this.pending = { batches: 0, examples: 0 };
    this.accumulation?.clear();
  }

  dispose(): void {
    this.forget();
    this.accumulation?.dispose();
  }

  /** Drops the programs. */
  private forget(): void {
    this.plans?.batch.dispose();
    this.plans?.step.dispose();
  }

  /** Mean gradients of the batches that wait, clipped. */
  private given(share: Tensor): Tensor | undefined {
    this.parts.optimizer.zeroGrad();
    this.accumulation?.give(share);
    return this.parts.clip?.apply(this.parameters);
  }

  private stepped(): void {
    this.parts.optimizer.step();
    this.parts.average?.update();
    this.accumulation?.clear();
  }

  private differentiated(x: Tensor, y: Tensor): [loss: Tensor, output: Tensor] {
    const { model, loss, optimizer } = this.parts;
    optimizer.zeroGrad();
    const output = model.forward(x);
    const value = checkedLoss("fit", loss(output, y));
    backward(value);
    return [value, output];
  }

  private traceable(): { readonly batch: Plans; readonly step: Plans } {
    const { clip } = this.parts;
    const batch = new Plans((x, y) => {
      const [value, output] = this.differentiated(x as Tensor, y as Tensor);
      if (this.accumulation !== undefined) {
        this.accumulation.add((x as Tensor).shape[0]);
        return [value, output] as Tree;
      }
      const norm = clip?.apply(this.parameters);
      this.stepped();
      return (norm === undefined ? [value, output] : [value, output, norm]) as Tree;
    });
    const step = new Plans((share) => {
      const norm = this.given(share as Tensor);
      this.stepped();
      // a program answers something
      return [norm ?? share] as Tree;
    });
    return { batch, step };
  }

  /** The plan for arguments; undefined where they run op by op. */
  private planned(which: (plans: { readonly batch: Plans; readonly step: Plans }) => Plans, xs: readonly Tensor[]): Plan | undefined {
    // an anomaly is looked for after each op
    if (this.plans === undefined || isWatching()) return undefined;
    const state = switches(this.parts.model);
    if (state.length !== this.state.length || state.some((on, i) => on !== this.state[i])) {
      this.forget();
      this.state = state;
    }
    for (const t of xs) t.alive("fit");
    const plans = which(this.plans);
    if (plans.size >= MOST_SHAPES && !plans.has(xs)) return undefined;
    try {
      return plans.planFor(xs);
    } catch (error) {
      if (!(error instanceof Untraceable) || this.parts.compile) throw error;
      console.warn(`fit: the step runs op by op, as it cannot be compiled: ${error.message}; compile: false says so without this line`);
      this.forget();
      this.plans = undefined;
      return undefined;
    }
  }

  private eager(x: Tensor, y: Tensor, judge: Judge): void {
    const { clip } = this.parts;
    allOrNothing(() => {
      const [value, output] = this.differentiated(x, y);
      judge.batch(value, output);
      if (this.accumulation !== undefined) return;
      const norm = clip?.apply(this.parameters);
      if (norm !== undefined) judge.gradients(norm);
    });
    if (this.accumulation !== undefined) this.accumulation.add(x.shape[0]);
    else this.stepped();
  }
}

/** What decides about a step beside shapes: which modules train, and which of their tensors want gradients. */
function switches(module: AnyModule, found: boolean[] = []): boolean[] {
  found.push(module.training);
  for (const name in module) {
    const value: unknown = module[name as keyof AnyModule];
    if (value instanceof Tensor) found.push(value.requiresGrad);
  }
  for (const [, child] of module.children()) switches(child, found);
  return found;
}

/** Throws ConfigError unless a loss function answered a tensor of one element. */
export function checkedLoss(name: string, loss: Tensor): Tensor {
  if (loss instanceof Tensor && loss.size === 1) return loss;
  throw new ConfigError(`${name}: expected a loss of one element; got ${loss instanceof Tensor ? loss.describe() : showValue(loss)}`);
}
