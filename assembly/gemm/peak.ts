// The ceiling that products are compared with: twelve independent chains of madd, 12 * LANES * 2 operations an iteration.
import { sumLanes } from "../vector";

/**
 * Runs n iterations of c += b c, b about -1 / n so that no chain overflows or vanishes, and returns the sum of the chains.
 * b comes from a loop because V8 moves a value that it can compute anew into the loop that uses it: that took a fifth of the rate.
 * The chain is also the addend, which the fused instruction overwrites: any other addend costs a move.
 */
export function fmaPeak(n: i32): real {
  let b = v128.splat<real>(-1);
  for (let i = n; i > 1; i >>= 1) b = v128.mul<real>(b, v128.splat<real>(0.5));
  let c0 = v128.splat<real>(1), c1 = v128.splat<real>(2), c2 = v128.splat<real>(3), c3 = v128.splat<real>(4);
  let c4 = v128.splat<real>(5), c5 = v128.splat<real>(6), c6 = v128.splat<real>(7), c7 = v128.splat<real>(8);
  let c8 = v128.splat<real>(9), c9 = v128.splat<real>(10), c10 = v128.splat<real>(11), c11 = v128.splat<real>(12);
  for (let i = 0; i < n; i++) {
    c0 = madd(b, c0, c0);
    c1 = madd(b, c1, c1);
    c2 = madd(b, c2, c2);
    c3 = madd(b, c3, c3);
    c4 = madd(b, c4, c4);
    c5 = madd(b, c5, c5);
    c6 = madd(b, c6, c6);
    c7 = madd(b, c7, c7);
    c8 = madd(b, c8, c8);
    c9 = madd(b, c9, c9);
    c10 = madd(b, c10, c10);
    c11 = madd(b, c11, c11);
  }
  const d0 = v128.add<real>(c0, c1), d1 = v128.add<real>(c2, c3), d2 = v128.add<real>(c4, c5);
  const d3 = v128.add<real>(c6, c7), d4 = v128.add<real>(c8, c9), d5 = v128.add<real>(c10, c11);
  return sumLanes(v128.add<real>(v128.add<real>(v128.add<real>(d0, d1), v128.add<real>(d2, d3)), v128.add<real>(d4, d5)));
}
