// What a worker thread runs: it waits in WebAssembly for jobs and does its part of each. Bundled by itself and embedded as text.
import { READY, SLOTS, stateAt, THREAD } from "./control.js";
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
  const words = new Int32Array(memory.buffer, control);
  Atomics.store(words, stateAt(words[SLOTS], me) + THREAD, threadId);
  const first = kernels(0);
  Atomics.add(words, READY, 1);
  /** Calls `part`; a trap ends the task in which it was, and the rest of the job follows. */
  const untrapped = (mine: Kernels, part: () => number): number => {
    for (let next = part; ; next = () => mine.teamWork(control, me)) {
      try {
        return next();
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        mine.teamTrap(control, me);
      }
    }
  };
  for (;;) {
    const build = untrapped(first, () => first.teamServe(control, me));
    if (build < 0) return;
    if (build === 0) continue;
    const mine = kernels(build);
    untrapped(mine, () => mine.teamWork(control, me));
  }
}
