import { apply, op } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { mul, sub } from "./binary.js";
import { eq, ge } from "./compare.js";
import { log } from "./exponential.js";
import { logicalAnd } from "./logic.js";
import { binaryWhole, type Operand, withScalars } from "./operands.js";
import { anyBroadcast } from "./samples.js";
import { where } from "./select.js";

const EXPONENTS = "exponents of int32 that are not negative; convert to a float dtype first";

/**
 * Power: a^b with broadcasting; special values as in C, so a^0 = 1, and NaN for a < 0 and b that is no integer.
 * int32 stays int32, modulo 2^32. The gradient of a is 0 where b = 0; that of b is 0 where a = 0 and b >= 0.
 * Throws NumericError for a negative exponent of int32, as NumPy does.
 */
export function pow(a: Operand, b: Operand): Tensor {
  return withScalars("pow", a, b, (p, q) => apply(powOp, { a: p, b: q }));
}
const powOp = op({
  ...binaryWhole("pow", "pow", "powInt32", EXPONENTS),
  saves: ["a", "b", "y"],
  vjp: (dy, { a, b, y }) => ({
    a: () => {
      // where b = 0 the exponent is 0, not -1: 0 times Infinity would be NaN in the next derivative
      const none = eq(b, 0);
      return where(none, 0, mul(dy, mul(b, pow(a, where(none, 0, sub(b, 1))))));
    },
    b: () => where(logicalAnd(eq(a, 0), ge(b, 0)), 0, mul(dy, mul(y, log(a)))),
  }),
  samples: [anyBroadcast({ low: 0.5, high: 3 })],
});
