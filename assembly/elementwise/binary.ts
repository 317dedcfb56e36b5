// Arithmetic with broadcasting (arguments as in broadcast()), int32 modulo 2^32, and the fused gradients of unary ops.
import { C, constant } from "../constants";
import { broadcast, zip } from "./map";

class Add<T> { @inline vec(a: v128, b: v128): v128 { return v128.add<T>(a, b); } }
class Sub<T> { @inline vec(a: v128, b: v128): v128 { return v128.sub<T>(a, b); } }
class Mul<T> { @inline vec(a: v128, b: v128): v128 { return v128.mul<T>(a, b); } }
class Div { @inline vec(a: v128, b: v128): v128 { return v128.div<real>(a, b); } }
/** dy y (1 - y). */
class SigmoidGrad {
  @inline vec(dy: v128, y: v128): v128 {
    return v128.mul<real>(dy, v128.mul<real>(y, v128.sub<real>(constant(C.one), y)));
  }
}
/** dy (1 - y^2). */
class TanhGrad {
  @inline vec(dy: v128, y: v128): v128 {
    return v128.mul<real>(dy, v128.sub<real>(constant(C.one), v128.mul<real>(y, y)));
  }
}

export function add(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Add<real>>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function sub(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Sub<real>>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function mul(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Mul<real>>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function div(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Div>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function addInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Add<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function subInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Sub<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function mulInt32(y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32): void {
  broadcast<Mul<i32>, i32>(y, a, b, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function sigmoidGrad(dx: usize, dy: usize, y: usize, n: i32): void { zip<SigmoidGrad>(dx, dy, y, n); }
export function tanhGrad(dx: usize, dy: usize, y: usize, n: i32): void { zip<TanhGrad>(dx, dy, y, n); }
