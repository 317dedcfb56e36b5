// The worker's program where there is only the Worker of the web.
import { type Start, serve } from "./worker.js";

addEventListener(
  "message",
  ({ data }: MessageEvent<Start>) => {
    serve(data, 0);
    postMessage("ended");
    close();
  },
  { once: true },
);
