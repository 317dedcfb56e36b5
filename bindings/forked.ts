// A large op outside of a program, on all threads: the kernel calls of its parts are noted, written as a program of one phase, and run
// by the team.
import { signatures } from "../build/program/instructions.js";
import { abortError, isAborted } from "./abort.js";
import { TimeoutError, WorkerError } from "./errors.js";
import { withKernels } from "./kernels.js";
import { currentHome, type Home, type HomeTask, releaseBlock, reserveBlock, withHome } from "./memory.js";
import { type Build, buildNumber, callKernel, kernelAt, kernelsOfBuild, type NotedCall, phaseBytes, recorder, writePhase } from "./noting.js";
import { type Loss, loseTeam, type Team } from "./team.js";
import { Untraceable } from "./trace.js";

/** Calls of the part that is noted now, and the build that they belong to. */
let calls: NotedCall[] = [];
let build: Build | undefined;

/** Kernels that note their calls; those that only compute a size do so now. */
const recording = recorder((kernels, own, name, args) => {
  if (!(name in signatures)) return callKernel(kernels, name, args);
  build ??= own;
  if (build !== own) throw new Untraceable("expected kernels of one element type");
  calls.push({ name, args });
  return 0;
});

let codePtr = 0;
let codeBytes = 0;

/** Where the program of the op is written; the next op has the same block. */
function code(bytes: number): number {
  if (bytes > codeBytes) {
    const ptr = reserveBlock(2 * bytes);
    if (codePtr !== 0) releaseBlock(codePtr, codeBytes);
    codePtr = ptr;
    codeBytes = 2 * bytes;
  }
  return codePtr;
}

/**
 * Runs tasks by a team; false if they must be done by one thread instead: a kernel found something wrong and will say so, a thread was
 * lost before anything from before was changed (`again`), or their JavaScript reads elements. Throws WorkerError, TimeoutError, AbortError.
 */
export function forked(team: Team, tasks: readonly HomeTask[], again: boolean): boolean {
  const heap = currentHome();
  const blocks: { ptr: number; bytes: number }[] = [];
  /** Blocks live until all tasks have run. */
  const allocate = (bytes: number): number => {
    const ptr = heap.allocate(bytes);
    blocks.push({ ptr, bytes });
    return ptr;
  };
  const home: Home = {
    allocate,
    release: () => undefined,
    scratch: allocate,
    view(ptr, length, dtype) {
      if (calls.length > 0) throw new Untraceable("expected kernels alone to touch elements");
      return heap.view(ptr, length, dtype);
    },
    loop: heap.loop,
  };
  build = undefined;
  try {
    const parts: NotedCall[][] = [];
    withHome(home, () =>
      withKernels(recording, () => {
        for (const { run } of tasks) {
          calls = [];
          run();
          parts.push(calls);
        }
      }),
    );
    return led(team, parts, again);
  } catch (error) {
    if (error instanceof Untraceable) return false;
    throw error;
  } finally {
    calls = [];
    for (const { ptr, bytes } of blocks) heap.release(ptr, bytes);
  }
}

function led(team: Team, parts: readonly (readonly NotedCall[])[], again: boolean): boolean {
  if (build === undefined) return true;
  const table = writePhase(code(phaseBytes(parts)), parts);
  const stopped = team.lead(kernelsOfBuild(build), buildNumber(build), table, 1);
  if (stopped === 0) return true;
  if (typeof stopped !== "number") return lost(stopped, parts, again);
  if (isAborted()) throw abortError("an op on several threads", `kernel ${kernelAt(codePtr, parts, stopped)}`);
  return false;
}

function lost({ pc, reason }: Loss, parts: readonly (readonly NotedCall[])[], again: boolean): boolean {
  const name = kernelAt(codePtr, parts, pc);
  const what = reason === "trapped" ? `kernel ${name} trapped` : `a worker thread ${reason === "gone" ? "ended" : "did not answer"} in ${name}`;
  if (reason !== "trapped") {
    loseTeam(what);
    // the code block may still be read
    codeBytes = 0;
    codePtr = 0;
  }
  if (again && reason !== "trapped") return false;
  throw new (reason === "late" ? TimeoutError : WorkerError)(
    `${name}: expected an op that runs to its end; ${what}; its result may be half written; compute it anew, or with configure({ threads: 1 })`,
  );
}
