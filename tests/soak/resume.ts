// Trainings killed at 50 random moments: npm run soak -- resume.
import { killed } from "../train/kills.js";
import { progress, watchdog } from "./watch.js";

const KILLS = 50;
const SEED = 31;
const dog = watchdog("resume");
const kills = await killed(KILLS, SEED, (done) => {
  dog.alive();
  progress("killed", done, KILLS);
});
dog.end();
if (process.stderr.isTTY) process.stderr.write("\n");
console.log(`${kills} of ${KILLS} trainings that were killed (seed ${SEED}) ended with the bits of one that was not`);
