// The transpose of interpolate: each element of dx gathers what its readers got, first down the lines of dy, then along the line.
// Both sums go in ascending order of dy. Who reads what is worked out once for all planes.
import { scatter } from "./elementwise/map";
import { indexAt } from "./interpolate";
import { LANES, at, lane0 } from "./vector";

/** Byte offsets of a vector's elements in the line, and their weights. */
// @ts-ignore: decorator
@inline const RECORD: usize = 32;

/** Bytes of n items, in whole vectors. */
// @ts-ignore: decorator
@inline function room(n: f64, itemBytes: f64): f64 {
  return Math.ceil((n * itemBytes) / 16) * 16;
}
// @ts-ignore: decorator
@inline function words(n: i32): f64 {
  return room(<f64>n, 4);
}
// @ts-ignore: decorator
@inline function reals(n: i32): f64 {
  return room(<f64>n, <f64>sizeof<real>());
}

/** Bytes of scratch: a line with a zero behind it, the readers of both axes, and the records of a line. */
export function interpolateGradScratchBytes(height: i32, width: i32, outHeight: i32, outWidth: i32, rowTaps: i32, colTaps: i32): f64 {
  const down = words(height) + words(outHeight * rowTaps) + reals(outHeight * rowTaps);
  const along = 2.0 * words(width) + words(outWidth * colTaps) + reals(outWidth * colTaps);
  return reals(outWidth + 1) + down + along + <f64>RECORD * <f64>outWidth * <f64>colTaps;
}

/** Sorts who reads what by what is read: reader from[e] with share[e] for e from end[r - 1] to end[r], readers in ascending order. */
function sortReaders(end: usize, from: usize, share: usize, index: usize, weight: usize, taps: i32, count: i32, readers: i32): void {
  memory.fill(end, 0, <usize>count << 2);
  for (let t = 0; t < readers * taps; t++) {
    const r = indexAt(index, t);
    if (r + 1 < count) store<i32>(end + (<usize>(r + 1) << 2), indexAt(end, r + 1) + 1);
  }
  for (let r = 1; r < count; r++) store<i32>(end + (<usize>r << 2), indexAt(end, r) + indexAt(end, r - 1));
  // now each begins where its first reader goes, and moves on with them to its end
  for (let t = 0; t < readers * taps; t++) {
    const r = indexAt(index, t), e = indexAt(end, r);
    store<i32>(end + (<usize>r << 2), e + 1);
    store<i32>(from + (<usize>e << 2), t / taps);
    store<real>(share + at(e), load<real>(weight + at(t)));
  }
}

/** Records of the vectors of a line of dx, end[v] the first behind those of v; lanes with fewer readers than others read the zero. */
function writeRecords(records: usize, vectorEnd: usize, end: usize, from: usize, share: usize, width: i32, outWidth: i32): void {
  let written = 0;
  for (let c = 0, v = 0; c < width; c += LANES, v++) {
    let most = 0;
    for (let lane = c; lane < min(width, c + LANES); lane++) most = max(most, indexAt(end, lane) - (lane > 0 ? indexAt(end, lane - 1) : 0));
    for (let s = 0; s < most; s++, written++) {
      const record = records + RECORD * <usize>written;
      for (let lane = 0; lane < LANES; lane++) {
        const i = c + lane, e = s + (i > 0 && i < width ? indexAt(end, i - 1) : 0), found = i < width && e < indexAt(end, i);
        store<u32>(record + (<usize>lane << 2), <u32>at(found ? indexAt(from, e) : outWidth));
        store<real>(record + at(lane), found ? load<real>(share + at(e)) : 0, 16);
      }
    }
    store<i32>(vectorEnd + (<usize>v << 2), written);
  }
}

