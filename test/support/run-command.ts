import { PassThrough, Readable } from "node:stream";
import { parseConfig, standardCapabilities } from "../../src/app.ts";
import { commandContext, commandsOf } from "../../src/process/operator-commands.ts";
import { addressOf } from "./database-address.ts";
import { captureLog } from "./log-capture.ts";

/** Runs a command of the operator in this process, on a database. Throws what the command throws. */
export async function runCommand(
  name: string,
  databaseUrl: string,
  {
    options,
    input,
    secrets,
  }: {
    readonly options: Readonly<Record<string, string>>;
    readonly input: string;
    readonly secrets?: readonly string[];
  },
): Promise<void> {
  const capabilities = standardCapabilities();
  const config = {
    ...parseConfig({}),
    database: { kind: "external", address: addressOf(databaseUrl) },
    secrets,
  } as const;
  const terminal = {
    logger: captureLog().logger,
    options,
    input: Readable.from([input]),
    environment: {},
    write: () => undefined,
    output: new PassThrough().resume(),
    terminal: new PassThrough().resume(),
  };
  await commandsOf(capabilities)
    .get(name)
    ?.run(commandContext(config, capabilities, terminal));
}
