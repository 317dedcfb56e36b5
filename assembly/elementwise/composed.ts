// Two elementwise ops in one pass: y[i] = op(a[i], b[i], c[i]). Multiply and add are rounded apart in every build, so that the
// bits are those of the two ops. b and c are whole, or one number where their step is 0.
import { gather, mapWith, scatter, zip } from "./map";

class MulAdd { @inline vec(a: v128, b: v128, c: v128): v128 { return v128.add<real>(v128.mul<real>(a, b), c); } }
class MulSub { @inline vec(a: v128, b: v128, c: v128): v128 { return v128.sub<real>(v128.mul<real>(a, b), c); } }
class MulMul { @inline vec(a: v128, b: v128, c: v128): v128 { return v128.mul<real>(v128.mul<real>(a, b), c); } }
class AddMul { @inline vec(a: v128, b: v128, c: v128): v128 { return v128.mul<real>(v128.add<real>(a, b), c); } }
class SubMul { @inline vec(a: v128, b: v128, c: v128): v128 { return v128.mul<real>(v128.sub<real>(a, b), c); } }
class AddAdd { @inline vec(a: v128, b: v128, c: v128): v128 { return v128.add<real>(v128.add<real>(a, b), c); } }

/** The loop for whole b, c. */
// @ts-ignore: decorator
@inline function whole<Op>(y: usize, a: usize, b: usize, c: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 2 * lanes; n -= 2 * lanes, a += 32, b += 32, c += 32, y += 32) {
    v128.store(y, changetype<Op>(0).vec(v128.load(a), v128.load(b), v128.load(c)));
    v128.store(y, changetype<Op>(0).vec(v128.load(a, 16), v128.load(b, 16), v128.load(c, 16)), 16);
  }
  for (; n > 0; n -= lanes, a += 16, b += 16, c += 16, y += 16) scatter<real>(y, changetype<Op>(0).vec(gather<real>(a, 1, n), gather<real>(b, 1, n), gather<real>(c, 1, n)), n);
}

/** The loop for whole b and the number c in every lane. */
// @ts-ignore: decorator
@inline function last<Op>(y: usize, a: usize, b: usize, c: v128, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 2 * lanes; n -= 2 * lanes, a += 32, b += 32, y += 32) {
    v128.store(y, changetype<Op>(0).vec(v128.load(a), v128.load(b), c));
    v128.store(y, changetype<Op>(0).vec(v128.load(a, 16), v128.load(b, 16), c), 16);
  }
  for (; n > 0; n -= lanes, a += 16, b += 16, y += 16) scatter<real>(y, changetype<Op>(0).vec(gather<real>(a, 1, n), gather<real>(b, 1, n), c), n);
}

/** The loop for the number b in every lane and whole c. */
// @ts-ignore: decorator
@inline function middle<Op>(y: usize, a: usize, b: v128, c: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 2 * lanes; n -= 2 * lanes, a += 32, c += 32, y += 32) {
    v128.store(y, changetype<Op>(0).vec(v128.load(a), b, v128.load(c)));
    v128.store(y, changetype<Op>(0).vec(v128.load(a, 16), b, v128.load(c, 16)), 16);
  }
  for (; n > 0; n -= lanes, a += 16, c += 16, y += 16) scatter<real>(y, changetype<Op>(0).vec(gather<real>(a, 1, n), b, gather<real>(c, 1, n)), n);
}

// @ts-ignore: decorator
@inline function composed<Op>(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void {
  if (bStep && cStep) whole<Op>(y, a, b, c, n);
  else if (bStep) last<Op>(y, a, b, v128.load_splat<real>(c), n);
  else if (cStep) middle<Op>(y, a, v128.load_splat<real>(b), c, n);
  else mapWith<Op>(y, a, v128.load_splat<real>(b), v128.load_splat<real>(c), n);
}

export function mulAdd(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void { composed<MulAdd>(y, a, b, c, n, bStep, cStep); }
export function mulSub(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void { composed<MulSub>(y, a, b, c, n, bStep, cStep); }
export function mulMul(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void { composed<MulMul>(y, a, b, c, n, bStep, cStep); }
export function addMul(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void { composed<AddMul>(y, a, b, c, n, bStep, cStep); }
export function subMul(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void { composed<SubMul>(y, a, b, c, n, bStep, cStep); }
export function addAdd(y: usize, a: usize, b: usize, c: usize, n: i32, bStep: i32, cStep: i32): void { composed<AddAdd>(y, a, b, c, n, bStep, cStep); }

class AddRelu { @inline vec(a: v128, b: v128): v128 { return v128.pmax<real>(v128.add<real>(a, b), v128.splat<real>(0)); } }
class SubSquare {
  @inline vec(a: v128, b: v128): v128 {
    const d = v128.sub<real>(a, b);
    return v128.mul<real>(d, d);
  }
}
export function addRelu(y: usize, a: usize, b: usize, n: i32): void { zip<AddRelu>(y, a, b, n); }
export function subSquare(y: usize, a: usize, b: usize, n: i32): void { zip<SubSquare>(y, a, b, n); }
