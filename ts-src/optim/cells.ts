// Numbers in memory that kernels read and change.

import { keep } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import type { Tensor } from "../../bindings/tensor.js";
import { zeros } from "../ops/create.js";

/** Memory cells (f64) that a kernel reads its settings from. */
export class Cells {
  readonly tensor: Tensor;

  constructor(n: number) {
    this.tensor = keep(zeros([n], { dtype: "float64" }));
  }

  set(first: number, values: ArrayLike<number>): void {
    view(this.tensor.ptr + first * 8, values.length, "float64").set(values);
  }

  /** What a cell holds now, which a kernel may have changed. */
  read(i: number): number {
    return view(this.tensor.ptr + i * 8, 1, "float64")[0];
  }
}
