// Normalisation of the rows of x[rows, cols]: y = (x - mean) r w + b with r = 1 / sqrt(variance + eps); without `centred`
// the mean counts as 0 (root mean square). Row r holds cols / inner channels of `inner` neighbours and begins with channel
// (r mod groups) (cols / inner). Layer norm: groups 1, inner 1. Ba et al. 2016; Wu and He 2018; Zhang and Sennrich 2019.
import { Full, One } from "./lanes";
import { LANES, at, sumLanes } from "./vector";

/** Elements that are added in vectors of `real`; the sums of chunks are added in f64. */
// @ts-ignore: decorator
@inline const CHUNK: i32 = 4096;
/** Rows whose weight gradients are added before they join the total. */
// @ts-ignore: decorator
@inline const ROW_CHUNK: i32 = 256;

/** a */
export class Plain {
  @inline term<L>(a: usize, _b: usize, _c: usize, _m: v128): v128 { return changetype<L>(0).load(a); }
}
/** (a - m)^2 */
export class Squares {
  @inline term<L>(a: usize, _b: usize, _c: usize, m: v128): v128 {
    const d = v128.sub<real>(changetype<L>(0).load(a), m);
    return v128.mul<real>(d, d);
  }
}
/** a (b - m) */
export class Centred {
  @inline term<L>(a: usize, b: usize, _c: usize, m: v128): v128 {
    return v128.mul<real>(changetype<L>(0).load(a), v128.sub<real>(changetype<L>(0).load(b), m));
  }
}
/** Sum of Op's terms over n neighbours. */
export function total<Op>(a: usize, b: usize, c: usize, n: i32, m: real): f64 {
  const shift = v128.splat<real>(m);
  const op = changetype<Op>(0);
  let all: f64 = 0;
  for (let start = 0; start < n; start += CHUNK) {
    const end = min(n, start + CHUNK);
    let s0 = v128.splat<real>(0), s1 = s0, s2 = s0, s3 = s0;
    let i = start;
    for (; i + 4 * LANES <= end; i += 4 * LANES) {
      const j = at(i);
      s0 = v128.add<real>(s0, op.term<Full>(a + j, b + j, c + j, shift));
      s1 = v128.add<real>(s1, op.term<Full>(a + j + 16, b + j + 16, c + j + 16, shift));
      s2 = v128.add<real>(s2, op.term<Full>(a + j + 32, b + j + 32, c + j + 32, shift));
      s3 = v128.add<real>(s3, op.term<Full>(a + j + 48, b + j + 48, c + j + 48, shift));
    }
    for (; i + LANES <= end; i += LANES) s0 = v128.add<real>(s0, op.term<Full>(a + at(i), b + at(i), c + at(i), shift));
    let part = sumLanes(v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3)));
    for (; i < end; i++) part += v128.extract_lane<real>(op.term<One>(a + at(i), b + at(i), c + at(i), shift), 0);
    all += <f64>part;
  }
  return all;
}

/** As total<Plain> or total<Squares>, written out: it is a third of the time of a norm. */
// @ts-ignore: decorator
@inline function rowTotal(x: usize, n: i32, m: real, squares: bool): f64 {
  const shift = v128.splat<real>(m);
  let all: f64 = 0;
  for (let start = 0; start < n; start += CHUNK) {
    const end = min(n, start + CHUNK);
    let s0 = v128.splat<real>(0), s1 = s0, s2 = s0, s3 = s0;
    let i = start;
    for (; i + 4 * LANES <= end; i += 4 * LANES) {
      const p = x + at(i);
      if (squares) {
        const a = v128.sub<real>(v128.load(p, 0), shift), b = v128.sub<real>(v128.load(p, 16), shift);
        const c = v128.sub<real>(v128.load(p, 32), shift), d = v128.sub<real>(v128.load(p, 48), shift);
        s0 = madd(a, a, s0);
        s1 = madd(b, b, s1);
        s2 = madd(c, c, s2);
        s3 = madd(d, d, s3);
      } else {
        s0 = v128.add<real>(s0, v128.load(p, 0));
        s1 = v128.add<real>(s1, v128.load(p, 16));
        s2 = v128.add<real>(s2, v128.load(p, 32));
        s3 = v128.add<real>(s3, v128.load(p, 48));
      }
    }
    for (; i + LANES <= end; i += LANES) {
      const a = v128.sub<real>(v128.load(x + at(i)), shift);
      s0 = squares ? madd(a, a, s0) : v128.add<real>(s0, a);
    }
    let part = sumLanes(v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3)));
    for (; i < end; i++) {
      const a = load<real>(x + at(i)) - m;
      part += squares ? a * a : a;
    }
    all += <f64>part;
  }
  return all;
}

function meanOf(x: usize, cols: i32, centred: i32): real {
  return centred ? <real>(rowTotal(x, cols, 0, false) / <f64>cols) : 0;
}

