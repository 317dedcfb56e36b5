// Activation layers.
import type { Tensor } from "../../bindings/tensor.js";
import { relu } from "../ops/piecewise.js";
import { Module } from "./module.js";

/** y = max(x, 0). */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}
