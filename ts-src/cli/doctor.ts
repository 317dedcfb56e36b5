// tapir doctor: what the machine offers and what tapir makes of it.
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { arithmetic } from "../../bindings/kernels.js";
import { memoryStats } from "../../bindings/memory.js";
import { probe } from "../../bindings/probe.js";
import { threadsInUse } from "../../bindings/team.js";
import { type Command, parse } from "./options.js";

export const command: Command = {
  name: "doctor",
  operands: "",
  most: 0,
  summary: "Shows what this machine and engine offer, which kernel build is chosen, and why.",
  options: { json: { help: "print one JSON object as the last line" }, help: { help: "show this" } },
  examples: ["tapir doctor", "tapir doctor --json"],
};

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parse(command, args);
  const features = probe();
  const limit = memoryStats.stats().limit;
  const figures = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    simd: features.simd,
    relaxedSimd: features.relaxedSimd,
    threads: features.threads,
    threadsInUse: threadsInUse(),
    build: arithmetic(),
    memoryLimitBytes: limit,
    machineMemoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    return;
  }
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const yes = (on: boolean): string => (on ? "yes" : "no");
  const rows = [
    ["engine", `Node ${figures.node} on ${figures.platform}`],
    ["processor", `${figures.processor}, ${figures.cores} cores`],
    ["SIMD", `${yes(figures.simd)}${figures.simd ? "" : "; tapir needs it: use a newer engine"}`],
    ["relaxed SIMD", `${yes(figures.relaxedSimd)}; fused multiply-add${figures.relaxedSimd ? "" : ' needs Node 22 or import "tapir/fast"'}`],
    ["threads", figures.threads ? `${threadsInUse()}, the calling one included (TAPIR_THREADS, configure)` : "one; this engine shares no memory between them"],
    ["build chosen", figures.build === "relaxed" ? "relaxed: the fastest; bits may differ between machines" : "strict: the same bits on every machine"],
    ["memory", `up to ${gib(figures.memoryLimitBytes)} for tensors; the machine has ${gib(figures.machineMemoryBytes)}, ${gib(figures.freeMemoryBytes)} free`],
  ];
  for (const [name, text] of rows) process.stdout.write(`${name.padEnd(13)} ${text}\n`);
}
