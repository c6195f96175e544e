import { PassThrough, Readable } from "node:stream";
import { expect } from "vitest";
import { parseConfig, standardCapabilities } from "../../src/app.ts";
import type { Finding } from "../../src/finding.ts";
import { commandContext, commandsOf } from "../../src/process/operator-commands.ts";
import { captureLog } from "./log-capture.ts";

/** What `byond doctor` finds out with these variables. It must not repeat a secret: those of `BYOND_SECRET`, "hunter2" and "opensesame". */
export async function diagnose(variables: Record<string, string>): Promise<Finding[]> {
  const capabilities = standardCapabilities();
  const config = parseConfig(variables);
  let written = "";
  const terminal = {
    logger: captureLog().logger,
    options: { json: "" },
    input: Readable.from([]),
    environment: {},
    write: (text: string) => {
      written += text;
    },
    output: new PassThrough(),
    terminal: new PassThrough(),
  };
  const failure = await commandsOf(capabilities)
    .get("doctor")
    ?.run(commandContext(config, capabilities, terminal))
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  const { verdict, findings }: { verdict: string; findings: Finding[] } = JSON.parse(written);
  expect(failure !== undefined).toBe(verdict === "fault");
  for (const value of [...(config.secrets ?? []), "hunter2", "opensesame"]) {
    expect(written).not.toContain(value);
  }
  return findings;
}

/** The PostgreSQL of the tests may lose everything. */
export function isOfTestPostgres({ found }: Finding): boolean {
  return /^\w+ is off$/.test(found);
}
