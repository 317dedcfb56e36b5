// Reduction of huge arguments modulo pi/2 (Payne and Hanek 1983): with |x| = m 2^e, only those 192 bits of 2/pi are
// multiplied with m whose products are below 4 and above 2^-190; no f64 comes nearer to a multiple of pi/2 than 2^-62
// (Muller, Elementary Functions), so 64 bits of the remainder are left.
import { entryAddress } from "../constants";
import { K } from "./coefficients";

/** High 64 bits of a b. */
// @ts-ignore: decorator
@inline function mulHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  return a1 * b1 + (middle >> 32) + ((a0 * b1 + (middle & 0xffffffff)) >> 32);
}

/** 64 bits of 2/pi from bit `from`; the table begins with 64 zero bits. */
// @ts-ignore: decorator
@inline function bitsOfTwoOverPi(from: i32): u64 {
  const word = entryAddress(K.twoOverPiBits) + ((<usize>from >> 6) << 3);
  const shift = <u64>(from & 63);
  const high = load<u64>(word) << shift;
  return shift == 0 ? high : high | (load<u64>(word, 8) >> (64 - shift));
}

/** Lane 0: r, lane 1: n as an integer modulo 4, with x = n pi/2 + r, for finite |x| >= 2^-10. NaN if x is not finite. */
export function reduceHuge(x: f64): v128 {
  const bits = reinterpret<u64>(x);
  const biased = <i32>((bits >> 52) & 0x7ff);
  if (biased == 0x7ff) return f64x2.splat(NaN);
  const m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  const from = biased - 1075 - 2 + 64;
  const w2 = bitsOfTwoOverPi(from), w1 = bitsOfTwoOverPi(from + 64), w0 = bitsOfTwoOverPi(from + 128);
  // the low 192 bits of m (w2 w1 w0): 2 bits of n, then the fraction, of which the lowest word is dropped
  const carry = mulHigh(m, w0);
  let low = m * w1 + carry;
  let high = m * w2 + mulHigh(m, w1) + (low < carry ? 1 : 0);
  let n = <i64>((high + 0x2000000000000000) >> 62);
  high -= <u64>n << 62;
  const negative = <i64>high < 0;
  if (negative) {
    low = ~low + 1;
    high = ~high + (low == 0 ? 1 : 0);
  }
  let zeros = 64;
  let f = low;
  if (high != 0) {
    zeros = <i32>clz(high);
    f = zeros == 0 ? high : (high << <u64>zeros) | (low >> <u64>(64 - zeros));
  }
  // f 2^(-62 - zeros) is the fraction; times pi/2, which is 0xc90f... 2^-63
  const scale = reinterpret<f64>(<u64>(1023 - 61 - zeros) << 52);
  let r = <f64>mulHigh(f, 0xc90fdaa22168c234) * scale;
  if (negative) r = -r;
  if (<i64>bits < 0) {
    r = -r;
    n = -n;
  }
  return i64x2.replace_lane(f64x2.splat(r), 1, n & 3);
}
