// Rows as wholes: their order by the first element in which they differ, NaN largest, and the groups of equal ones.
import { RUN, idAt, key, setId } from "./sort";

/** Whether row q stands before row p. */
// @ts-ignore: decorator
@inline function before<T, K>(x: usize, p: i32, q: i32, cols: i32): bool {
  const width = <usize>cols * sizeof<T>();
  const a = x + <usize>p * width, b = x + <usize>q * width;
  for (let i: usize = 0; i < width; i += sizeof<T>()) {
    const s = key<T, K>(a + i, 0), t = key<T, K>(b + i, 0);
    if (s != t) return t < s;
  }
  return false;
}

/** y = positions of the rows of x in order, stable: a merge sort over runs made by insertion (Knuth 5.2.4). */
// @ts-ignore: decorator
@inline function argsort<T, K>(y: usize, x: usize, scratch: usize, rows: i32, cols: i32): void {
  for (let start = 0; start < rows; start += RUN) {
    const end = min(rows, start + RUN);
    for (let i = start; i < end; i++) {
      let j = i;
      for (; j > start && before<T, K>(x, idAt(y, j - 1), i, cols); j--) setId(y, j, idAt(y, j - 1));
      setId(y, j, i);
    }
  }
  let from = y, to = scratch;
  for (let width = RUN; width < rows; width *= 2) {
    for (let start = 0; start < rows; start += 2 * width) {
      const middle = min(rows, start + width), end = min(rows, middle + width);
      let i = start, j = middle;
      for (let k = start; k < end; k++) {
        const right = i == middle || (j < end && before<T, K>(x, idAt(from, i), idAt(from, j), cols));
        setId(to, k, idAt(from, right ? j : i));
        if (right) j++;
        else i++;
      }
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != y) memory.copy(y, from, <usize>rows << 2);
}

// @ts-ignore: decorator
@inline function same<T>(x: usize, p: i32, q: i32, cols: i32): bool {
  const width = <usize>cols * sizeof<T>();
  const a = x + <usize>p * width, b = x + <usize>q * width;
  for (let i: usize = 0; i < width; i += sizeof<T>()) if (load<T>(a + i) != load<T>(b + i)) return false;
  return true;
}

/** y[p] (int32) = number of the group of equal rows that row p is in; `index` is their order. NaN equals none. */
// @ts-ignore: decorator
@inline function groups<T>(y: usize, x: usize, index: usize, rows: i32, cols: i32): void {
  let group = -1;
  let last = 0;
  for (let i = 0; i < rows; i++) {
    const p = idAt(index, i);
    if (<u32>p >= <u32>rows) continue;
    if (i == 0 || !same<T>(x, last, p, cols)) group++;
    last = p;
    setId(y, p, group);
  }
}

/** Scratch: rows int32. */
export function argsortSlices(y: usize, x: usize, scratch: usize, rows: i32, cols: i32): void {
  if (sizeof<real>() == 4) argsort<real, u32>(y, x, scratch, rows, cols);
  else argsort<real, u64>(y, x, scratch, rows, cols);
}
export function argsortSlicesInt32(y: usize, x: usize, scratch: usize, rows: i32, cols: i32): void {
  argsort<i32, u32>(y, x, scratch, rows, cols);
}
export function argsortSlicesUint8(y: usize, x: usize, scratch: usize, rows: i32, cols: i32): void {
  argsort<u8, u32>(y, x, scratch, rows, cols);
}
export function groupSlices(y: usize, x: usize, index: usize, rows: i32, cols: i32): void { groups<real>(y, x, index, rows, cols); }
export function groupSlicesInt32(y: usize, x: usize, index: usize, rows: i32, cols: i32): void { groups<i32>(y, x, index, rows, cols); }
export function groupSlicesUint8(y: usize, x: usize, index: usize, rows: i32, cols: i32): void { groups<u8>(y, x, index, rows, cols); }
