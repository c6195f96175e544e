import { type Capability, type Command, CommandError, type OperatorCommand } from "../../capability.ts";
import { systemClock } from "../../clock.ts";
import { sessionRoute } from "../../database/check-routes.ts";
import { providePostgresToRead } from "../../database/provide-postgres.ts";
import { type ReadingSession, withReadingSession } from "../../database/reading-session.ts";
import type { Finding } from "../../finding.ts";
import { schemaOf } from "../database-schema.ts";
import { findSecrets, secretsAreIn } from "../master-secrets.ts";
import type { ServerConfig } from "../server-config.ts";
import { sealedRowsOf } from "../start-platform.ts";
import { agreementFindings } from "./agreement-findings.ts";
import { configurationFindings, problemFindings } from "./configuration-findings.ts";
import { databaseFindings } from "./database-findings.ts";
import { findingsJson, formatFindings, summaryOf } from "./format-findings.ts";
import { databaseFault, routeFindings } from "./route-findings.ts";
import { schemaFindings } from "./schema-findings.ts";

/**
 * `byond doctor`: looks at everything that a server needs, and says what is wrong with it and what to do. It changes nothing, and runs beside
 * servers. Throws `CommandError` if there is a fault.
 */
export function doctorCommand(capabilities: readonly Capability[]): OperatorCommand<ServerConfig> {
  return {
    summary:
      "Checks the configuration, the database, its migrations, the providers, the clocks and the secrets, and says what to do. Changes nothing and sends nothing. Exits with 1 if something is at fault.",
    options: { json: { meaning: "Prints the findings as JSON." } },
    async run(command) {
      const { settings, environment } = command;
      const found = await Promise.all([
        configurationFindings(settings, capabilities, environment, systemClock.now()),
        onDatabase(settings, capabilities),
        ...capabilities.map((capability) => capability.diagnose?.(settings) ?? []),
      ]);
      report(found.flat(), command);
    },
    runWithoutSettings(problems, command) {
      report(problemFindings(problems), command, "The rest is checked once the configuration can be read.");
    },
  };
}

function report(
  findings: readonly Finding[],
  { write, options }: Pick<Command, "write" | "options">,
  remark?: string,
): void {
  const isJson = options.json !== undefined;
  write(isJson ? findingsJson(findings) : formatFindings(findings));
  const summary = [summaryOf(findings), ...(remark === undefined ? [] : [remark])].join(" ");
  if (findings.some(({ verdict }) => verdict === "fault")) {
    throw new CommandError(summary);
  }
  if (!isJson) {
    write(`${summary}\n`);
  }
}

async function onDatabase(config: ServerConfig, capabilities: readonly Capability[]): Promise<readonly Finding[]> {
  const setting = config.database.kind === "external" ? "DATABASE_URL" : "DATA_DIR";
  try {
    const postgres = await providePostgresToRead(config);
    if (postgres === undefined) {
      return [
        { about: "database", verdict: "ok", found: "DATA_DIR holds none yet: the first start of a server makes it" },
      ];
    }
    await using resources = new AsyncDisposableStack();
    resources.defer(() => postgres.stop());
    const { routes } = postgres;
    const faults = await routeFindings(routes);
    const findings = faults.map(({ finding }) => finding);
    const { setting: examined } = sessionRoute(routes);
    if (faults.some(({ setting }) => setting === examined)) {
      return findings;
    }
    const found = await withReadingSession(sessionRoute(routes), "doctor", (session) =>
      examine(session, config, capabilities, routes.migrator === undefined),
    );
    return [...found, ...findings];
  } catch (error) {
    return [databaseFault(error, setting)];
  }
}

async function examine(
  session: ReadingSession,
  config: ServerConfig,
  capabilities: readonly Capability[],
  migratesItself: boolean,
): Promise<readonly Finding[]> {
  const database = await databaseFindings(session);
  if (database.some(({ verdict }) => verdict === "fault")) {
    return database;
  }
  const { state, findings } = await schemaFindings(session, schemaOf(capabilities), migratesItself);
  const examined = [...database, ...findings];
  if (
    state === "none" ||
    state === "foreign" ||
    state === "hidden" ||
    findings.some(({ about, verdict }) => about === "rights" && verdict === "fault")
  ) {
    return examined;
  }
  if (state === "older") {
    return [
      ...examined,
      {
        about: "secrets",
        verdict: "warning",
        found: "secrets and clocks are checked after the migrations only",
        advice: "Run byond doctor again after them",
      },
    ];
  }
  const agreement = await agreementFindings(session, {
    secrets: await findSecrets(config),
    secretsAreIn: secretsAreIn(config),
    sealed: sealedRowsOf(capabilities, config),
    now: () => systemClock.now(),
  });
  return [...examined, ...agreement];
}
