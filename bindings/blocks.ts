// Blocks of memory in the order of their addresses: which of them a byte lies in.

export class Blocks {
  /** Where each block begins, ascending, and where it ends. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  add(ptr: number, bytes: number): void {
    const i = this.beyond(ptr);
    this.starts.splice(i, 0, ptr);
    this.ends.splice(i, 0, ptr + bytes);
  }

  /** Forgets the block that begins at `ptr`, if there is one. */
  remove(ptr: number): void {
    const i = this.beyond(ptr) - 1;
    if (this.starts[i] !== ptr) return;
    this.starts.splice(i, 1);
    this.ends.splice(i, 1);
  }

  clear(): void {
    this.starts.length = 0;
    this.ends.length = 0;
  }

  /** Where the block begins that an address lies in. */
  at(address: number): number | undefined {
    const i = this.beyond(address) - 1;
    return address < this.ends[i] ? this.starts[i] : undefined;
  }

  /** How many blocks begin at an address or before it. */
  private beyond(address: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
