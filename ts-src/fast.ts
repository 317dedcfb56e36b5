// import "tapir/fast": asks V8 for the features that tapir's kernels are fastest with. It changes the whole process, so
// a program asks for it; the library never does. Import it before the first tensor is made.
// Node 20: fused multiply-add (58 instead of 33 GFLOP/s in `npm run bench -- gemm`). Node 24: pairs of 128-bit vectors
// run as one of 256 bits (75 to 85 GFLOP/s).
import { setFlagsFromString } from "node:v8";

const major = Number(process.versions.node.split(".")[0]);
if (major === 20 || major === 21) setFlagsFromString("--experimental-wasm-relaxed-simd");
if (major >= 24) setFlagsFromString("--experimental-wasm-revectorize");
