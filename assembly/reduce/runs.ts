// Runs of elements reduced one output at a time.
import { CHUNK, bytesOf, first, gather, lanesOf, notNumber } from "./layout";

/** All lanes joined pairwise, (0, 2), (1, 3); in lane 0. */
// @ts-ignore: decorator
@inline function joinLanes<T, Op>(v: v128): v128 {
  v = changetype<Op>(0).join(v, v128.shuffle<u64>(v, v, 1, 0));
  return sizeof<T>() == 8 ? v : changetype<Op>(0).join(v, v128.shuffle<u32>(v, v, 1, 0, 3, 2));
}

function hasNaN<T>(x: usize, n: i32, stride: usize): bool {
  for (; n > 0; n--) {
    if (load<T>(x) != load<T>(x)) return true;
    x += stride;
  }
  return false;
}

/** One chunk of n elements `stride` bytes apart. */
// @ts-ignore: decorator
@inline function chunk<T, Op>(x: usize, m: v128, n: i32, stride: usize, unit: bool): f64 {
  const L = lanesOf<T>();
  const op = changetype<Op>(0);
  const step: usize = unit ? <usize>16 : stride * <usize>L;
  let s0 = v128.splat<T>(<T>op.identity()), s1 = s0, s2 = s0, s3 = s0;
  // a sum costs half of a comparison and an or; it is NaN where an element is, or where infinities meet
  let c0 = v128.splat<T>(0), c1 = c0;
  let i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    const x0 = unit ? v128.load(x, 0) : gather<T>(x, stride);
    const x1 = unit ? v128.load(x, 16) : gather<T>(x + step, stride);
    const x2 = unit ? v128.load(x, 32) : gather<T>(x + 2 * step, stride);
    const x3 = unit ? v128.load(x, 48) : gather<T>(x + 3 * step, stride);
    s0 = op.join(s0, op.map(x0, m));
    s1 = op.join(s1, op.map(x1, m));
    s2 = op.join(s2, op.map(x2, m));
    s3 = op.join(s3, op.map(x3, m));
    if (op.ordered()) {
      c0 = v128.add<T>(c0, v128.add<T>(x0, x1));
      c1 = v128.add<T>(c1, v128.add<T>(x2, x3));
    }
    x += 4 * step;
  }
  for (; i + L <= n; i += L) {
    const x0 = unit ? v128.load(x) : gather<T>(x, stride);
    s0 = op.join(s0, op.map(x0, m));
    if (op.ordered()) c0 = v128.add<T>(c0, x0);
    x += step;
  }
  let v = joinLanes<T, Op>(op.join(op.join(s0, s1), op.join(s2, s3)));
  for (; i < n; i++) {
    const x0 = v128.splat<T>(load<T>(x));
    v = op.join(v, op.map(x0, m));
    if (op.ordered()) c0 = v128.add<T>(c0, x0);
    x += stride;
  }
  if (op.ordered()) {
    if (v128.any_true(notNumber<T>(v128.add<T>(c0, c1))) && hasNaN<T>(x - <usize>n * stride, n, stride)) return NaN;
  }
  return first<T>(v);
}

function chunkUnit<T, Op>(x: usize, m: v128, n: i32): f64 {
  return chunk<T, Op>(x, m, n, sizeof<T>(), true);
}
function chunkStrided<T, Op>(x: usize, m: v128, n: i32, stride: usize): f64 {
  return chunk<T, Op>(x, m, n, stride, false);
}

/** One chunk, `stride` bytes apart. */
// @ts-ignore: decorator
@inline export function stridedChunk<T, Op>(x: usize, m: v128, n: i32, stride: usize): f64 {
  return chunkStrided<T, Op>(x, m, n, stride);
}

/** n1 runs of n elements reduced to one number. */
// @ts-ignore: decorator
@inline export function runs<T, Op>(x: usize, m: v128, n1: i32, n: i32, t1: i32, t: i32): f64 {
  const op = changetype<Op>(0);
  let total = op.identity();
  for (let j1 = 0; j1 < n1; j1++) {
    for (let start = 0; start < n; start += CHUNK) {
      const length = min(CHUNK, n - start);
      const p = x + bytesOf<T>(start * t);
      total = op.total(total, t == 1 ? chunkUnit<T, Op>(p, m, length) : chunkStrided<T, Op>(p, m, length, bytesOf<T>(t)));
    }
    x += bytesOf<T>(t1);
  }
  return total;
}
