// A training for both sides of a test: `tapir` is the copy of the package that does it.

/** Trains a small network; answers its weights as arrays by name. */
export async function training({ layers, manualSeed, mseLoss, optim, randn, train }, { epochs, onProgress, signal }) {
  manualSeed(5);
  const model = new layers.Sequential(new layers.Linear(32, 64), new layers.ReLU(), new layers.Linear(64, 8));
  const batches = Array.from({ length: 10 }, () => [randn([16, 32]), randn([16, 8])]);
  await train.fit(model, batches, { loss: mseLoss, optimizer: new optim.Adam(model.parameters()), epochs, onProgress, signal });
  return Object.fromEntries(Object.entries(model.stateDict()).map(([name, weight]) => [name, weight.data()]));
}
