// Stable sorting of rows, as the positions (int32) of the elements in sorted order. Elements become unsigned keys of the
// same order: a float's bits with the sign turned (all of them if negative), -0 as 0, every NaN as the largest key;
// descending turns all bits. Up to MERGE elements a merge sort over runs made by insertion (Knuth 5.2.4), above it a radix
// sort from the lowest digit (Knuth 5.2.5), which reads every digit once and skips those that all keys share.

// @ts-ignore: decorator
@inline export const RUN: i32 = 12;
// @ts-ignore: decorator
@inline const MERGE: i32 = 192;
// @ts-ignore: decorator
@inline const DIGIT: i32 = 11; // bits

// @ts-ignore: decorator
@inline export function key<T, K>(x: usize, descending: i32): K {
  const v = load<T>(x);
  let bits: K;
  if (isFloat<T>()) {
    const top = <K>1 << (8 * sizeof<K>() - 1);
    const raw = v == <T>0 ? <K>0 : <K>reinterpret<K>(v);
    bits = v != v ? ~(<K>0) : (raw & top) != 0 ? ~raw : raw | top;
  } else if (isSigned<T>()) {
    bits = <K>v ^ (<K>1 << 31);
  } else {
    bits = <K>v;
  }
  return descending != 0 ? ~bits : bits;
}

// @ts-ignore: decorator
@inline function keyAt<K>(keys: usize, i: i32): K {
  return load<K>(keys + <usize>i * sizeof<K>());
}
// @ts-ignore: decorator
@inline function setKey<K>(keys: usize, i: i32, value: K): void {
  store<K>(keys + <usize>i * sizeof<K>(), value);
}
// @ts-ignore: decorator
@inline export function idAt(ids: usize, i: i32): i32 {
  return load<i32>(ids + (<usize>i << 2));
}
// @ts-ignore: decorator
@inline export function setId(ids: usize, i: i32, value: i32): void {
  store<i32>(ids + (<usize>i << 2), value);
}

/** Sorts n keys and their ids, with room for as many; answers where the ids are then. */
function mergeSort<K>(keys: usize, ids: usize, keys2: usize, ids2: usize, n: i32): usize {
  for (let start = 0; start < n; start += RUN) {
    const end = min(n, start + RUN);
    for (let i = start + 1; i < end; i++) {
      const own = keyAt<K>(keys, i);
      const id = idAt(ids, i);
      let j = i;
      for (; j > start && keyAt<K>(keys, j - 1) > own; j--) {
        setKey<K>(keys, j, keyAt<K>(keys, j - 1));
        setId(ids, j, idAt(ids, j - 1));
      }
      setKey<K>(keys, j, own);
      setId(ids, j, id);
    }
  }
  for (let width = RUN; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = min(n, start + width), end = min(n, middle + width);
      let i = start, j = middle, k = start;
      while (i < middle && j < end) {
        const p = keyAt<K>(keys, i), q = keyAt<K>(keys, j);
        const right = <i32>(q < p);
        setKey<K>(keys2, k, right ? q : p);
        setId(ids2, k, idAt(ids, right ? j : i));
        i += 1 - right;
        j += right;
        k++;
      }
      const rest = i < middle ? i : j;
      memory.copy(keys2 + <usize>k * sizeof<K>(), keys + <usize>rest * sizeof<K>(), <usize>(end - k) * sizeof<K>());
      memory.copy(ids2 + (<usize>k << 2), ids + (<usize>rest << 2), <usize>(end - k) << 2);
    }
    const p = keys, q = ids;
    keys = keys2;
    ids = ids2;
    keys2 = p;
    ids2 = q;
  }
  return ids;
}

/** As mergeSort, with `counts` of 2^DIGIT int32 for each digit. */
function radixSort<K>(keys: usize, ids: usize, keys2: usize, ids2: usize, counts: usize, n: i32): usize {
  const digits = (8 * <i32>sizeof<K>() + DIGIT - 1) / DIGIT;
  const mask = (1 << DIGIT) - 1;
  memory.fill(counts, 0, <usize>digits << (DIGIT + 2));
  for (let i = 0; i < n; i++) {
    const own = keyAt<K>(keys, i);
    for (let d = 0; d < digits; d++) {
      const cell = counts + (<usize>((d << DIGIT) + (<i32>(own >> <K>(d * DIGIT)) & mask)) << 2);
      store<i32>(cell, load<i32>(cell) + 1);
    }
  }
  for (let d = 0; d < digits; d++) {
    const table = counts + (<usize>d << (DIGIT + 2));
    const shift = <K>(d * DIGIT);
    if (idAt(table, <i32>(keyAt<K>(keys, 0) >> shift) & mask) == n) continue;
    let sum = 0;
    for (let i = 0; i <= mask; i++) {
      const count = idAt(table, i);
      setId(table, i, sum);
      sum += count;
    }
    for (let i = 0; i < n; i++) {
      const own = keyAt<K>(keys, i);
      const digit = <i32>(own >> shift) & mask;
      const to = idAt(table, digit);
      setId(table, digit, to + 1);
      setKey<K>(keys2, to, own);
      setId(ids2, to, idAt(ids, i));
    }
    const p = keys, q = ids;
    keys = keys2;
    ids = ids2;
    keys2 = p;
    ids2 = q;
  }
  return ids;
}

