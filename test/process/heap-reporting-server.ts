// The server in a process of its own, forked with --expose-gc: tells its address, and on every message the size of its
// heap after a collection. Writes its log to standard error.
import { createApp, parseConfig } from "../../src/app.ts";
import { createLogger } from "../../src/observe/log.ts";

const logger = createLogger((line) => process.stderr.write(line));
const app = await createApp(parseConfig(process.env), {
  logger,
  onFatal: (reason) => {
    throw reason;
  },
});
process.on("message", async () => {
  // Twice, with a turn in between: finalisers let go of more.
  globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  process.send?.({ heapBytes: heapUsed + external + arrayBuffers });
});
process.on("disconnect", () => app.close().then(() => process.exit(0)));
process.send?.({ url: app.url });
