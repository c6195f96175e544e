/** A server that removes what nobody needs any more all the time, and not once a minute. */
import { createApp, parseConfig } from "../../src/app.ts";
import { createLogger } from "../../src/observe/log.ts";

const app = await createApp(parseConfig(process.env), {
  logger: createLogger((line) => void process.stderr.write(line)),
  onFatal: (reason) => {
    throw reason;
  },
  sweepIntervalMs: 20,
});
process.once("SIGTERM", () => void app.close());
process.stdout.write(`listening on ${app.url}\n`);