function inverseDeviation(x: usize, cols: i32, m: real, eps: f64): f64 {
  return 1 / sqrt<f64>(rowTotal(x, cols, m, true) / <f64>cols + eps);
}

/** y = (x - m) r w + b; w and b move with x, or stay if `inner` > 1. */
export function layerNorm(
  y: usize, x: usize, w: usize, b: usize, rows: i32, cols: i32, groups: i32, inner: i32, eps: f64, centred: i32,
): void {
  const channels = cols / inner;
  for (let row = 0; row < rows; row++) {
    const m = meanOf(x, cols, centred);
    const r = <real>inverseDeviation(x, cols, m, eps);
    const first = (row % groups) * channels;
    const p = w + at(first), q = b + at(first);
    const shift = v128.splat<real>(m);
    if (inner == 1) {
      const factor = v128.splat<real>(r);
      let i = 0;
      for (; i + 4 * LANES <= cols; i += 4 * LANES) {
        const j = at(i);
        const u = x + j, v = y + j, c = p + j, d = q + j;
        const n0 = v128.mul<real>(v128.sub<real>(v128.load(u, 0), shift), factor);
        const n1 = v128.mul<real>(v128.sub<real>(v128.load(u, 16), shift), factor);
        const n2 = v128.mul<real>(v128.sub<real>(v128.load(u, 32), shift), factor);
        const n3 = v128.mul<real>(v128.sub<real>(v128.load(u, 48), shift), factor);
        v128.store(v, madd(n0, v128.load(c, 0), v128.load(d, 0)), 0);
        v128.store(v, madd(n1, v128.load(c, 16), v128.load(d, 16)), 16);
        v128.store(v, madd(n2, v128.load(c, 32), v128.load(d, 32)), 32);
        v128.store(v, madd(n3, v128.load(c, 48), v128.load(d, 48)), 48);
      }
      for (; i + LANES <= cols; i += LANES) {
        const normal = v128.mul<real>(v128.sub<real>(v128.load(x + at(i)), shift), factor);
        v128.store(y + at(i), madd(normal, v128.load(p + at(i)), v128.load(q + at(i))));
      }
      for (; i < cols; i++) store<real>(y + at(i), (load<real>(x + at(i)) - m) * r * load<real>(p + at(i)) + load<real>(q + at(i)));
      x += at(cols);
      y += at(cols);
    } else {
      for (let k = 0; k < channels; k++) {
        const scale = r * load<real>(p + at(k)), offset = load<real>(q + at(k));
        const factor = v128.splat<real>(scale), add = v128.splat<real>(offset);
        let i = 0;
        for (; i + LANES <= inner; i += LANES) v128.store(y + at(i), madd(v128.sub<real>(v128.load(x + at(i)), shift), factor, add));
        for (; i < inner; i++) store<real>(y + at(i), (load<real>(x + at(i)) - m) * scale + offset);
        x += at(inner);
        y += at(inner);
      }
    }
  }
}

