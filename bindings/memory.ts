// The one shared memory: 0..1023 reserved, kernels' tables below 64 KiB, the heap above. It is reserved once (up to
// 4 GiB, halved until the engine grants it) and grows on demand: pointers stay valid, views are taken anew.
import { Allocator } from "./allocator.js";
import type { DType, TypedArray } from "./dtype.js";
import { ConfigError, OutOfMemoryError } from "./errors.js";

const PAGE = 65536;
const HEAP = PAGE;
const MAXIMUM_PAGES = 65536;
const GROW_PAGES = 64; // 4 MiB at a time

let memory: WebAssembly.Memory | undefined;
let limit = MAXIMUM_PAGES * PAGE;
let bytes: Uint8Array;
let float32: Float32Array;
let float64: Float64Array;
let int32: Int32Array;

function reserve(): WebAssembly.Memory {
  for (let maximum = MAXIMUM_PAGES; maximum >= 256; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 2, maximum, shared: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      limit = Math.min(limit, (maximum / 2) * PAGE);
    }
  }
  throw new OutOfMemoryError("memory: the engine grants no shared memory of 16 MiB or more; free some, or raise the process limit");
}

function refresh(): void {
  const buffer = theMemory().buffer;
  bytes = new Uint8Array(buffer);
  float32 = new Float32Array(buffer);
  float64 = new Float64Array(buffer);
  int32 = new Int32Array(buffer);
}

/** The memory, made at first use so that importing costs nothing. */
export function theMemory(): WebAssembly.Memory {
  if (!memory) {
    memory = reserve();
    refresh();
  }
  return memory;
}

