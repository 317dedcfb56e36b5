// Arithmetic of two tensors, or of a tensor and a number, with NumPy's broadcasting.
import { ConfigError, DtypeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, op } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "./checks.js";
import { binary, holds, type Operand, withScalars } from "./operands.js";
import { anyBroadcast } from "./samples.js";
import { neg } from "./unary.js";

export interface AlphaOptions {
  /** Factor of b; 1 by default. */
  alpha?: number;
}

/** alpha b; throws ConfigError unless alpha is a number, DtypeError if the dtype of the operands cannot hold it. */
function scaled(name: string, a: Operand, b: Operand, options: AlphaOptions): Operand {
  const { alpha = 1 } = checkedOptions(name, options, ["alpha"]);
  if (typeof alpha !== "number") throw new ConfigError(`${name}: expected a number for alpha; got ${showValue(alpha)}`);
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : "float32";
  if (!holds(dtype, alpha)) throw new DtypeError(`${name}: expected an alpha that ${dtype} holds; got ${alpha}; convert the tensors with .to("float32")`);
  if (alpha === 1) return b;
  return typeof b === "number" ? b * alpha : mul(b, alpha);
}

/** Sum: a + b, or a + alpha b; of int32 modulo 2^32. Throws ConfigError, DtypeError for an alpha that int32 cannot hold. */
export function add(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  if (options !== undefined) return scope(() => add(a, scaled("add", a, b, options)));
  return withScalars("add", a, b, (p, q) => apply(addOp, { a: p, b: q }));
}
const addOp = op({
  ...binary("add", "add", "addInt32"),
  saves: [],
  vjp: (dy) => ({ a: () => dy, b: () => dy }),
  samples: [anyBroadcast()],
});

/** Difference: a - b, or a - alpha b; else as add. */
export function sub(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  if (options !== undefined) return scope(() => sub(a, scaled("sub", a, b, options)));
  return withScalars("sub", a, b, (p, q) => apply(subOp, { a: p, b: q }));
}
const subOp = op({
  ...binary("sub", "sub", "subInt32"),
  saves: [],
  vjp: (dy) => ({ a: () => dy, b: () => neg(dy) }),
  samples: [anyBroadcast()],
});

/** Product: a b; of int32 modulo 2^32. */
export function mul(a: Operand, b: Operand): Tensor {
  return withScalars("mul", a, b, (p, q) => apply(mulOp, { a: p, b: q }));
}
const mulOp = op({
  ...binary("mul", "mul", "mulInt32"),
  saves: ["a", "b"],
  vjp: (dy, { a, b }) => ({ a: () => mul(dy, b), b: () => mul(dy, a) }),
  samples: [anyBroadcast()],
});

/** Quotient: a / b, or rounded by the option roundingMode, "trunc" or "floor" (quotient.ts). Throws DtypeError for int32 that is not rounded. */
export function div(a: Operand, b: Operand): Tensor {
  return withScalars("div", a, b, (p, q) => apply(divOp, { a: p, b: q }));
}
const divOp = op({
  ...binary("div", "div"),
  saves: ["b", "y"],
  vjp: (dy, { b, y }) => ({ a: () => div(dy, b), b: () => neg(div(mul(dy, y), b)) }),
  samples: [anyBroadcast({}, { away: 0.5 })],
});
