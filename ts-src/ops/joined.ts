// What the ops have in common that stand for several in a compiled graph.

/** They are made after derivatives were taken, so they have none. */
export const joined = {
  saves: [],
  vjp: "none",
  refuses: "expected a graph before it was optimised; take derivatives first, then compile",
  samples: [],
} as const;
