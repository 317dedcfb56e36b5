// Kernel calls that are noted instead of done, and how they are written as a program of one phase, a task for each slot of a team.
import { callBytes, encodeCall } from "./encode.js";
import { arithmetic, type Kernels, kernelsThatRun } from "./kernels.js";
import { view } from "./memory.js";

export type Build = "f32" | "f64";

export interface NotedCall {
  readonly name: string;
  readonly args: readonly number[];
}

/** The kernels of each build, every call of which goes to `note`, which answers in its place. */
export function recorder(note: (kernels: Kernels, build: Build, name: string, args: readonly number[]) => number): (build: Build) => Kernels {
  const made = new Map<string, Kernels>();
  return (build) => {
    const key = `${build} ${arithmetic()}`;
    let recording = made.get(key);
    if (recording === undefined) {
      const kernels = kernelsOfBuild(build);
      const noted = Object.keys(kernels).map((name) => [name, (...args: number[]): number => note(kernelsOfBuild(build), build, name, args)]);
      recording = Object.fromEntries(noted) as unknown as Kernels;
      made.set(key, recording);
    }
    return recording;
  };
}

/** The kernels of a build that do their work. */
export function kernelsOfBuild(build: Build): Kernels {
  return kernelsThatRun(build === "f64" ? "float64" : "float32");
}

/** Calls a kernel by its name. */
export function callKernel(kernels: Kernels, name: string, args: readonly number[]): number {
  return (kernels as unknown as Record<string, (...args: readonly number[]) => number>)[name](...args);
}

/** The number of a build in a job. */
export function buildNumber(build: Build): 0 | 1 {
  return build === "f64" ? 1 : 0;
}

/** Bytes of a program of one phase. */
export function phaseBytes(tasks: readonly (readonly NotedCall[])[]): number {
  return callsBytes(tasks) + 4 * (tasks.length + 1);
}

function callsBytes(tasks: readonly (readonly NotedCall[])[]): number {
  return tasks.flat().reduce((n, { args }) => n + callBytes(args), 0);
}

/** The kernel whose call stands at an address of a program that was written at `ptr`; the first one's for another address. */
export function kernelAt(ptr: number, tasks: readonly (readonly NotedCall[])[], pc: number): string {
  const calls = tasks.flat();
  let at = ptr;
  for (const { name, args } of calls) {
    if (at === pc) return name;
    at += callBytes(args);
  }
  return calls[0].name;
}

/** Writes a program of one phase to a block; answers the address of its table. */
export function writePhase(ptr: number, tasks: readonly (readonly NotedCall[])[]): number {
  const bytes = callsBytes(tasks);
  const words = view(ptr, phaseBytes(tasks) / 4, "int32") as Int32Array;
  const floats = view(ptr, Math.floor(bytes / 8), "float64") as Float64Array;
  const place = (word: number, value: number): void => {
    words[word] = value;
  };
  let at = 0;
  for (const [slot, calls] of tasks.entries()) {
    words[bytes / 4 + slot] = ptr + at;
    for (const { name, args } of calls) {
      encodeCall(words, floats, at, name, args, place);
      at += callBytes(args);
    }
  }
  words[bytes / 4 + tasks.length] = ptr + at;
  return ptr + bytes;
}
