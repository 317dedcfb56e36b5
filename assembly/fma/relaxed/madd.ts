/** a * b + c, rounded once where the machine has a fused instruction. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_madd<real>(a, b, c);
}

/** c - a * b, rounded once where the machine has a fused instruction. */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_nmadd<real>(a, b, c);
}

/** Whether madd is to be rounded once. */
// @ts-ignore: decorator
@inline
export function fused(): bool {
  return true;
}

/** Rows of a register tile: 12 sums, 2 vectors of B and a broadcast fill the 15 registers of V8. */
// @ts-ignore: decorator
@inline
export function tileRows(): i32 {
  return 6;
}

/** The bytes of x that `bytes` names, each below 16: the same in every build. */
// @ts-ignore: decorator
@inline
export function pick(x: v128, bytes: v128): v128 {
  return i8x16.relaxed_swizzle(x, bytes);
}
