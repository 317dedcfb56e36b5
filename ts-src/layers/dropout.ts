// Dropout as a layer.
import type { Tensor } from "../../bindings/tensor.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";
import { dropout } from "../ops/dropout.js";
import { Module } from "./module.js";

/**
 * Dropout (Srivastava et al. 2014): in training each element 0 with probability p, else x / (1 - p); in eval() x itself.
 * p, 0.5 by default, is a number or stands in { p }. Throws ConfigError for p outside 0..1.
 */
export class Dropout extends Module {
  readonly p: number;

  constructor(p: number | { p?: number } = 0.5) {
    super();
    const { p: probability = 0.5 } = typeof p === "number" ? { p } : checkedOptions("Dropout", p, ["p"]);
    this.p = checkedNumber("Dropout", "p", probability, 0, 1);
  }

  forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? dropout(x, { p: this.p }) : x;
  }
}
