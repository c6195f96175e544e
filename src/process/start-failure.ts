import { EmbeddedPostgresError } from "@byond/embedded-postgres/error";
import { CommandError } from "../capability.ts";
import { ConfigError } from "../config/config-error.ts";
import { EarlierSchemaError } from "../database/applied-migrations.ts";
import { UnsuitableDatabaseError } from "../database/check-database.ts";
import { DatabaseConnectionError } from "../database/connection-error.ts";
import { MigrationError } from "../database/migrate.ts";
import { AppError } from "../errors.ts";
import { describeError } from "../observe/log.ts";
import { PortError } from "../server/one-port.ts";
import { WorkerStartError } from "../workers/worker-pool.ts";
import { RegistrationTimeout } from "./register-server.ts";
import type { ServerConfig } from "./server-config.ts";

/** Errors whose message is written for the operator. */
const forOperators = [ConfigError, CommandError, EmbeddedPostgresError, RegistrationTimeout, WorkerStartError];

/**
 * The message for the operator of a program that failed. A problem that they can fix is explained in sentences that name the
 * setting; any other error is printed with its stack. `config` is undefined if the configuration itself could not be read.
 */
export function explainFailure(error: unknown, config: ServerConfig | undefined): string {
  if (error instanceof Error && forOperators.some((type) => error instanceof type)) {
    return error.message;
  }
  const explained = config && (explainListening(error, config) ?? explainDatabase(error, config));
  return explained ?? JSON.stringify(describeError(error), undefined, 2);
}

/** Explains a refusal of the database. Undefined if the operator cannot fix it. */
function explainDatabase(error: unknown, { database }: ServerConfig): string | undefined {
  const origin = originOf(error);
  if (origin instanceof EarlierSchemaError) {
    return explainEarlierSchema(origin, database);
  }
  const code: unknown = Reflect.get(origin, "code");
  const isExplained =
    origin instanceof DatabaseConnectionError ||
    origin instanceof UnsuitableDatabaseError ||
    origin instanceof MigrationError ||
    (error instanceof AppError && error.code === "unavailable");
  if (!isExplained && !(typeof code === "string" && fixable.test(code))) {
    return undefined;
  }
  const named: unknown = Reflect.get(origin, "setting");
  const setting = database.kind === "embedded" ? "DATA_DIR" : typeof named === "string" ? named : "DATABASE_URL";
  const known = typeof code === "string" ? hints[code] : undefined;
  const hint = known ?? (origin instanceof MigrationError ? changedSchema : "");
  return `The database of ${setting} cannot be used: ${origin.message}${hint}`;
}

function explainEarlierSchema({ message }: EarlierSchemaError, database: ServerConfig["database"]): string {
  return database.kind === "external"
    ? `The database of DATABASE_URL cannot be used: ${message}. Set it to an empty database.`
    : `The database of DATA_DIR cannot be used: ${message}. Delete the folder ${database.dataDir} with all its data, or set DATA_DIR to another one.`;
}

const changedSchema =
  ". The migrations before it are kept. If the schema was changed by something else, or restored in part, undo that, or restore a whole backup; otherwise please report it";

/** By SQLSTATE. */
const hints: Readonly<Record<string, string>> = {
  "42501":
    ". The role must own the schema, or have CREATE on it. One that does not migrate needs the rights that byond grants prints",
  "55P03":
    ". Another transaction holds a lock for longer than lock_timeout of the role, the database or the URL's options",
  "57014":
    ". It was cancelled, or statement_timeout of the role, the database or the URL's options is too short. Finished migrations are kept: start the server again",
};

/** The error that caused an `AppError`. */
function originOf(error: unknown): Error {
  return error instanceof AppError ? originOf(error.cause) : error instanceof Error ? error : new Error(String(error));
}

/**
 * Error codes of the network, and SQLSTATEs: not authorized (28, 42501), no such database or schema (3D, 3F), read-only
 * (25006), currently unavailable (08, 53, 57P, 57014, 55P03).
 */
const fixable = /^(ECONN|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_|28|42501|3D|3F|25006|08|53|57P|57014|55P03)/;

function explainListening(error: unknown, { host, port }: ServerConfig): string | undefined {
  if (!(error instanceof PortError)) {
    return undefined;
  }
  const { code, message } = error;
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `Cannot listen on ${place}: the port is taken. Set PORT to another one, or stop the server that has it.`;
    case "EADDRNOTAVAIL":
      return `Cannot listen on ${place}: HOST is not an address of this machine.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `Cannot listen on ${place}: the name in HOST cannot be resolved (${message}).`;
    case "EACCES":
      return `Cannot listen on ${place}: this user may not open the port. Set PORT to 1024 or above.`;
    default:
      return `Cannot listen on ${place} (HOST and PORT): ${message}`;
  }
}