/** line[j] = sum over e of share[e] dy[from[e], j]. */
// @ts-ignore: decorator
@inline function gatherLine(line: usize, dy: usize, from: usize, share: usize, first: i32, end: i32, n: i32): void {
  let j = 0;
  for (; j + 4 * LANES <= n; j += 4 * LANES) {
    let a = v128.splat<real>(0), b = a, c = a, d = a;
    for (let e = first; e < end; e++) {
      const w = v128.splat<real>(load<real>(share + at(e))), x = dy + at(indexAt(from, e) * n + j);
      a = madd(w, v128.load(x), a);
      b = madd(w, v128.load(x, 16), b);
      c = madd(w, v128.load(x, 32), c);
      d = madd(w, v128.load(x, 48), d);
    }
    v128.store(line + at(j), a);
    v128.store(line + at(j), b, 16);
    v128.store(line + at(j), c, 32);
    v128.store(line + at(j), d, 48);
  }
  for (; j + LANES <= n; j += LANES) {
    let a = v128.splat<real>(0);
    for (let e = first; e < end; e++) a = madd(v128.splat<real>(load<real>(share + at(e))), v128.load(dy + at(indexAt(from, e) * n + j)), a);
    v128.store(line + at(j), a);
  }
  for (; j < n; j++) {
    let a = v128.splat<real>(0);
    for (let e = first; e < end; e++) {
      a = madd(v128.splat<real>(load<real>(share + at(e))), v128.splat<real>(load<real>(dy + at(indexAt(from, e) * n + j))), a);
    }
    store<real>(line + at(j), lane0(a));
  }
}

/** The elements of a line that a record names. */
// @ts-ignore: decorator
@inline function named(line: usize, record: usize): v128 {
  const a = line + <usize>load<u32>(record), b = line + <usize>load<u32>(record, 4);
  if (sizeof<real>() == 8) return v128.load64_lane(b, v128.load64_zero(a), 1);
  const v = v128.load32_lane(b, v128.load32_zero(a), 1);
  return v128.load32_lane(line + <usize>load<u32>(record, 12), v128.load32_lane(line + <usize>load<u32>(record, 8), v, 2), 3);
}

/** dx[p, r, c] = sum of rowWeight[i, a] colWeight[j, e] dy[p, i, j] over what reads (r, c). */
export function interpolateGrad(
  dx: usize, dy: usize, rowIndex: usize, rowWeight: usize, colIndex: usize, colWeight: usize, scratch: usize,
  rowTaps: i32, colTaps: i32, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const line = scratch, rowEnd = line + <usize>reals(outWidth + 1);
  const rowFrom = rowEnd + <usize>words(height), rowShare = rowFrom + <usize>words(outHeight * rowTaps);
  const colEnd = rowShare + <usize>reals(outHeight * rowTaps), colFrom = colEnd + <usize>words(width);
  const colShare = colFrom + <usize>words(outWidth * colTaps), vectorEnd = colShare + <usize>reals(outWidth * colTaps);
  const records = vectorEnd + <usize>words(width);
  sortReaders(rowEnd, rowFrom, rowShare, rowIndex, rowWeight, rowTaps, height, outHeight);
  sortReaders(colEnd, colFrom, colShare, colIndex, colWeight, colTaps, width, outWidth);
  writeRecords(records, vectorEnd, colEnd, colFrom, colShare, width, outWidth);
  store<real>(line + at(outWidth), 0);
  for (let p = 0; p < planes; p++, dy += at(outHeight * outWidth)) {
    for (let r = 0, first = 0; r < height; r++) {
      const end = indexAt(rowEnd, r);
      gatherLine(line, dy, rowFrom, rowShare, first, end, outWidth);
      first = end;
      let record = records;
      for (let left = width, v = vectorEnd; left > 0; left -= LANES, v += 4) {
        let total = v128.splat<real>(0);
        for (const last = records + RECORD * <usize>load<i32>(v); record < last; record += RECORD) {
          total = madd(v128.load(record, 16), named(line, record), total);
        }
        scatter<real>(dx, total, left);
        dx += at(min(LANES, left));
      }
    }
  }
}
