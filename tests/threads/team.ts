// What tests of threads share.
import { readyTeam } from "../../bindings/team.js";

/** Waits until a worker is ready: until then programs run on one thread. Throws after 10 s. */
export function awaitTeam(): void {
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 1000; i++) {
    if (readyTeam() !== undefined) return;
    Atomics.wait(word, 0, 0, 10);
  }
  throw new Error("no worker thread was ready within 10 s");
}
