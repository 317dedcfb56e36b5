// Modules one after the other.

import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { type AnyModule, Module } from "./module.js";

/** y = last(... first(x)); children are named 0, 1, ... Throws ConfigError for what is no module. */
export class Sequential extends Module {
  private readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    for (const [i, layer] of layers.entries()) {
      if (!(layer instanceof Module)) throw new ConfigError(`Sequential: expected a module at position ${i}; got ${showValue(layer)}`);
    }
    this.layers = layers;
  }

  override children(): [string, AnyModule][] {
    return this.layers.map((layer, i) => [String(i), layer]);
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers) y = layer.forward(y);
    return y;
  }
}
