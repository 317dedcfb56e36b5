// Arithmetic of two tensors, or of a tensor and a number, with NumPy's broadcasting.
import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { binary, type Operand, withScalars } from "./operands.js";
import { anyBroadcast } from "./samples.js";
import { neg } from "./unary.js";

/** Sum: a + b; of int32 modulo 2^32. */
export function add(a: Operand, b: Operand): Tensor {
  return withScalars("add", a, b, (p, q) => apply(addOp, { a: p, b: q }));
}
const addOp = op({
  ...binary("add", "add", "addInt32"),
  saves: [],
  vjp: (dy) => ({ a: () => dy, b: () => dy }),
  samples: [anyBroadcast()],
});

/** Difference: a - b; of int32 modulo 2^32. */
export function sub(a: Operand, b: Operand): Tensor {
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

/** Quotient: a / b. Throws DtypeError for int32: convert to a float dtype first. */
export function div(a: Operand, b: Operand): Tensor {
  return withScalars("div", a, b, (p, q) => apply(divOp, { a: p, b: q }));
}
const divOp = op({
  ...binary("div", "div"),
  saves: ["b", "y"],
  vjp: (dy, { b, y }) => ({ a: () => div(dy, b), b: () => neg(div(mul(dy, y), b)) }),
  samples: [anyBroadcast({}, { away: 0.5 })],
});
