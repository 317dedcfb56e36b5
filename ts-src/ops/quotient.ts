// Quotients, rounded if that is asked for.
import { ConfigError, NumericError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { div as exactly, sub } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { eq, lt, ne } from "./compare.js";
import { to } from "./convert.js";
import { logicalAnd } from "./logic.js";
import { type Operand, withScalars } from "./operands.js";
import { fmod, remainder, round, trunc } from "./rounding.js";
import { where } from "./select.js";

export interface DivOptions {
  /** "trunc" rounds towards zero, "floor" down, with a derivative of 0; null (default) does not round. */
  roundingMode?: "trunc" | "floor" | null;
}

/**
 * Quotient: a / b. With roundingMode "floor" it is (a - remainder(a, b)) / b, exact where a / b would round up; int32 stays
 * int32 then (-2^31 / -1 is 2^31 - 1). Throws DtypeError for int32 that is not rounded: convert to a float dtype first;
 * NumericError for int32 b = 0, ConfigError for another mode. As torch.div.
 */
export function div(a: Operand, b: Operand, options?: DivOptions): Tensor {
  const mode = options === undefined ? null : (checkedOptions("div", options, ["roundingMode"]).roundingMode ?? null);
  if (mode === null) return exactly(a, b);
  if (mode !== "trunc" && mode !== "floor") throw new ConfigError(`div: expected roundingMode "trunc", "floor" or null; got ${showValue(mode)}`);
  return scope(() => withScalars("div", a, b, (p, q) => (p.dtype === "int32" ? whole(p, q, mode) : mode === "trunc" ? trunc(exactly(p, q)) : floored(p, q))));
}

/** Of int32, in double precision, where the difference and the quotient are exact. */
function whole(a: Tensor, b: Tensor, mode: "trunc" | "floor"): Tensor {
  const rest = remains(a, b, mode);
  return to(exactly(sub(to(a, "float64"), to(rest, "float64")), to(b, "float64")), "int32");
}

function remains(a: Tensor, b: Tensor, mode: "trunc" | "floor"): Tensor {
  try {
    return mode === "trunc" ? fmod(a, b) : remainder(a, b);
  } catch (error) {
    // the user called div
    if (error instanceof NumericError) throw new NumericError(error.message.replace(/^\w+/, "div"));
    throw error;
  }
}

/** As CPython divides (floatobject.c, float_floor_div): what fmod leaves is taken off first. */
function floored(a: Tensor, b: Tensor): Tensor {
  const rest = fmod(a, b);
  const below = logicalAnd(ne(rest, 0), ne(lt(b, 0), lt(rest, 0)));
  const quotient = round(sub(exactly(sub(a, rest), b), to(below, a.dtype)));
  return where(eq(b, 0), trunc(exactly(a, b)), quotient);
}