function reach(top: number): boolean {
  const have = theMemory().buffer.byteLength;
  if (top > limit) return false;
  if (top <= have) return true;
  const need = Math.ceil((top - have) / PAGE);
  const room = Math.floor((limit - have) / PAGE);
  try {
    theMemory().grow(Math.min(room, Math.max(need, GROW_PAGES, have / PAGE / 4) | 0));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
  refresh();
  return true;
}

const allocator = new Allocator(HEAP, reach);

function mebibytes(n: number): string {
  return `${(n / 2 ** 20).toFixed(1)} MiB`;
}

/** Where blocks come from: the heap, or the plan of a program that is being captured. */
export interface Home {
  allocate(size: number): number;
  release(ptr: number, size: number): void;
  scratch(size: number): number;
  /** Elements at an address; a program that is being captured has them nowhere but in tables. */
  view(ptr: number, length: number, dtype: DType): TypedArray;
  /** Does at once what was noted for later. */
  settle?(): void;
  /** Notes tasks that touch nothing in common; the heap, where kernels run at once, has none. */
  divide?(tasks: readonly HomeTask[]): void;
  /** Calls `fn` `count` times with the addresses of `moving`, each further by its step each time. */
  loop(count: number, moving: readonly Moving[], fn: (addresses: readonly number[]) => void): void;
}

/** Calls of kernels, and what they read and write, apart from memory of their own. */
export interface HomeTask {
  readonly reads: readonly Located[];
  readonly writes: readonly Located[];
  run(): void;
}

/** Elements in memory. */
export interface Located {
  readonly ptr: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** An address that goes forward. */
export interface Moving {
  readonly ptr: number;
  readonly stepBytes: number;
}

/** Addresses from here on are not of the memory: a program that is being captured gives them out. */
export const CAPTURED = 2 ** 33;

/** The home of what is neither captured nor noted. */
export const heapHome: Home = {
  allocate: fromHeap,
  release: (ptr, size) => allocator.release(ptr, size),
  scratch: scratchOfHeap,
  view: viewOfHeap,
  loop: loopNow,
};
let home = heapHome;

/** Where blocks come from now; a block goes back to where it came from. */
export function currentHome(): Home {
  return home;
}

/** Runs `fn` with blocks from another home. */
export function withHome<T>(other: Home, fn: () => T): T {
  const outer = home;
  home = other;
  try {
    return fn();
  } finally {
    home = outer;
  }
}

/** Call it before elements are touched by other ways than kernels and view(), or memory from before is changed. */
export function settle(): void {
  home.settle?.();
}

/** Address of `size` bytes of the current home, aligned to 64; throws OutOfMemoryError with requested, in use and limit. */
export function allocate(size: number): number {
  return home.allocate(size);
}

function fromHeap(size: number): number {
  const ptr = allocator.allocate(size);
  if (ptr === 0) {
    throw new OutOfMemoryError(
      `memory: ${mebibytes(size)} requested, ${mebibytes(allocator.liveBytes)} in use, limit ${mebibytes(limit)}; dispose tensors or raise configure({ maxMemory })`,
    );
  }
  return ptr;
}

/** Address of `size` bytes of the heap that are no tensor's: stats do not count them as one. Throws OutOfMemoryError. */
export function reserveBlock(size: number): number {
  const ptr = fromHeap(size);
  allocator.live--;
  return ptr;
}

/** Gives back what reserveBlock gave. */
export function releaseBlock(ptr: number, size: number): void {
  allocator.release(ptr, size);
  allocator.live++;
}

/** A limit in bytes that came from outside. */
export function checkedLimit(maxMemory: unknown): number {
  if (typeof maxMemory !== "number" || !(maxMemory >= PAGE) || maxMemory > MAXIMUM_PAGES * PAGE) {
    throw new ConfigError(`configure: expected maxMemory from 65536 to 4294967296 bytes; got ${String(maxMemory)}`);
  }
  return maxMemory;
}

/** Sets the limit in bytes, for allocations from now on; memory comes in pages, so it ends with the last whole one. */
export function setLimit(maxMemory: number): void {
  limit = Math.floor(maxMemory / PAGE) * PAGE;
}

/** A view of `length` elements at `ptr`; valid until the memory grows. */
export function view(ptr: number, length: number, dtype: DType): TypedArray {
  return home.view(ptr, length, dtype);
}

function viewOfHeap(ptr: number, length: number, dtype: DType): TypedArray {
  theMemory();
  switch (dtype) {
    case "float32":
      return float32.subarray(ptr / 4, ptr / 4 + length);
    case "float64":
      return float64.subarray(ptr / 8, ptr / 8 + length);
    case "int32":
      return int32.subarray(ptr / 4, ptr / 4 + length);
    default:
      return bytes.subarray(ptr, ptr + length);
  }
}

/** One element. */
export function read(ptr: number, dtype: DType): number {
  if (home !== heapHome) return home.view(ptr, 1, dtype)[0];
  switch (dtype) {
    case "float32":
      return float32[ptr / 4];
    case "float64":
      return float64[ptr / 8];
    case "int32":
      return int32[ptr / 4];
    default:
      return bytes[ptr];
  }
}

export function write(ptr: number, dtype: DType, value: number): void {
  if (ptr >= CAPTURED) {
    home.view(ptr, 1, dtype)[0] = dtype === "bool" ? Number(value !== 0) : value;
    return;
  }
  switch (dtype) {
    case "float32":
      float32[ptr / 4] = value;
      break;
    case "float64":
      float64[ptr / 8] = value;
      break;
    case "int32":
      int32[ptr / 4] = value;
      break;
    default:
      bytes[ptr] = dtype === "bool" ? Number(value !== 0) : value;
  }
}

function loopNow(count: number, moving: readonly Moving[], fn: (addresses: readonly number[]) => void): void {
  for (let round = 0; round < count; round++) fn(moving.map(({ ptr, stepBytes }) => ptr + round * stepBytes));
}

let scratchPtr = 0;
let scratchBytes = 0;

/** A block that one kernel call may use as it likes; the next call has the same one. */
export function scratch(size: number): number {
  return home.scratch(size);
}

function scratchOfHeap(size: number): number {
  if (size > scratchBytes) {
    const ptr = reserveBlock(size);
    if (scratchPtr !== 0) releaseBlock(scratchPtr, scratchBytes);
    scratchPtr = ptr;
    scratchBytes = size;
  }
  return scratchPtr;
}

export interface MemoryStats {
  /** Blocks in use, each the memory of one tensor and its views, or of several until one of them is changed. */
  tensors: number;
  /** Bytes of those blocks and of the kernels' scratch. */
  bytes: number;
  /** Largest `bytes` so far. */
  peakBytes: number;
  /** Bytes of WebAssembly memory taken from the system. */
  wasmBytes: number;
  /** Bytes that `wasmBytes` may reach. */
  limit: number;
}

/** What the tensors hold now. */
export const memoryStats = {
  stats(): MemoryStats {
    return {
      tensors: allocator.live,
      bytes: allocator.liveBytes,
      peakBytes: allocator.peakBytes,
      wasmBytes: theMemory().buffer.byteLength,
      limit,
    };
  },
};
