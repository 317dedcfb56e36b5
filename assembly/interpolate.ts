// Resampling of planes [height, width] along both axes. Line i of the output mixes `taps` lines of the input:
// rowIndex[i, a] (int32) with rowWeight[i, a] (real), and so its columns.
import { LANES, SHIFT, at, lane0 } from "./vector";

// @ts-ignore: decorator
@inline export function indexAt(index: usize, i: i32): i32 {
  return load<i32>(index + (<usize>i << 2));
}

/** y[i] = scale x[i]; with `add` y[i] + scale x[i]. */
// @ts-ignore: decorator
@inline function mix(y: usize, x: usize, scale: real, n: i32, add: bool): void {
  const s = v128.splat<real>(scale);
  let i = 0;
  if (add) {
    for (; i + LANES <= n; i += LANES) v128.store(y + at(i), madd(s, v128.load(x + at(i)), v128.load(y + at(i))));
    for (; i < n; i++) store<real>(y + at(i), lane0(madd(s, v128.splat<real>(load<real>(x + at(i))), v128.splat<real>(load<real>(y + at(i))))));
  } else {
    for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.mul<real>(s, v128.load(x + at(i))));
    for (; i < n; i++) store<real>(y + at(i), scale * load<real>(x + at(i)));
  }
}

// A vector of outputs mixes, for each tap, elements of a line that mostly lie within one vector of it: then they are picked by a
// shuffle. One record says how: the bytes picked, the weights, the offset of the vector in the line.
// @ts-ignore: decorator
@inline const RECORD: usize = 48;

/** Bytes of a line, at least a vector, in whole vectors. */
// @ts-ignore: decorator
@inline function lineBytes(width: f64): f64 {
  return Math.ceil(width / LANES) * 16;
}

/** Bytes of scratch: some lines of x, and the records of the vectors of outputs. */
export function interpolateScratchBytes(width: i32, outWidth: i32, colTaps: i32): f64 {
  return <f64>LINES * lineBytes(<f64>width) + <f64>RECORD * <f64>(outWidth / LANES) * <f64>colTaps;
}

/** Writes the records of the whole vectors of a line of outputs; false if a tap of one of them reaches too far. */
function writeRecords(to: usize, index: usize, weight: usize, taps: i32, width: i32, outWidth: i32): bool {
  for (let j = 0; j + LANES <= outWidth; j += LANES) {
    for (let e = 0; e < taps; e++, to += RECORD) {
      let low = indexAt(index, j * taps + e), high = low;
      for (let lane = 1; lane < LANES; lane++) {
        const i = indexAt(index, (j + lane) * taps + e);
        low = min(low, i);
        high = max(high, i);
      }
      low = max(0, min(low, width - LANES));
      if (high - low >= LANES) return false;
      store<i32>(to, low << <i32>SHIFT, 32);
      for (let lane = 0; lane < LANES; lane++) {
        const t = (j + lane) * taps + e, from = (indexAt(index, t) - low) << <i32>SHIFT;
        for (let b = 0; b < <i32>sizeof<real>(); b++) store<u8>(to + at(lane) + <usize>b, <u8>(from + b));
        store<real>(to + at(lane), load<real>(weight + at(t)), 16);
      }
    }
  }
  return true;
}

/** Lines that are mixed before the first is read again: it has then left the processor's queue of stores. */
// @ts-ignore: decorator
@inline const LINES: i32 = 8;

/** The elements of a line that a record picks, weighted. */
// @ts-ignore: decorator
@inline function picked(line: usize, record: usize): v128 {
  return v128.mul<real>(v128.load(record, 16), pick(v128.load(line + <usize>load<u32>(record, 32)), v128.load(record)));
}

/** y[i] = s x[i] + t z[i], as two calls of mix. */
// @ts-ignore: decorator
@inline function mixTwo(y: usize, x: usize, s: real, z: usize, t: real, n: i32): void {
  const u = v128.splat<real>(s), v = v128.splat<real>(t);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), madd(v, v128.load(z + at(i)), v128.mul<real>(u, v128.load(x + at(i)))));
  for (; i < n; i++) store<real>(y + at(i), lane0(madd(v, v128.splat<real>(load<real>(z + at(i))), v128.splat<real>(s * load<real>(x + at(i))))));
}

/** y[p, i, j] = sum over a, e of rowWeight[i, a] colWeight[j, e] x[p, rowIndex[i, a], colIndex[j, e]]. */
export function interpolate(
  y: usize, x: usize, rowIndex: usize, rowWeight: usize, colIndex: usize, colWeight: usize, scratch: usize,
  rowTaps: i32, colTaps: i32, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const line = <usize>lineBytes(<f64>width), records = scratch + line * LINES;
  const vectors = writeRecords(records, colIndex, colWeight, colTaps, width, outWidth) ? outWidth / LANES : 0;
  for (let p = 0; p < planes; p++, x += at(height * width)) {
    for (let first = 0; first < outHeight; first += LINES) {
      const lines = min(LINES, outHeight - first);
      for (let i = 0; i < lines; i++) {
        const to = scratch + line * <usize>i, t = (first + i) * rowTaps;
        if (rowTaps == 2) {
          const above = x + at(indexAt(rowIndex, t) * width), below = x + at(indexAt(rowIndex, t + 1) * width);
          mixTwo(to, above, load<real>(rowWeight + at(t)), below, load<real>(rowWeight + at(t + 1)), width);
        } else {
          for (let a = t; a < t + rowTaps; a++) mix(to, x + at(indexAt(rowIndex, a) * width), load<real>(rowWeight + at(a)), width, a > t);
        }
      }
      if (colTaps == 2) mixColumns(y, scratch, records, lines, line, vectors, outWidth);
      for (let i = 0; i < lines; i++, y += at(outWidth)) {
        const from = scratch + line * <usize>i;
        if (colTaps != 2) {
          for (let v = 0, record = records; v < vectors; v++) {
            let total = picked(from, record);
            record += RECORD;
            for (let e = 1; e < colTaps; e++, record += RECORD) total = v128.add<real>(total, picked(from, record));
            v128.store(y + (<usize>v << 4), total);
          }
        }
        for (let j = vectors * LANES, c = j * colTaps; j < outWidth; j++) {
          let total: real = load<real>(colWeight + at(c)) * load<real>(from + at(indexAt(colIndex, c)));
          for (c++; c < (j + 1) * colTaps; c++) total += load<real>(colWeight + at(c)) * load<real>(from + at(indexAt(colIndex, c)));
          store<real>(y + at(j), total);
        }
      }
    }
  }
}

/** The vectors of some lines of outputs with two taps; a record is read once for all lines. */
function mixColumns(y: usize, lines: usize, record: usize, count: i32, line: usize, vectors: i32, outWidth: i32): void {
  for (let v = 0; v < vectors; v++, record += 2 * RECORD, y += 16) {
    const p = lines + <usize>load<u32>(record, 32), q = lines + <usize>load<u32>(record + RECORD, 32);
    const some = v128.load(record), others = v128.load(record + RECORD), s = v128.load(record, 16), t = v128.load(record + RECORD, 16);
    let skip: usize = 0, to = y;
    for (let i = 0; i < count; i++, skip += line, to += at(outWidth)) {
      v128.store(to, v128.add<real>(v128.mul<real>(s, pick(v128.load(p + skip), some)), v128.mul<real>(t, pick(v128.load(q + skip), others))));
    }
  }
}
