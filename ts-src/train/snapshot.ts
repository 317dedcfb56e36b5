// Weights and statistics of a model, and the state of its optimizer, as they were.
import { keep, tensorsIn } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Module } from "../layers/module.js";
import { clone } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { copy_ } from "../ops/inplace.js";
import type { AverageState } from "../optim/averages.js";
import { Optimizer, type OptimizerState } from "../optim/optimizer.js";

type AnyState = OptimizerState<{ lr: number }>;

/** Its tensors by name, as a checkpoint holds them. */
export interface SnapshotTree {
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly optimizer: AnyState | undefined;
  readonly average: AverageState | undefined;
}

type Averaging = { stateDict(): AverageState; loadStateDict(state: AverageState): void };

/** The optimizer, if its state can be had. */
export function stateful(optimizer: unknown): Optimizer<{ lr: number }, unknown> | undefined {
  return optimizer instanceof Optimizer ? optimizer : undefined;
}

export class Snapshot {
  readonly tree: SnapshotTree;

  /** Takes over the tensors of a tree. */
  constructor(tree: SnapshotTree) {
    this.tree = tree;
  }

  static of(model: Module, optimizer?: unknown, averaging?: Averaging): Snapshot {
    const weights = Object.fromEntries(Object.entries(model.stateDict()).map(([name, t]) => [name, copy(t)]));
    const averaged = averaging?.stateDict();
    const average = averaged && { n_averaged: averaged.n_averaged, averages: averaged.averages.map(copy) };
    const own = stateful(optimizer)?.stateDict();
    if (own === undefined) return new Snapshot({ weights, optimizer: undefined, average });
    const state: AnyState["state"] = {};
    for (const [i, values] of Object.entries(own.state)) {
      state[Number(i)] = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? value : copy(value)]));
    }
    return new Snapshot({ weights, optimizer: { state, paramGroups: own.paramGroups }, average });
  }

  /** `settings`: whether the optimizer's too are those of then; a schedule goes on from those of now. */
  restore(model: Module, { optimizer, average, settings = false }: { optimizer?: unknown; average?: Averaging; settings?: boolean } = {}): void {
    const now = model.stateDict();
    noGrad(() => {
      for (const [name, weight] of Object.entries(this.tree.weights)) copy_(now[name], weight);
    });
    const own = stateful(optimizer);
    if (this.tree.optimizer !== undefined) own?.loadStateDict(settings ? this.tree.optimizer : { ...own.stateDict(), state: this.tree.optimizer.state });
    if (this.tree.average !== undefined) average?.loadStateDict(this.tree.average);
  }

  dispose(): void {
    for (const t of tensorsIn(this.tree)) t.dispose();
  }
}

function copy(t: Tensor): Tensor {
  return noGrad(() => keep(clone(t)));
}
