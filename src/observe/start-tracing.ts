import type { Logger } from "./log.ts";
import type { TracedServer, Tracing } from "./tracing.ts";
import type { TracingSettings } from "./tracing-settings.ts";

/** Starts tracing. The SDK of OpenTelemetry is loaded here, and nowhere else. */
export async function startTracing(settings: TracingSettings, server: TracedServer, logger: Logger): Promise<Tracing> {
  const { openTelemetry } = await import("./open-telemetry.ts");
  return openTelemetry(settings, server, logger);
}
