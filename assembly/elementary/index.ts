// The elementary functions of one vector.
export { exp, exp2, expm1 } from "./exponential";
export { log, log2, log10, log1p } from "./logarithm";
export { cos, sin, tan } from "./circular";
export { acos, asin, atan, atan2 } from "./inverse";
export { cosh, sigmoid, sinh, tanh } from "./hyperbolic";
export { erf } from "./erf";
export { bell, normalCdf, normalTail } from "./normal";
export { pow } from "./power";
