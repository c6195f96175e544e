import { type Config, createApp, parseConfig } from "../../src/app.ts";
import { explainFailure } from "../../src/process/start-failure.ts";
import { captureLog } from "./log-capture.ts";

/** Starts as `main.ts` does, in this process, and returns what the operator is told of a refusal. Undefined: it started, and is closed again. */
export async function startRefusal(environment: Record<string, string>): Promise<string | undefined> {
  let config: Config | undefined;
  const onFatal = (reason: Error) => {
    throw reason;
  };
  try {
    config = parseConfig({ PORT: "0", ...environment });
    const app = await createApp(config, { logger: captureLog().logger, onFatal });
    await app.close();
    return undefined;
  } catch (error) {
    return explainFailure(error, config);
  }
}
