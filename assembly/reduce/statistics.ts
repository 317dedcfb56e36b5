// Reductions that look at their elements more than once: each output, or block of columns, is done with before the next,
// so the elements come from the cache. Arguments as in reduce() of engine.ts.
import { C, constant } from "../constants";
import * as elementary from "../elementary";
import { FEW, largest, sumExp } from "../softmax";
import { LANES, at, lane0 } from "../vector";
import { columns } from "./columns";
import { byColumns } from "./engine";
import { columnsOf, totalsAt } from "./layout";
import { Centred, CentredSquares, Max, Sum, SumExp } from "./ops";
import { runs } from "./runs";
import { isShort, short } from "./short";

// @ts-ignore: decorator
@inline function total(totals: usize, c: i32): f64 {
  return load<f64>(totals + (<usize>c << 3));
}

/** The corrected two-pass formula (Chan, Golub and LeVeque 1983): `sum` of deviations removes the rounding of the mean. */
// @ts-ignore: decorator
@inline function varianceOf(squares: f64, sum: f64, count: f64, correction: f64): real {
  return <real>(max(squares - (sum * sum) / count, 0) / max(count - correction, 0));
}

// @ts-ignore: decorator
@inline function varianceLanes(squares: v128, sum: v128, count: f64, correction: f64): v128 {
  let y = v128.splat<real>(varianceOf(<f64>v128.extract_lane<real>(squares, 0), <f64>v128.extract_lane<real>(sum, 0), count, correction));
  y = v128.replace_lane<real>(y, 1, varianceOf(<f64>v128.extract_lane<real>(squares, 1), <f64>v128.extract_lane<real>(sum, 1), count, correction));
  if (sizeof<real>() == 8) return y;
  y = f32x4.replace_lane(y, 2, <f32>varianceOf(<f64>f32x4.extract_lane(squares, 2), <f64>f32x4.extract_lane(sum, 2), count, correction));
  return f32x4.replace_lane(y, 3, <f32>varianceOf(<f64>f32x4.extract_lane(squares, 3), <f64>f32x4.extract_lane(sum, 3), count, correction));
}

/** One output whose elements lie anyhow. */
// @ts-ignore: decorator
@inline function varianceOfRuns(x: usize, n1: i32, n: i32, t1: i32, t: i32, count: f64, correction: f64): real {
  const mean = v128.splat<real>(<real>(runs<real, Sum<real>>(x, v128.splat<real>(0), n1, n, t1, t) / count));
  const sum = runs<real, Centred>(x, mean, n1, n, t1, t);
  return varianceOf(runs<real, CentredSquares>(x, mean, n1, n, t1, t), sum, count, correction);
}

/** y = sum (x - mean)^2 / max(count - correction, 0), count = n1 n. */
export function variance(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32, correction: f64,
): void {
  const count = <f64>n1 * <f64>n;
  const few = isShort<real>(n1, n, inner);
  for (let o = 0; o < outer; o++) {
    if (!few && byColumns(inner, t, s1)) {
      const sums = totalsAt(scratch, 0), squares = totalsAt(scratch, 1), means = totalsAt(scratch, 2);
      for (let i = 0; i < inner; i += columnsOf<real>(n)) {
        const width = min(columnsOf<real>(n), inner - i);
        const p = x + at(i);
        columns<real, Sum<real>>(sums, 0, p, 0, scratch, n1, n, t1, t, width, 1);
        for (let c = 0; c < width; c++) store<real>(means + at(c), <real>(total(sums, c) / count));
        columns<real, Centred>(sums, 0, p, means, scratch, n1, n, t1, t, width, 1);
        columns<real, CentredSquares>(squares, 0, p, means, scratch, n1, n, t1, t, width, 1);
        for (let c = 0; c < width; c++) store<real>(y + at(c), varianceOf(total(squares, c), total(sums, c), count, correction));
        y += at(width);
      }
    } else {
      let i = 0;
      if (few) {
        const counts = v128.splat<real>(<real>count);
        for (; i + LANES <= inner; i += LANES) {
          const p = x + at(i * s1);
          const mean = v128.div<real>(short<real, Sum<real>>(p, counts, n, t, s1), counts);
          const sum = short<real, Centred>(p, mean, n, t, s1);
          v128.store(y, varianceLanes(short<real, CentredSquares>(p, mean, n, t, s1), sum, count, correction));
          y += 16;
        }
      }
      for (; i < inner; i++) {
        store<real>(y, varianceOfRuns(x + at(i * s1), n1, n, t1, t, count, correction));
        y += sizeof<real>();
      }
    }
    x += at(s0);
  }
}

