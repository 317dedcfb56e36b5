// import "tapir/fast": asks V8 for the features that tapir's kernels are fastest with. It changes the whole process, so
// a program asks for it; the library never does. Import it before the first tensor is made.
// Node 20: fused multiply-add (58 instead of 33 GFLOP/s in `npm run bench -- gemm`). Node 24: pairs of 128-bit vectors
// run as one of 256 bits (100 to 110 GFLOP/s).
import { existsSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { sayPairs } from "../bindings/probe.js";

const major = Number(process.versions.node.split(".")[0]);
if (major === 20 || major === 21) setFlagsFromString("--experimental-wasm-relaxed-simd");
if (major >= 24) {
  setFlagsFromString("--experimental-wasm-revectorize");
  if (hasAvx2()) sayPairs();
}

/** Whether the processor has vectors of 256 bits: V8 fuses pairs only then. Where no file tells, every x64 machine of the last ten years. */
function hasAvx2(): boolean {
  if (process.arch !== "x64") return false;
  const file = "/proc/cpuinfo";
  return !existsSync(file) || /\bavx2\b/.test(readFileSync(file, "utf8"));
}
