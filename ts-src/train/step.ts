// One step of fit(): forward, loss, backward and optimizer as one program, or op by op.

import { isWatching } from "../../bindings/anomaly.js";
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { allOrNothing, Untraceable } from "../../bindings/trace.js";
import { Plans } from "../graph/compile.js";
import type { Plan } from "../graph/plan.js";
import type { Module } from "../layers/module.js";
import { backward } from "../ops/reverse.js";
import type { Tree } from "../ops/tree.js";
import { Optimizer } from "../optim/optimizer.js";

/** Sees loss and output of a step before it changes weights or statistics; if it throws, they stay. */
export type Judge = (loss: Tensor, output: Tensor) => void;

interface Parts {
  readonly model: Module;
  readonly loss: (output: Tensor, target: Tensor) => Tensor;
  readonly optimizer: { step(): void; zeroGrad(): void };
  /** undefined: as a program where that can be, with an optimizer of this package. */
  readonly compile: boolean | undefined;
}

/** Shapes of batches that have a program of their own, whose memory stays until training ends; a batch of any other runs op by op. */
const MOST_SHAPES = 8;

export class Step {
  private readonly parts: Parts;
  private plans: Plans | undefined;
  /** What in the model the plans were traced for. */
  private state: readonly boolean[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
    // what an optimizer of one's own counts in JavaScript, a program would not
    if (parts.compile ?? parts.optimizer instanceof Optimizer) this.plans = this.traceable();
  }

  /** Throws ConfigError with `compile: true` if the step cannot be a program. */
  run(x: Tensor, y: Tensor, judge: Judge): void {
    const plan = this.planFor(x, y);
    if (plan === undefined) this.eager(x, y, judge);
    else plan.run([x, y], (result) => judge(...(result as readonly [Tensor, Tensor])));
  }

  dispose(): void {
    this.plans?.dispose();
  }

  private traceable(): Plans {
    const { model, loss, optimizer } = this.parts;
    return new Plans((x, y) => {
      optimizer.zeroGrad();
      const output = model.forward(x as Tensor);
      const value = checkedLoss("fit", loss(output, y as Tensor));
      backward(value);
      optimizer.step();
      return [value, output] as Tree;
    });
  }

  /** The plan for a batch; undefined where the step runs op by op. */
  private planFor(x: Tensor, y: Tensor): Plan | undefined {
    // an anomaly is looked for after each op
    if (this.plans === undefined || isWatching()) return undefined;
    const state = switches(this.parts.model);
    if (state.length !== this.state.length || state.some((on, i) => on !== this.state[i])) {
      this.plans.dispose();
      this.state = state;
    }
    for (const t of [x, y]) t.alive("fit");
    if (this.plans.size >= MOST_SHAPES && !this.plans.has([x, y])) return undefined;
    try {
      return this.plans.planFor([x, y]);
    } catch (error) {
      if (!(error instanceof Untraceable) || this.parts.compile) throw error;
      console.warn(`fit: the step runs op by op, as it cannot be compiled: ${error.message}; compile: false says so without this line`);
      this.plans.dispose();
      this.plans = undefined;
      return undefined;
    }
  }

  private eager(x: Tensor, y: Tensor, judge: Judge): void {
    const { model, loss, optimizer } = this.parts;
    allOrNothing(() => {
      const output = model.forward(x);
      const value = checkedLoss("fit", loss(output, y));
      judge(value, output);
      optimizer.zeroGrad();
      backward(value);
    });
    optimizer.step();
  }
}

/** What decides about a step beside shapes: which modules train, and which of their tensors want gradients. */
function switches(module: Module, found: boolean[] = []): boolean[] {
  found.push(module.training);
  for (const name in module) {
    const value: unknown = module[name as keyof Module];
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
