// File formats, as `formats` of the package.

export { type CheckpointTree, loadCheckpoint, saveCheckpoint } from "./checkpoint.js";
export { loadNpy, saveNpy } from "./npy.js";
export { type LoadNpzOptions, loadNpz, type SaveNpzOptions, saveNpz } from "./npz.js";
export { loadSafetensors, saveSafetensors } from "./safetensors.js";
