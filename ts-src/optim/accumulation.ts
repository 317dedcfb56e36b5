// Gradients of several batches for one step of the optimizer: sums weighted by examples, so that k batches make the step of one
// large batch, also where their sizes differ.

import { kernelsOf } from "../../bindings/kernels.js";
import { anchor, keep } from "../../bindings/lifetime.js";
import { dividedElements } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import { change } from "../../bindings/trace.js";
import { mul } from "../ops/binary.js";
import { clone, to } from "../ops/convert.js";
import { zeros } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { Cells } from "./cells.js";

/** An element of a sum. */
const FLOPS = 4;

export class Accumulation {
  private readonly parameters: readonly Tensor[];
  /** Of each parameter that ever got a gradient. */
  private readonly sums = new Map<Tensor, Tensor>();
  /** Those that got one since the last step, and before it: a program is traced once, and adds to the same ones from then on. */
  private added = new Set<Tensor>();
  private addedBefore = new Set<Tensor>();
  /** Of batches of so many examples: the cells of the kernel of SGD (steps, lr, decay, sign), whose step of -n adds n times the gradient. */
  private readonly cells = new Map<number, Cells>();

  constructor(parameters: readonly Tensor[]) {
    this.parameters = parameters;
  }

  /** Adds the gradients of a batch, which are means over so many examples. */
  add(examples: number): void {
    let cells = this.cells.get(examples);
    if (cells === undefined) {
      cells = new Cells(4);
      cells.set(0, [0, -examples, 0, 1]);
      this.cells.set(examples, cells);
    }
    const { tensor } = cells;
    for (const p of this.parameters) {
      if (p.grad === undefined) continue;
      this.added.add(p);
      const sum = this.sums.get(p) ?? keep(zeros(p.shape, { dtype: p.dtype }));
      this.sums.set(p, sum);
      change({
        name: "accumulate",
        tensors: { sum, gradient: p.grad.contiguous ? p.grad : clone(p.grad), cells: tensor },
        writes: ["sum"],
        run(t) {
          dividedElements({ writes: [t.sum], reads: [t.gradient], shared: [t.cells] }, FLOPS, (k, [s, g], n) => k.sgd(s, g, t.cells.ptr, n));
        },
      });
    }
  }

  /** Gives the parameters their mean gradients; `share`, [] float64, is 1 / examples. */
  give(share: Tensor): void {
    noGrad(() => {
      for (const p of this.added.size > 0 ? this.added : this.addedBefore) anchor(mul(this.sums.get(p) as Tensor, to(share, p.dtype)), p);
    });
  }

  /** Begins anew. */
  clear(): void {
    if (this.added.size > 0) this.addedBefore = this.added;
    this.added = new Set();
    for (const sum of this.sums.values()) {
      change({ name: "accumulate", tensors: { sum }, writes: ["sum"], run: (t) => kernelsOf(sum.dtype).fill(t.sum.ptr, 0, sum.size) });
    }
  }

  dispose(): void {
    for (const t of [...this.sums.values(), ...[...this.cells.values()].map(({ tensor }) => tensor)]) t.dispose();
  }

  /** What it holds, by the number of the parameter: the tensors themselves. */
  get state(): Map<number, Tensor> {
    return new Map([...this.sums].map(([p, sum]) => [this.parameters.indexOf(p), sum]));
  }

  /** Takes sums from before; they are copied. */
  restore(sums: ReadonlyMap<number, Tensor>): void {
    for (const sum of this.sums.values()) sum.dispose();
    this.sums.clear();
    for (const [i, sum] of sums) this.sums.set(this.parameters[i], keep(clone(sum)));
    this.added = new Set(this.sums.keys());
  }
}