/** What is subtracted before exp: the largest element, 0 if that is infinite. */
// @ts-ignore: decorator
@inline function shiftOf(largest: v128): v128 {
  return v128.andnot(largest, v128.eq<real>(v128.abs<real>(largest), constant(C.infinity)));
}

// @ts-ignore: decorator
@inline function logOf(sum: v128, largest: v128): v128 {
  const y = v128.add<real>(shiftOf(largest), elementary.log(sum));
  return v128.bitselect(largest, y, v128.eq<real>(largest, constant(C.infinity)));
}

// @ts-ignore: decorator
@inline function splat(x: f64): v128 {
  return v128.splat<real>(<real>x);
}

/** As runs with Max where elements are neighbours, but a NaN counts only beside an infinity: any other makes the sum NaN. */
// @ts-ignore: decorator
@inline function largestOfRuns(x: usize, n1: i32, n: i32, t1: i32): f64 {
  let most: f64 = -Infinity;
  for (let j1 = 0; j1 < n1; j1++) most = max(most, <f64>largest(x + at(j1 * t1), n));
  return most == Infinity ? runs<real, Max<real>>(x, splat(0), n1, n, t1, 1) : most;
}

/** As runs with SumExp where elements are neighbours. */
// @ts-ignore: decorator
@inline function sumExpOfRuns(x: usize, cell: usize, m: real, n1: i32, n: i32, t1: i32): f64 {
  let total: f64 = 0;
  for (let j1 = 0; j1 < n1; j1++) total = sumExp(cell, x + at(j1 * t1), n, m, total);
  return total;
}

/** y = log(sum(e^x)). */
export function logsumexp(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32,
): void {
  const few = isShort<real>(n1, n, inner);
  const none = splat(0);
  for (let o = 0; o < outer; o++) {
    if (!few && byColumns(inner, t, s1)) {
      const totals = totalsAt(scratch, 0), most = totalsAt(scratch, 1), shifts = totalsAt(scratch, 2);
      for (let i = 0; i < inner; i += columnsOf<real>(n)) {
        const width = min(columnsOf<real>(n), inner - i);
        const p = x + at(i);
        columns<real, Max<real>>(most, 0, p, 0, scratch, n1, n, t1, t, width, 1);
        for (let c = 0; c < width; c++) store<real>(shifts + at(c), lane0(shiftOf(splat(total(most, c)))));
        columns<real, SumExp>(totals, 0, p, shifts, scratch, n1, n, t1, t, width, 1);
        for (let c = 0; c < width; c++) store<real>(y + at(c), lane0(logOf(splat(total(totals, c)), splat(total(most, c)))));
        y += at(width);
      }
    } else {
      let i = 0;
      if (few) {
        for (; i + LANES <= inner; i += LANES) {
          const p = x + at(i * s1);
          const most = short<real, Max<real>>(p, none, n, t, s1);
          v128.store(y, logOf(short<real, SumExp>(p, shiftOf(most), n, t, s1), most));
          y += 16;
        }
      }
      for (; i < inner; i++) {
        const p = x + at(i * s1);
        const rows = t == 1 && n >= FEW;
        const most = splat(rows ? largestOfRuns(p, n1, n, t1) : runs<real, Max<real>>(p, none, n1, n, t1, t));
        const shift = shiftOf(most);
        const sum = rows ? sumExpOfRuns(p, scratch, lane0(shift), n1, n, t1) : runs<real, SumExp>(p, shift, n1, n, t1, t);
        store<real>(y, lane0(logOf(splat(sum), most)));
        y += sizeof<real>();
      }
    }
    x += at(s0);
  }
}
