// What engine.ts reduces with: classes without fields.
//   identity(): f64    what an empty reduction gives
//   centred(): bool    whether map reads m
//   map(x, m): v128    applied to each element first; m is the centre of its output
//   join(a, b): v128   joins lanes
//   ordered(): bool    join is a comparison that loses NaN, which the engine then tracks
//   total(a, b): f64   joins chunks
import { expNegative } from "../softmax";

export class Sum<T> {
  @inline identity(): f64 { return 0; }
  @inline ordered(): bool { return false; }
  @inline centred(): bool { return false; }
  @inline map(x: v128, m: v128): v128 { return x; }
  @inline join(a: v128, b: v128): v128 { return v128.add<T>(a, b); }
  /** Integers wrap. */
  @inline total(a: f64, b: f64): f64 { return isInteger<T>() ? <f64><i32><i64>(a + b) : a + b; }
}
export class SumSquares {
  @inline identity(): f64 { return 0; }
  @inline ordered(): bool { return false; }
  @inline centred(): bool { return false; }
  @inline map(x: v128, m: v128): v128 { return v128.mul<real>(x, x); }
  @inline join(a: v128, b: v128): v128 { return v128.add<real>(a, b); }
  @inline total(a: f64, b: f64): f64 { return a + b; }
}
export class Prod<T> {
  @inline identity(): f64 { return 1; }
  @inline ordered(): bool { return false; }
  @inline centred(): bool { return false; }
  @inline map(x: v128, m: v128): v128 { return x; }
  @inline join(a: v128, b: v128): v128 { return v128.mul<T>(a, b); }
  /** Integers wrap. */
  @inline total(a: f64, b: f64): f64 { return isInteger<T>() ? <f64>(<i32>a * <i32>b) : a * b; }
}
/** pmax(a, b) = a < b ? b : a is one machine instruction, where max, which keeps NaN, is eight. */
export class Max<T> {
  @inline identity(): f64 { return -Infinity; }
  @inline ordered(): bool { return isFloat<T>(); }
  @inline centred(): bool { return false; }
  @inline map(x: v128, m: v128): v128 { return x; }
  @inline join(a: v128, b: v128): v128 { return isFloat<T>() ? v128.pmax<T>(a, b) : v128.max<T>(a, b); }
  @inline total(a: f64, b: f64): f64 { return max(a, b); }
}
export class Min<T> {
  @inline identity(): f64 { return Infinity; }
  @inline ordered(): bool { return isFloat<T>(); }
  @inline centred(): bool { return false; }
  @inline map(x: v128, m: v128): v128 { return x; }
  @inline join(a: v128, b: v128): v128 { return isFloat<T>() ? v128.pmin<T>(a, b) : v128.min<T>(a, b); }
  @inline total(a: f64, b: f64): f64 { return min(a, b); }
}

/** x - m. */
export class Centred {
  @inline identity(): f64 { return 0; }
  @inline ordered(): bool { return false; }
  @inline centred(): bool { return true; }
  @inline map(x: v128, m: v128): v128 { return v128.sub<real>(x, m); }
  @inline join(a: v128, b: v128): v128 { return v128.add<real>(a, b); }
  @inline total(a: f64, b: f64): f64 { return a + b; }
}
/** (x - m)^2. */
export class CentredSquares {
  @inline identity(): f64 { return 0; }
  @inline ordered(): bool { return false; }
  @inline centred(): bool { return true; }
  @inline map(x: v128, m: v128): v128 {
    const d = v128.sub<real>(x, m);
    return v128.mul<real>(d, d);
  }
  @inline join(a: v128, b: v128): v128 { return v128.add<real>(a, b); }
  @inline total(a: f64, b: f64): f64 { return a + b; }
}
/** e^(x - m) for x <= m. */
export class SumExp {
  @inline identity(): f64 { return 0; }
  @inline ordered(): bool { return false; }
  @inline centred(): bool { return true; }
  @inline map(x: v128, m: v128): v128 { return expNegative(v128.sub<real>(x, m)); }
  @inline join(a: v128, b: v128): v128 { return v128.add<real>(a, b); }
  @inline total(a: f64, b: f64): f64 { return a + b; }
}
