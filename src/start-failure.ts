import { CommandError } from "./auth/account-command.ts";
import { type Config, ConfigError } from "./config.ts";
import { DatabaseConnectionError } from "./database/connection-error.ts";
import { EmbeddedPostgresError } from "./database/embedded/error.ts";
import { AppError } from "./errors.ts";
import { describeError } from "./log.ts";
import { PortError } from "./server/one-port.ts";

/**
 * What the operator is told of a program that could not do its work: what they can mend, in sentences that name the
 * setting; everything else with its stack. `config` is undefined where it is the configuration that could not be read.
 */
export function explainFailure(error: unknown, config: Config | undefined): string {
  if (error instanceof ConfigError || error instanceof CommandError || error instanceof EmbeddedPostgresError) {
    return error.message;
  }
  if (error instanceof DatabaseConnectionError) {
    return `The database${config?.database.kind === "external" ? " of DATABASE_URL" : ""} cannot be used: ${error.message}`;
  }
  const explained = config === undefined ? undefined : explainSurroundings(error, config);
  return explained ?? JSON.stringify(describeError(error), undefined, 2);
}

/** What the machine or the database refused. Undefined if it is nothing that a setting could mend. */
function explainSurroundings(error: unknown, config: Config): string | undefined {
  const cause = error instanceof AppError && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) {
    return undefined;
  }
  if (cause instanceof PortError) {
    return explainListening(cause, config);
  }
  if (config.database.kind === "external" && isAboutConnection(textOf(cause, "code"))) {
    return `The database of DATABASE_URL cannot be used: ${messagesOf(cause)}`;
  }
  return undefined;
}

function explainListening({ code, message }: PortError, { host, port }: Config): string {
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `Cannot listen on ${place}: the port is taken. Set PORT to another one, or stop the server that has it.`;
    case "EADDRNOTAVAIL":
      return `Cannot listen on ${place}: HOST is no address of this machine.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `Cannot listen on ${place}: HOST is a name that nobody knows (${message}).`;
    case "EACCES":
      return `Cannot listen on ${place}: this user may not open the port. Set PORT to 1024 or above.`;
    default:
      return `Cannot listen on ${place}, which HOST and PORT name: ${message}`;
  }
}

/** Errors of the network, and SQLSTATE: no right to connect (28), no such database (3D), not now (08, 53, 57P). */
function isAboutConnection(code: string): boolean {
  return /^(ECONN|ETIMEDOUT|ENOTFOUND|ENOENT|EHOSTUNREACH|ENETUNREACH|EAI_|28|3D|08|53|57P)/.test(code);
}

/** A name with several addresses fails with one error for each of them, and no message of its own. */
function messagesOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map((each: unknown) => String(each)).join("; ") : error.message;
}

function textOf(error: Error, property: "code"): string {
  const value: unknown = Reflect.get(error, property);
  return typeof value === "string" ? value : "";
}