/** dx = r (u - mean(u) - n mean(u n)) with u = dy w and n = (x - m) r; mean(u) counts as 0 without `centred`. */
export function layerNormGrad(
  dx: usize, dy: usize, x: usize, w: usize, rows: i32, cols: i32, groups: i32, inner: i32, eps: f64, centred: i32,
): void {
  const channels = cols / inner;
  for (let row = 0; row < rows; row++) {
    const m = meanOf(x, cols, centred);
    const r = inverseDeviation(x, cols, m, eps);
    const p = w + at((row % groups) * channels);
    let sum: f64 = 0, dot: f64 = 0;
    if (inner == 1) {
      const shift = v128.splat<real>(m);
      for (let start = 0; start < cols; start += CHUNK) {
        const end = min(cols, start + CHUNK);
        let s0 = v128.splat<real>(0), s1 = s0, d0 = s0, d1 = s0;
        let i = start;
        for (; i + 2 * LANES <= end; i += 2 * LANES) {
          const a = dy + at(i), b = p + at(i), c = x + at(i);
          const u0 = v128.mul<real>(v128.load(a, 0), v128.load(b, 0)), u1 = v128.mul<real>(v128.load(a, 16), v128.load(b, 16));
          s0 = v128.add<real>(s0, u0);
          s1 = v128.add<real>(s1, u1);
          d0 = madd(u0, v128.sub<real>(v128.load(c, 0), shift), d0);
          d1 = madd(u1, v128.sub<real>(v128.load(c, 16), shift), d1);
        }
        let part = sumLanes(v128.add<real>(s0, s1)), dots = sumLanes(v128.add<real>(d0, d1));
        for (; i < end; i++) {
          const u = load<real>(dy + at(i)) * load<real>(p + at(i));
          part += u;
          dots += u * (load<real>(x + at(i)) - m);
        }
        if (centred) sum += <f64>part;
        dot += <f64>dots;
      }
    } else {
      for (let k = 0; k < channels; k++) {
        const weight = <f64>load<real>(p + at(k));
        const j = at(k * inner);
        if (centred) sum += weight * total<Plain>(dy + j, x + j, x + j, inner, m);
        dot += weight * total<Centred>(dy + j, x + j, x + j, inner, m);
      }
    }
    const off = <real>(sum / <f64>cols), slope = <real>((r * r * dot) / <f64>cols), factor = <real>r;
    const o = v128.splat<real>(off), s = v128.splat<real>(slope), f = v128.splat<real>(factor), shift = v128.splat<real>(m);
    if (inner == 1) {
      let i = 0;
      for (; i + 2 * LANES <= cols; i += 2 * LANES) {
        const a = dy + at(i), b = p + at(i), c = x + at(i), to = dx + at(i);
        const u0 = v128.sub<real>(v128.mul<real>(v128.load(a, 0), v128.load(b, 0)), o);
        const u1 = v128.sub<real>(v128.mul<real>(v128.load(a, 16), v128.load(b, 16)), o);
        const x0 = v128.sub<real>(v128.load(c, 0), shift), x1 = v128.sub<real>(v128.load(c, 16), shift);
        v128.store(to, v128.mul<real>(f, nmadd(x0, s, u0)), 0);
        v128.store(to, v128.mul<real>(f, nmadd(x1, s, u1)), 16);
      }
      for (; i + LANES <= cols; i += LANES) {
        const u = v128.sub<real>(v128.mul<real>(v128.load(dy + at(i)), v128.load(p + at(i))), o);
        v128.store(dx + at(i), v128.mul<real>(f, nmadd(v128.sub<real>(v128.load(x + at(i)), shift), s, u)));
      }
      for (; i < cols; i++) {
        const u = load<real>(dy + at(i)) * load<real>(p + at(i)) - off;
        store<real>(dx + at(i), factor * (u - (load<real>(x + at(i)) - m) * slope));
      }
      x += at(cols);
      dy += at(cols);
      dx += at(cols);
    } else {
      for (let k = 0; k < channels; k++) {
        const weight = load<real>(p + at(k));
        const v = v128.splat<real>(weight);
        let i = 0;
        for (; i + LANES <= inner; i += LANES) {
          const u = v128.sub<real>(v128.mul<real>(v128.load(dy + at(i)), v), o);
          const back = v128.mul<real>(v128.sub<real>(v128.load(x + at(i)), shift), s);
          v128.store(dx + at(i), v128.mul<real>(f, v128.sub<real>(u, back)));
        }
        for (; i < inner; i++) {
          const u = load<real>(dy + at(i)) * weight - off;
          store<real>(dx + at(i), factor * (u - (load<real>(x + at(i)) - m) * slope));
        }
        x += at(inner);
        dy += at(inner);
        dx += at(inner);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function accumulate<L>(y: usize, dy: usize, x: usize, m: real, r: real): void {
  const lanes = changetype<L>(0);
  const normal = v128.mul<real>(v128.sub<real>(lanes.load(x), v128.splat<real>(m)), v128.splat<real>(r));
  lanes.store(y, madd(lanes.load(dy), normal, lanes.load(y)));
}

/** y[channel] = sum of dy n over rows and neighbours; `scratch` holds as many elements as y. */
export function layerNormWeightGrad(
  y: usize, dy: usize, x: usize, scratch: usize, rows: i32, cols: i32, groups: i32, inner: i32, eps: f64, centred: i32,
): void {
  const channels = cols / inner;
  const n = groups * channels;
  memory.fill(y, 0, at(n));
  for (let start = 0; start < rows; start += ROW_CHUNK) {
    memory.fill(scratch, 0, at(n));
    const end = min(rows, start + ROW_CHUNK);
    for (let row = start; row < end; row++) {
      const m = meanOf(x, cols, centred);
      const r = inverseDeviation(x, cols, m, eps);
      const p = scratch + at((row % groups) * channels);
      if (inner == 1) {
        let i = 0;
        for (; i + LANES <= cols; i += LANES) accumulate<Full>(p + at(i), dy + at(i), x + at(i), m, <real>r);
        for (; i < cols; i++) accumulate<One>(p + at(i), dy + at(i), x + at(i), m, <real>r);
      } else {
        for (let k = 0; k < channels; k++) {
          const j = at(k * inner);
          store<real>(p + at(k), load<real>(p + at(k)) + <real>(r * total<Centred>(dy + j, x + j, x + j, inner, m)));
        }
      }
      x += at(cols);
      dy += at(cols);
    }
    for (let i = 0; i < n; i++) store<real>(y + at(i), load<real>(y + at(i)) + load<real>(scratch + at(i)));
  }
}
