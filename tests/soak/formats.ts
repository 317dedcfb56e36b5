// 100,000 changed files of each format (npm run soak -- formats): no crash, no hang, no memory lost.
import { Random } from "../draw.js";
import { formatsToChange, readChanged } from "../formats/mutated.js";
import { progress, watchdog } from "./watch.js";

const FILES = 100_000;
const SEED = Number(process.env.TAPIR_SOAK_SEED ?? 1);

for (const name of Object.keys(formatsToChange)) {
  const dog = watchdog(name);
  const started = performance.now();
  const right = await readChanged(name, FILES, new Random(SEED), (done) => {
    dog.alive();
    if (done % 1000 === 0) progress(name, done, FILES);
  });
  dog.end();
  const seconds = (performance.now() - started) / 1000;
  console.log(`\r${name}: ${FILES} changed files (seed ${SEED}) in ${seconds.toFixed(0)} s, ${right} were still right, the others FormatErrors`);
}
process.exit(0);
