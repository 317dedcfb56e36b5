// Trainings that are killed at random moments and go on from their checkpoints, against one that was never stopped.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Random } from "../draw.js";

/** What the program prints; undefined if it was killed after so many ms. */
function run(folder: string, ms?: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["tests/train/resume.mjs", folder], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
    });
    const timer = ms === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), ms);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL") resolve(undefined);
      else if (code === 0) resolve(text);
      else reject(new Error(`resume.mjs ended with ${code ?? signal}`));
    });
  });
}

export const fresh = (): string => mkdtempSync(join(tmpdir(), "tapir-resume-"));

/** Kills at least so many; answers how many there were, each of them followed by a run that ends with the right bits. */
export async function killed(least: number, seed: number, done: (kills: number) => void = () => undefined): Promise<number> {
  const random = new Random(seed);
  const whole = fresh();
  const started = performance.now();
  const expected = await run(whole);
  const ms = performance.now() - started;
  rmSync(whole, { recursive: true });
  let kills = 0;
  while (kills < least) {
    const folder = fresh();
    let found: string | undefined;
    while (found === undefined) {
      // a part of a run, starting of the process included, so that each comes a little further; then to the end
      found = await run(folder, kills < least ? ms * (0.3 + 0.5 * random.unit()) : undefined);
      if (found === undefined) done(++kills);
    }
    assert.is(found, expected, `after ${kills} kills`);
    // what was left half written is cleared
    assert.not.ok(readdirSync(folder).some((file) => file.endsWith(".partial")));
    rmSync(folder, { recursive: true });
  }
  return kills;
}
