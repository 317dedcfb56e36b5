// The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact and by its tanh approximation.

import { ConfigError } from "../../bindings/errors.js";
import { apply, op } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul, sub } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { exp } from "./exponential.js";
import { pairGrad } from "./fused.js";
import { sigmoid } from "./hyperbolic.js";
import { unary } from "./operands.js";
import { anyPair, anyShape } from "./samples.js";
import { square } from "./unary.js";

export interface GeluOptions {
  /** "none" (default): by the error function. "tanh": x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
  approximate?: "none" | "tanh";
}

/** x times the distribution function of the normal law: x (1 + erf(x / sqrt 2)) / 2. Throws ConfigError for an unknown option. */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkedOptions("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  if (approximate !== "none" && approximate !== "tanh") {
    throw new ConfigError(`gelu: expected approximate "none" or "tanh"; got ${showValue(approximate)}`);
  }
  return approximate === "none" ? apply(geluOp, { x }) : apply(geluTanhOp, { x });
}
const geluOp = op({
  ...unary("gelu", "gelu"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => geluGrad(dy, x) }),
  samples: [anyShape()],
});

function geluGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(geluGradOp, { dy, x });
}
/** dy (cdf(x) + x density(x)); its slope is density(x) (2 - x^2). */
const geluGradOp = op({
  ...pairGrad("geluGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({
    dy: () => geluGrad(g, x),
    x: () => {
      const z = square(x);
      const density = mul(exp(mul(z, -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(mul(g, dy), mul(density, sub(2, z)));
    },
  }),
  samples: [anyPair("x")],
});

/** gelu with approximate "tanh": x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
const geluTanhOp = op({
  ...unary("geluTanh", "geluTanh"),
  saves: ["x"],
  vjp: (dy, { x }) => ({ x: () => geluTanhGrad(dy, x) }),
  samples: [anyShape()],
});

function geluTanhGrad(dy: Tensor, x: Tensor): Tensor {
  return apply(geluTanhGradOp, { dy, x });
}
const K = 2 * Math.sqrt(2 / Math.PI);
const CUBE = 0.044715;
/**
 * dy (s + x s (1 - s) u'), s = sigmoid(u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3), as (1 + tanh(u / 2)) / 2 = s; its slope
 * is s (1 - s) (2 u' + x u'' + x (1 - 2 s) u'^2).
 */
const geluTanhGradOp = op({
  ...pairGrad("geluTanhGrad"),
  saves: ["dy", "x"],
  vjp: (g, { dy, x }) => ({
    dy: () => geluTanhGrad(g, x),
    x: () => {
      const z = square(x);
      const s = sigmoid(mul(x, add(mul(z, K * CUBE), K)));
      const slope = add(mul(z, 3 * K * CUBE), K);
      const bend = mul(z, 6 * K * CUBE); // x u''
      const curve = add(add(mul(slope, 2), bend), mul(mul(x, sub(1, mul(s, 2))), square(slope)));
      return mul(mul(g, dy), mul(mul(s, sub(1, s)), curve));
    },
  }),
  samples: [anyPair("x")],
});
