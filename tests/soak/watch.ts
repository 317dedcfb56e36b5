// What long runs show, and what ends them when nothing happens.
const STUCK_MS = 30_000;

export function progress(what: string, done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}: ${done} of ${all}`);
}

/** Ends the run if nothing was done for long: a hang is a failure, not a wait. */
export function watchdog(what: string): { alive(): void; end(): void } {
  const word = new SharedArrayBuffer(4);
  const seen = new Int32Array(word);
  const program = `const s = new Int32Array(require("node:worker_threads").workerData); let last = -1;
    setInterval(() => { if (s[0] === last) { console.error(${JSON.stringify(`${what}: nothing was done for ${STUCK_MS / 1000} s`)}); process.kill(process.pid, "SIGKILL"); } last = s[0]; }, ${STUCK_MS});`;
  const worker = new Worker(program, word);
  return { alive: () => void Atomics.add(seen, 0, 1), end: () => worker.end() };
}

class Worker {
  private readonly thread: import("node:worker_threads").Worker;
  constructor(program: string, workerData: unknown) {
    const { Worker: Thread } = process.getBuiltinModule("node:worker_threads");
    this.thread = new Thread(program, { eval: true, workerData });
  }
  end(): void {
    void this.thread.terminate();
  }
}
