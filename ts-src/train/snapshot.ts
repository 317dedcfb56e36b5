// Weights and statistics of a model, and the state of its optimizer, as they were.
import { keep } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Module } from "../layers/module.js";
import { clone } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { copy_ } from "../ops/inplace.js";
import { Optimizer, type OptimizerState } from "../optim/optimizer.js";

type AnyState = OptimizerState<{ lr: number }>;

export class Snapshot {
  private readonly model: Module;
  private readonly optimizer: Optimizer<{ lr: number }, unknown> | undefined;
  private readonly weights: ReadonlyMap<string, Tensor>;
  private readonly state: AnyState | undefined;

  constructor(model: Module, optimizer: unknown) {
    this.model = model;
    this.optimizer = optimizer instanceof Optimizer ? optimizer : undefined;
    this.weights = copies(Object.entries(model.stateDict()));
    const own = this.optimizer?.stateDict();
    if (own === undefined) return;
    const state: AnyState["state"] = {};
    for (const [i, values] of Object.entries(own.state)) {
      state[Number(i)] = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? value : copy(value)]));
    }
    this.state = { state, paramGroups: own.paramGroups };
  }

  restore(): void {
    const now = this.model.stateDict();
    noGrad(() => {
      for (const [name, weight] of this.weights) copy_(now[name], weight);
    });
    if (this.state !== undefined) this.optimizer?.loadStateDict(this.state);
  }

  dispose(): void {
    for (const weight of this.weights.values()) weight.dispose();
    for (const values of Object.values(this.state?.state ?? {})) {
      for (const value of Object.values(values)) if (typeof value !== "number") value.dispose();
    }
  }
}

function copy(t: Tensor): Tensor {
  return noGrad(() => keep(clone(t)));
}

function copies(tensors: readonly (readonly [string, Tensor])[]): Map<string, Tensor> {
  return new Map(tensors.map(([name, t]) => [name, copy(t)]));
}
