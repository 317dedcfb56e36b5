// What fit() does with gradients before the optimizer's step.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";
import { clipGradAdaptive, clipGradNorm, clipGradValue } from "../optim/clip.js";

export interface ClippingOptions {
  /** Most that the norm of all gradients may be: they are scaled, and keep their direction (Pascanu et al. 2013). */
  norm?: number;
  /** Most that an element of a gradient may be. */
  value?: number;
  /** Most that a unit's gradient may be of its weights, such as 0.01: clipGradAdaptive() (Brock et al. 2021). */
  adaptive?: number;
  /**
   * What gradients do whose norm is not finite: "error" (default) ends training with a NumericError, "skip" leaves the step out. In
   * both cases weights and optimizer stay as they are, and statistics too unless the step was to be made of several batches.
   */
  nonFinite?: "error" | "skip";
}

export interface Clipping {
  readonly skips: boolean;
  /** Clips the gradients of parameters; answers their norm before, []. */
  apply(parameters: readonly Tensor[]): Tensor;
}

/** Throws ConfigError for options that cannot be; a number is the largest norm. */
export function checkedClipping(options: number | ClippingOptions): Clipping {
  const name = "fit: clip";
  const given = typeof options === "number" ? { norm: options } : options;
  const { norm, value, adaptive, nonFinite = "error" } = checkedOptions(name, given, ["norm", "value", "adaptive", "nonFinite"]);
  const most = checkedNumber(name, "norm", norm ?? Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, true);
  for (const [option, most] of Object.entries({ value, adaptive })) {
    if (most !== undefined) checkedNumber(name, option, most, 0, Number.POSITIVE_INFINITY, true);
  }
  if (nonFinite !== "error" && nonFinite !== "skip") throw new ConfigError(`${name}: expected nonFinite "error" or "skip"; got ${showValue(nonFinite)}`);
  return {
    skips: nonFinite === "skip",
    apply(parameters) {
      const total = clipGradNorm(parameters, most);
      if (value !== undefined) clipGradValue(parameters, value);
      if (adaptive !== undefined) clipGradAdaptive(parameters, { clipping: adaptive });
      return total;
    },
  };
}
