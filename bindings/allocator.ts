// Size classes with free lists over a growing region. Classes are 2^e times 1, 1.25, 1.5, 1.75, so at most a fifth of a
// block is unused; a freed block serves the next request of its class in a few nanoseconds. When the region is full,
// free neighbours are merged and larger blocks are split.

const SMALLEST = 8; // log2 of the first class: 256 bytes, so that every quarter step is a multiple of 64

function classOf(bytes: number): number {
  if (bytes <= 256) return 0;
  const exponent = 31 - Math.clz32(bytes - 1);
  const quarter = Math.floor((bytes - 1 - 2 ** exponent) / 2 ** (exponent - 2));
  return (exponent - SMALLEST) * 4 + quarter + 1;
}

function classBytes(index: number): number {
  if (index === 0) return 256;
  const exponent = Math.floor((index - 1) / 4) + SMALLEST;
  return 2 ** exponent + (((index - 1) % 4) + 1) * 2 ** (exponent - 2);
}

const CLASSES = (32 - SMALLEST) * 4 + 1;
const LARGEST = classBytes(CLASSES - 1); // 4 GiB

export class Allocator {
  /** First byte never given out. */
  top: number;
  liveBytes = 0;
  peakBytes = 0;
  live = 0;
  private readonly free: number[][] = Array.from({ length: CLASSES }, () => []);
  /** Rests too small for any class, which belong to no block until their neighbours are free. */
  private crumbs: [number, number][] = [];
  private readonly base: number;
  private readonly reach: (top: number) => boolean;

  /** `reach(top)` makes memory available up to byte `top`, or answers false. */
  constructor(base: number, reach: (top: number) => boolean) {
    this.base = base;
    this.top = base;
    this.reach = reach;
  }

  /** Address of a block of at least `bytes`, aligned to 64; 0 if there is none, as for a size that is no number. */
  allocate(bytes: number): number {
    if (!(bytes >= 0 && bytes <= LARGEST)) return 0;
    const index = classOf(bytes);
    let ptr = this.free[index]?.pop() ?? this.extend(index);
    if (ptr === 0) ptr = this.split(index);
    if (ptr === 0) {
      this.merge();
      ptr = this.free[index]?.pop() ?? this.extend(index);
      if (ptr === 0) ptr = this.split(index);
      if (ptr === 0) return 0;
    }
    this.live++;
    this.liveBytes += classBytes(index);
    if (this.liveBytes > this.peakBytes) this.peakBytes = this.liveBytes;
    return ptr;
  }

  release(ptr: number, bytes: number): void {
    const index = classOf(bytes);
    this.free[index].push(ptr);
    this.live--;
    this.liveBytes -= classBytes(index);
  }

  private extend(index: number): number {
    if (index >= CLASSES) return 0;
    const ptr = this.top;
    const end = ptr + classBytes(index);
    if (!this.reach(end)) return 0;
    this.top = end;
    return ptr;
  }

  /** Takes a free block of a larger class and gives its rest back. */
  private split(index: number): number {
    for (let larger = index + 1; larger < CLASSES; larger++) {
      const ptr = this.free[larger].pop();
      if (ptr === undefined) continue;
      this.distribute(ptr + classBytes(index), ptr + classBytes(larger));
      return ptr;
    }
    return 0;
  }

  /** Puts the region [start, end) on the free lists as the largest blocks that fit. */
  private distribute(start: number, end: number): void {
    while (end - start >= 256) {
      let index = Math.min(CLASSES - 1, classOf(end - start));
      if (classBytes(index) > end - start) index--;
      this.free[index].push(start);
      start += classBytes(index);
    }
    if (end > start) this.crumbs.push([start, end]);
  }

  private merge(): void {
    const blocks = this.crumbs;
    this.crumbs = [];
    for (const [index, list] of this.free.entries()) {
      for (const ptr of list) blocks.push([ptr, ptr + classBytes(index)]);
      list.length = 0;
    }
    blocks.sort((a, b) => a[0] - b[0]);
    const regions: [number, number][] = [];
    for (const [start, end] of blocks) {
      const last = regions[regions.length - 1];
      if (last && last[1] === start) last[1] = end;
      else regions.push([start, end]);
    }
    const last = regions[regions.length - 1];
    if (last && last[1] === this.top) {
      this.top = Math.max(this.base, last[0]);
      regions.pop();
    }
    for (const [start, end] of regions) this.distribute(start, end);
  }
}
