// Averages of weights along the training, which often generalise better than the last ones.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { keep } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { dividedElements } from "../../bindings/split.js";
import { Tensor } from "../../bindings/tensor.js";
import { change } from "../../bindings/trace.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";
import { clone } from "../ops/convert.js";
import { zeros } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { copy_ } from "../ops/inplace.js";
import { Cells } from "./cells.js";

export interface AverageState {
  /** Updates so far. */
  n_averaged: number;
  /** The averages, in the order of the parameters. */
  averages: readonly Tensor[];
}

/** As in assembly/optim/average.ts. */
const [COUNT, RATE, CELLS] = [0, 1, 3];
const FLOPS = 3;

abstract class Average {
  readonly parameters: readonly Tensor[];
  private readonly name: string;
  private readonly averages: readonly Tensor[];
  private readonly cells: Cells;
  /** What the parameters were before swap(). */
  private aside: readonly Tensor[] | undefined;

  /** `rate`: the weight of new values, or 0 for that of a mean. */
  constructor(name: string, parameters: readonly Tensor[], rate: number) {
    this.name = name;
    if (
      !Array.isArray(parameters) ||
      parameters.length === 0 ||
      !parameters.every((p) => p instanceof Tensor && (p.dtype === "float32" || p.dtype === "float64"))
    )
      throw new ConfigError(`${name}: expected parameters of float32 or float64, such as model.parameters(); got ${showValue(parameters)}`);
    for (const p of parameters) {
      p.alive(name);
      if (!p.contiguous) throw new ShapeError(`${name}: expected contiguous parameters; got a view ${p.describe()}`);
    }
    this.parameters = [...parameters];
    this.averages = parameters.map(({ shape, dtype }) => keep(zeros(shape, { dtype })));
    this.cells = new Cells(CELLS);
    this.cells.set(RATE, [rate]);
  }

  /** Takes the parameters, as they are now, into the averages; the first time the averages become the parameters. */
  update(): void {
    const { cells, parameters, averages, name } = this;
    const before = (): void => {
      if (this.aside !== undefined)
        throw new ConfigError(`${name}: expected update() on the parameters of the training; got it after swap(); call restore() first`);
    };
    before();
    change({ name, tensors: { cells: cells.tensor }, writes: ["cells"], before, run: (t) => kernelsOf("float32").averageAdvance(t.cells.ptr) });
    for (const [i, p] of parameters.entries()) {
      p.alive(name);
      change({
        name,
        tensors: { average: averages[i], p, cells: cells.tensor },
        writes: ["average"],
        run: (t) => dividedElements({ writes: [t.average], reads: [t.p], shared: [t.cells] }, FLOPS, (k, [a, w], n) => k.average(a, w, t.cells.ptr, n)),
      });
    }
  }

  /** Puts the averages into the parameters, to evaluate with them; restore() puts back what was there. */
  swap(): void {
    if (this.aside !== undefined) throw new ConfigError(`${this.name}: expected swap() once; got it twice; call restore() first`);
    this.checkUpdated("swap");
    const aside = this.parameters.map((p) => keep(noGrad(() => clone(p))));
    this.copyTo();
    this.aside = aside;
  }

  /** Puts the parameters back that swap() put aside. */
  restore(): void {
    const { aside } = this;
    if (aside === undefined) throw new ConfigError(`${this.name}: expected restore() after swap(); got it before`);
    this.into(this.parameters, aside);
    for (const t of aside) t.dispose();
    this.aside = undefined;
  }

  /** Copies the averages into the parameters for good, or into others of the same shapes. Throws ConfigError before the first update. */
  copyTo(parameters: readonly Tensor[] = this.parameters): void {
    this.checkUpdated("copyTo");
    this.checkAlike("copyTo", parameters);
    this.into(parameters, this.averages);
  }

  private into(to: readonly Tensor[], from: readonly Tensor[]): void {
    noGrad(() => to.forEach((t, i) => void copy_(t, from[i])));
  }

  private checkUpdated(what: string): void {
    if (this.cells.read(COUNT) === 0) throw new ConfigError(`${this.name}: expected update() before ${what}(); got no update yet`);
  }

  private checkAlike(what: string, found: unknown): void {
    const { parameters, name } = this;
    if (!Array.isArray(found) || found.length !== parameters.length || !found.every((t) => t instanceof Tensor))
      throw new ConfigError(`${name}: expected ${parameters.length} tensors for ${what}; got ${Array.isArray(found) ? `${found.length}` : showValue(found)}`);
    for (const [i, t] of (found as Tensor[]).entries()) {
      t.alive(`${name}: ${what}`);
      const { shape, dtype } = parameters[i];
      if (!sameShape(t.shape, shape)) throw new ShapeError(`${name}: expected a tensor of shape ${showShape(shape)} for ${what}; got ${showShape(t.shape)}`);
      if (t.dtype !== dtype) throw new DtypeError(`${name}: expected a tensor of dtype ${dtype} for ${what}; got ${t.dtype}`);
    }
  }

  /** Count and averages; the tensors are those in use, not copies. */
  stateDict(): AverageState {
    return { n_averaged: this.cells.read(COUNT), averages: this.averages };
  }

  /** Takes count and averages over, copying them. Throws ConfigError, ShapeError or DtypeError if they do not fit; then nothing was changed. */
  loadStateDict(state: AverageState): void {
    const { n_averaged, averages }: Partial<AverageState> = state ?? {};
    if (!Number.isSafeInteger(n_averaged) || (n_averaged as number) < 0)
      throw new ConfigError(`${this.name}: expected a state { n_averaged, averages }, as stateDict() gives; got ${showValue(state)}`);
    this.checkAlike("averages", averages);
    this.into(this.averages, averages as readonly Tensor[]);
    this.cells.set(COUNT, [n_averaged as number]);
  }
}

/**
 * a = w at the first update(), then a = decay a + (1 - decay) w: the mean of about the last 1 / (1 - decay) updates (Polyak and Juditsky
 * 1992, with forgetting; Tarvainen and Valpola 2017, section 2). update() may stand behind optimizer.step() in a compiled step.
 * Throws ConfigError for a decay outside of 0 to below 1.
 */
export class ExponentialMovingAverage extends Average {
  constructor(parameters: readonly Tensor[], options: { decay?: number } = {}) {
    const name = "ExponentialMovingAverage";
    const { decay = 0.999 } = checkedOptions(name, options, ["decay"]);
    if (checkedNumber(name, "decay", decay, 0, 1) === 1) throw new ConfigError(`${name}: expected decay below 1; got 1`);
    super(name, parameters, 1 - decay);
  }
}

/**
 * a = mean of the parameters at all update()s (Polyak and Juditsky 1992; Izmailov et al. 2018, algorithm 1): for the end of a training
 * at a constant or cyclic rate, once an epoch or a cycle. Means and variances of a batch norm belong to the weights that were averaged: run
 * the training data through the model with the averages before it is used.
 */
export class StochasticWeightAverage extends Average {
  constructor(parameters: readonly Tensor[]) {
    super("StochasticWeightAverage", parameters, 0);
  }
}
