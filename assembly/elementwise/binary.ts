// Arithmetic with broadcasting (arguments as in broadcast()), int32 modulo 2^32.
import { broadcast } from "./map";

class Add<T> { @inline vec(a: v128, b: v128): v128 { return v128.add<T>(a, b); } }
class Sub<T> { @inline vec(a: v128, b: v128): v128 { return v128.sub<T>(a, b); } }
class Mul<T> { @inline vec(a: v128, b: v128): v128 { return v128.mul<T>(a, b); } }
class Div { @inline vec(a: v128, b: v128): v128 { return v128.div<real>(a, b); } }

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
