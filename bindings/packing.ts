// Places for blocks whose lifetimes are known, so that they overlap only where their lifetimes do not. No size classes: what the
// allocator of a running program wastes for speed, a plan that is made once need not.

const ALIGNMENT = 64; // bytes, as of every block of the heap
const MOST_BY_SIZE = 8192; // blocks; each is compared with all before it

export interface Block {
  readonly bytes: number;
  /** Times of birth and death; the block is held from the one to just before the other. */
  readonly from: number;
  readonly to: number;
}

export interface Places {
  /** Bytes that hold all blocks. */
  readonly bytes: number;
  /** One a block. */
  readonly starts: readonly number[];
}

/** The smaller of two packings. */
export function places(blocks: readonly Block[]): Places {
  const rounded = blocks.map(({ bytes, from, to }) => ({ bytes: Math.ceil(bytes / ALIGNMENT) * ALIGNMENT, from, to }));
  const inTime = byTime(rounded);
  if (blocks.length > MOST_BY_SIZE) return inTime;
  const large = bySize(rounded);
  return large.bytes < inTime.bytes ? large : inTime;
}

/** The largest blocks first, each as low as those allow that live beside it. */
function bySize(blocks: readonly Block[]): Places {
  const starts = new Array<number>(blocks.length).fill(0);
  /** Blocks that have their places, the lowest first. */
  const placed: number[] = [];
  let bytes = 0;
  for (const i of blocks.map((_, i) => i).sort((a, b) => blocks[b].bytes - blocks[a].bytes || a - b)) {
    const own = blocks[i];
    if (own.bytes === 0) continue;
    let start = 0;
    for (const j of placed) {
      const other = blocks[j];
      if (other.from >= own.to || own.from >= other.to) continue;
      if (starts[j] >= start + own.bytes) break;
      start = Math.max(start, starts[j] + other.bytes);
    }
    starts[i] = start;
    let [low, high] = [0, placed.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[placed[middle]] < start) low = middle + 1;
      else high = middle;
    }
    placed.splice(low, 0, i);
    bytes = Math.max(bytes, start + own.bytes);
  }
  return { bytes, starts };
}

/** In the order of births, each block in the smallest gap that holds it. */
function byTime(blocks: readonly Block[]): Places {
  const packing = new Gaps();
  const starts = new Array<number>(blocks.length).fill(0);
  const births = blocks.map((_, i) => i).sort((a, b) => blocks[a].from - blocks[b].from);
  const deaths = blocks.map((_, i) => i).sort((a, b) => blocks[a].to - blocks[b].to);
  let next = 0;
  for (const i of births) {
    for (; next < deaths.length && blocks[deaths[next]].to <= blocks[i].from; next++) packing.give(starts[deaths[next]], blocks[deaths[next]].bytes);
    starts[i] = packing.take(blocks[i].bytes);
  }
  return { bytes: packing.bytes, starts };
}

interface Gap {
  start: number;
  end: number;
}

/** Gives out places from 0 on, and takes them back. */
class Gaps {
  /** Bytes from 0 to the end of the farthest block so far. */
  bytes = 0;
  /** Free places below `bytes`, by their start; neighbours are one. */
  private readonly gaps: Gap[] = [];

  /** The place of a block. */
  take(bytes: number): number {
    if (bytes === 0) return 0;
    let best = -1;
    for (let i = 0; i < this.gaps.length; i++) {
      const room = this.gaps[i].end - this.gaps[i].start;
      if (room >= bytes && (best < 0 || room < this.gaps[best].end - this.gaps[best].start)) best = i;
    }
    if (best < 0) {
      // the farthest block grows into what is free before it
      const last = this.gaps.at(-1);
      const start = last !== undefined && last.end === this.bytes ? last.start : this.bytes;
      if (start < this.bytes) this.gaps.pop();
      this.bytes = start + bytes;
      return start;
    }
    const gap = this.gaps[best];
    const { start } = gap;
    gap.start += bytes;
    if (gap.start === gap.end) this.gaps.splice(best, 1);
    return start;
  }

  give(start: number, bytes: number): void {
    if (bytes === 0) return;
    const end = start + bytes;
    let [low, high] = [0, this.gaps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.gaps[middle].start < start) low = middle + 1;
      else high = middle;
    }
    const before = this.gaps[low - 1];
    const after = this.gaps[low];
    if (before?.end === start) {
      before.end = end;
      if (after?.start === end) {
        before.end = after.end;
        this.gaps.splice(low, 1);
      }
    } else if (after?.start === end) after.start = start;
    else this.gaps.splice(low, 0, { start, end });
  }
}
