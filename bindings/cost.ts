// What a piece of work takes on one thread, and whether dividing it pays.
import { kernelsThatRun } from "./kernels.js";
import { releaseBlock, reserveBlock } from "./memory.js";

export interface Work {
  readonly flops: number;
  /** Read and written. */
  readonly bytes: number;
}

/** us of work on one thread that a part should have: a phase costs 0.15 to 0.6 us, and work that goes to another core leaves its cache. */
const GRAIN_US = 6;
const BLOCK = 65536; // bytes of the copy
/** Of multiply-adds in fmaPeak, for each iteration. */
const PEAK_FLOPS = 96;
const PEAK_ITERATIONS = 10_000;
const COPIES = 8;
/** Work below both is not worth asking about: under 5 us, or some times that where each element takes a transcendental function. */
const [FEW_FLOPS, FEW_BYTES] = [200_000, 200_000];
const CALIBRATION_MS = 10;

let rates: { readonly flopsPerUs: number; readonly bytesPerUs: number } | undefined;

/** Multiply-adds and copied bytes of this machine a microsecond, the best of many short runs: kernels are slow until the engine has optimised them. */
function measured(): { flopsPerUs: number; bytesPerUs: number } {
  const kernels = kernelsThatRun("float32");
  const block = reserveBlock(2 * BLOCK);
  let [flopsPerUs, bytesPerUs] = [0, 0];
  const end = performance.now() + CALIBRATION_MS;
  do {
    const started = performance.now();
    kernels.fmaPeak(PEAK_ITERATIONS);
    const between = performance.now();
    for (let i = 0; i < COPIES; i++) kernels.copyVectors(block, block + BLOCK, BLOCK / 4);
    const ended = performance.now();
    flopsPerUs = Math.max(flopsPerUs, (PEAK_FLOPS * PEAK_ITERATIONS) / (1000 * (between - started)));
    bytesPerUs = Math.max(bytesPerUs, (2 * COPIES * BLOCK) / (1000 * (ended - between)));
  } while (performance.now() < end);
  releaseBlock(block, 2 * BLOCK);
  return { flopsPerUs, bytesPerUs };
}

let always = false;

/** For tests: work of any size is divided, down to single elements. */
export function divideAlways(on: boolean): void {
  always = on;
}

/** Whether parts may be as small as one element. */
export function dividesAlways(): boolean {
  return always;
}

/** Between how many threads work is worth dividing, not rounded; below 2 it is not. */
export function grainOf({ flops, bytes }: Work): number {
  if (always) return Number.POSITIVE_INFINITY;
  if (flops < FEW_FLOPS && bytes < FEW_BYTES) return 0;
  rates ??= measured();
  return (flops / rates.flopsPerUs + bytes / rates.bytesPerUs) / GRAIN_US;
}
