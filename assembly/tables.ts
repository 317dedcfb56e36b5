// Coefficients of the normalising functions and of the random numbers: entries of
// the table in constants.ts after those of the elementary functions.
import { constant, put } from "./constants";
import { K } from "./elementary/coefficients";

export const enum T {
  /** Rounds to an integer as C.magic does, with the exponent's bias added: its low bits shifted up are 2^n. */
  biasedMagic = K.end,
  /** Here 2^n has an exponent of 0 bits, which stands for 0. */
  zeroFrom,
  minusLn2,
  /** (pi/2)^k / k! from k = 1, with the signs of sine and cosine. */
  quarterTurn = T.minusLn2 + 1,
}

/** Writes the entries; a part of writeConstants(). */
export function writeTables(): void {
  if (sizeof<real>() == 4) {
    put(T.biasedMagic, 12583039); // 1.5 * 2^23 + 127
    put(T.zeroFrom, -88);
    put(T.minusLn2, -0.6931471805599453);
  } else {
    put(T.biasedMagic, 6755399441056767); // 1.5 * 2^52 + 1023
    put(T.zeroFrom, -709);
  }
  let term: f64 = 1;
  for (let k = 1; k <= 18; k++) {
    term *= 1.5707963267948966 / <f64>k;
    put(T.quarterTurn + k - 1, (k & 3) == 2 || (k & 3) == 3 ? -term : term);
  }
}

/** One Horner step. */
// @ts-ignore: decorator
@inline export function step(p: v128, x: v128, entry: i32): v128 {
  return madd(p, x, constant(entry));
}
