// File formats, as `formats` of the package.
export { loadSafetensors, saveSafetensors } from "./safetensors.js";
