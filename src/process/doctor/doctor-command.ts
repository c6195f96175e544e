import { type Capability, type Command, CommandError, type OperatorCommand } from "../../capability.ts";
import { systemClock } from "../../clock.ts";
import { type DatabaseRoutes, migrationRoute, sessionRoute } from "../../database/check-routes.ts";
import { providePostgresToRead } from "../../database/provide-postgres.ts";
import { withReadingSession } from "../../database/reading-session.ts";
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
import { migrationFinding, rightFinding } from "./schema-findings.ts";
import { tableFindings } from "./table-findings.ts";

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
  if (hasFault(findings)) {
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
    const faulty = new Set(faults.map(({ setting }) => setting));
    const found = faulty.has(sessionRoute(routes).setting) ? [] : await examine(routes, faulty, config, capabilities);
    return [...found, ...faults.map(({ finding }) => finding)];
  } catch (error) {
    return [databaseFault(error, setting)];
  }
}

/** `faulty`: the settings of the routes that cannot be used. Sessions come one after the other: the role may have few connections. */
async function examine(
  routes: DatabaseRoutes,
  faulty: ReadonlySet<string>,
  config: ServerConfig,
  capabilities: readonly Capability[],
): Promise<readonly Finding[]> {
  const { setting } = migrationRoute(routes);
  const database = await withReadingSession(sessionRoute(routes), "doctor", databaseFindings);
  if (hasFault(database) || faulty.has(setting)) {
    return database;
  }
  const { found, finding } = await withReadingSession(migrationRoute(routes), "doctor", (session) =>
    migrationFinding(session, schemaOf(capabilities), setting),
  );
  const migrated = [...database, finding];
  if (found === undefined || found.applied.length === 0 || faulty.has(routes.connection.setting)) {
    return migrated;
  }
  const rights = await rightFinding(routes);
  const examined = [...migrated, rights];
  if (hasFault(examined)) {
    return examined;
  }
  if (found.pending.length > 0) {
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
  const agreement = await withReadingSession(sessionRoute(routes), "doctor", async (session) => {
    const tables = await tableFindings(session, schemaOf(capabilities));
    // The others read the tables.
    return hasFault(tables)
      ? tables
      : agreementFindings(session, {
          secrets: await findSecrets(config),
          secretsAreIn: secretsAreIn(config),
          sealed: sealedRowsOf(capabilities, config),
          now: () => systemClock.now(),
        });
  });
  return [...examined, ...agreement];
}

function hasFault(findings: readonly Finding[]): boolean {
  return findings.some(({ verdict }) => verdict === "fault");
}
