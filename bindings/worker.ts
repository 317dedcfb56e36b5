// What a worker thread runs: it waits in WebAssembly for jobs and does its part of each. Bundled by itself and embedded as text.
import type { Kernels } from "./kernels.js";

/** What a worker is given when it starts. */
export interface Start {
  readonly memory: WebAssembly.Memory;
  /** Builds by number: the one that every job may need, compiled, and the bytes of the other, which few programs call. */
  readonly modules: readonly (WebAssembly.Module | Uint8Array<ArrayBuffer>)[];
  readonly control: number;
  /** Number of the thread, from 1. */
  readonly me: number;
}

/** Waits for jobs until it is told to stop. `threadId` is what the system calls the thread, 0 where nothing tells. */
export function serve({ memory, modules, control, me }: Start, threadId: number): void {
  const builds: Kernels[] = [];
  const kernels = (build: number): Kernels => {
    const source = modules[build];
    builds[build] ??= new WebAssembly.Instance(source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source), {
      // the loader's own handler; kernels have no assertions
      env: { memory, abort: () => undefined },
    }).exports as unknown as Kernels;
    return builds[build];
  };
  const words = new Int32Array(memory.buffer);
  const slots = words[control / 4 + 3];
  Atomics.store(words, (control + 320 + 64 * (slots + me)) / 4 + 1, threadId);
  const first = kernels(0);
  Atomics.add(words, control / 4 + 9, 1);
  let job = 0;
  for (;;) {
    job = first.teamAwait(control, me, job);
    if (job < 0) return;
    const build = first.teamBuild(control, job);
    if (build < 0) continue;
    const mine = kernels(build);
    for (;;) {
      try {
        mine.teamWork(control, me, job);
        break;
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        mine.teamTrap(control, me);
      }
    }
  }
}
