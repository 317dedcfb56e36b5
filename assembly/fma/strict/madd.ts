/** a * b + c, rounded twice: the same bits on every engine and machine. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return v128.add<real>(v128.mul<real>(a, b), c);
}

/** c - a * b, rounded twice. */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  return v128.sub<real>(c, v128.mul<real>(a, b));
}

/** Whether madd is to be rounded once. */
// @ts-ignore: decorator
@inline
export function fused(): bool {
  return false;
}

/** Rows of a register tile: 8 sums, 2 vectors of B, a broadcast and the products that wait for their sum. */
// @ts-ignore: decorator
@inline
export function tileRows(): i32 {
  return 4;
}

/** The bytes of x that `bytes` names, each below 16: the same in every build. */
// @ts-ignore: decorator
@inline
export function pick(x: v128, bytes: v128): v128 {
  return i8x16.swizzle(x, bytes);
}
