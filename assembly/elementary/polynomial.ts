// Polynomials by Horner's rule: polynomialN(x, k) = c[k] + c[k + 1] x + ... + c[k + N - 1] x^(N-1), c the table's entries.
// One function a length: the compiler does not unroll loops.
import { constant } from "../constants";

// @ts-ignore: decorator
@inline function polynomial2(x: v128, k: i32): v128 {
  return madd(constant(k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial3(x: v128, k: i32): v128 {
  return madd(polynomial2(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial4(x: v128, k: i32): v128 {
  return madd(polynomial3(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial5(x: v128, k: i32): v128 {
  return madd(polynomial4(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial6(x: v128, k: i32): v128 {
  return madd(polynomial5(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial7(x: v128, k: i32): v128 {
  return madd(polynomial6(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial8(x: v128, k: i32): v128 {
  return madd(polynomial7(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial9(x: v128, k: i32): v128 {
  return madd(polynomial8(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial10(x: v128, k: i32): v128 {
  return madd(polynomial9(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial11(x: v128, k: i32): v128 {
  return madd(polynomial10(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial12(x: v128, k: i32): v128 {
  return madd(polynomial11(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial13(x: v128, k: i32): v128 {
  return madd(polynomial12(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial14(x: v128, k: i32): v128 {
  return madd(polynomial13(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial15(x: v128, k: i32): v128 {
  return madd(polynomial14(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial16(x: v128, k: i32): v128 {
  return madd(polynomial15(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline function polynomial17(x: v128, k: i32): v128 {
  return madd(polynomial16(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial18(x: v128, k: i32): v128 {
  return madd(polynomial17(x, k + 1), x, constant(k));
}
// @ts-ignore: decorator
@inline export function polynomial19(x: v128, k: i32): v128 {
  return madd(polynomial18(x, k + 1), x, constant(k));
}