/** y[r, :] = positions of the first `count` elements of row r in sorted order. */
// @ts-ignore: decorator
@inline function argsort<T, K>(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  const keys2 = scratch + <usize>cols * sizeof<K>();
  const ids = keys2 + <usize>cols * sizeof<K>();
  const ids2 = ids + (<usize>cols << 2);
  const counts = ids2 + (<usize>cols << 2);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < cols; i++) {
      setKey<K>(scratch, i, key<T, K>(x + <usize>i * sizeof<T>(), descending));
      setId(ids, i, i);
    }
    const sorted = cols <= MERGE ? mergeSort<K>(scratch, ids, keys2, ids2, cols) : radixSort<K>(scratch, ids, keys2, ids2, counts, cols);
    memory.copy(y, sorted, <usize>count << 2);
    x += <usize>cols * sizeof<T>();
    y += <usize>count << 2;
  }
}

/** Element i moved down a heap of n, where a parent stands after its children: larger key, or the same and later. */
function sink<K>(keys: usize, ids: usize, i: i32, n: i32): void {
  const own = keyAt<K>(keys, i);
  const id = idAt(ids, i);
  for (let child = 2 * i + 1; child < n; child = 2 * i + 1) {
    let best = keyAt<K>(keys, child);
    let bestId = idAt(ids, child);
    if (child + 1 < n) {
      const other = keyAt<K>(keys, child + 1);
      const otherId = idAt(ids, child + 1);
      if (other > best || (other == best && otherId > bestId)) {
        best = other;
        bestId = otherId;
        child++;
      }
    }
    if (best < own || (best == own && bestId < id)) break;
    setKey<K>(keys, i, best);
    setId(ids, i, bestId);
    i = child;
  }
  setKey<K>(keys, i, own);
  setId(ids, i, id);
}

/** As argsort, by a heap of the `count` >= 1 best so far. */
// @ts-ignore: decorator
@inline function select<T, K>(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < count; i++) {
      setKey<K>(scratch, i, key<T, K>(x + <usize>i * sizeof<T>(), descending));
      setId(y, i, i);
    }
    for (let i = count / 2 - 1; i >= 0; i--) sink<K>(scratch, y, i, count);
    for (let i = count; i < cols; i++) {
      const own = key<T, K>(x + <usize>i * sizeof<T>(), descending);
      if (own >= keyAt<K>(scratch, 0)) continue;
      setKey<K>(scratch, 0, own);
      setId(y, 0, i);
      sink<K>(scratch, y, 0, count);
    }
    for (let end = count - 1; end > 0; end--) {
      const own = keyAt<K>(scratch, 0);
      const id = idAt(y, 0);
      setKey<K>(scratch, 0, keyAt<K>(scratch, end));
      setId(y, 0, idAt(y, end));
      setKey<K>(scratch, end, own);
      setId(y, end, id);
      sink<K>(scratch, y, 0, end);
    }
    x += <usize>cols * sizeof<T>();
    y += <usize>count << 2;
  }
}

/** Scratch: cols x (2 keys + 2 int32), keys as wide as `real` (int32 for integers), then 2^11 int32 for each 11 bits of a key. */
export function argsortRows(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  if (sizeof<real>() == 4) argsort<real, u32>(y, x, scratch, rows, cols, count, descending);
  else argsort<real, u64>(y, x, scratch, rows, cols, count, descending);
}
export function argsortRowsInt32(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  argsort<i32, u32>(y, x, scratch, rows, cols, count, descending);
}
export function argsortRowsUint8(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  argsort<u8, u32>(y, x, scratch, rows, cols, count, descending);
}

/** Scratch: count keys. */
export function topkRows(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  if (sizeof<real>() == 4) select<real, u32>(y, x, scratch, rows, cols, count, descending);
  else select<real, u64>(y, x, scratch, rows, cols, count, descending);
}
export function topkRowsInt32(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  select<i32, u32>(y, x, scratch, rows, cols, count, descending);
}
export function topkRowsUint8(y: usize, x: usize, scratch: usize, rows: i32, cols: i32, count: i32, descending: i32): void {
  select<u8, u32>(y, x, scratch, rows, cols, count, descending);
}

/** y[p] (int32) = number of the group of equal elements that x[p] is in; `index` is the sorted order. NaN equals none. */
// @ts-ignore: decorator
@inline function groups<T>(y: usize, x: usize, index: usize, n: i32): void {
  let group = -1;
  let before: T = 0;
  for (let i = 0; i < n; i++) {
    const p = idAt(index, i);
    if (<u32>p >= <u32>n) continue;
    const v = load<T>(x + <usize>p * sizeof<T>());
    if (i == 0 || v != before) group++;
    before = v;
    setId(y, p, group);
  }
}
export function groupNumbers(y: usize, x: usize, index: usize, n: i32): void { groups<real>(y, x, index, n); }
export function groupNumbersInt32(y: usize, x: usize, index: usize, n: i32): void { groups<i32>(y, x, index, n); }
export function groupNumbersUint8(y: usize, x: usize, index: usize, n: i32): void { groups<u8>(y, x, index, n); }

/** y[g] = first position (int32) at which the group numbers x are g, for g < count. */
export function groupFirsts(y: usize, x: usize, n: i32, count: i32): void {
  for (let i = n - 1; i >= 0; i--) {
    const group = idAt(x, i);
    if (<u32>group < <u32>count) setId(y, group, i);
  }
}
/** y[g] = how many of the group numbers x are g, for g < count. */
export function groupSizes(y: usize, x: usize, n: i32, count: i32): void {
  memory.fill(y, 0, <usize>count << 2);
  for (let i = 0; i < n; i++) {
    const group = idAt(x, i);
    if (<u32>group < <u32>count) setId(y, group, idAt(y, group) + 1);
  }
}
