import { EmbeddedPostgresError } from "@byond/embedded-postgres/error";
import { ConfigError } from "../../config/config-error.ts";
import { EarlierSchemaError } from "../../database/applied-migrations.ts";
import { UnsuitableDatabaseError } from "../../database/check-database.ts";
import { checkPooling, type DatabaseRoutes, requireSession } from "../../database/check-routes.ts";
import { withClient } from "../../database/connect.ts";
import type { PostgresConnection } from "../../database/connection.ts";
import { DatabaseConnectionError } from "../../database/connection-error.ts";
import { requireOneDatabase } from "../../database/one-database.ts";
import type { Finding } from "../../finding.ts";

/** What is wrong with the ways to the database, and with which of them: whether each connects and fits what it is for, and all lead to one. */
export async function routeFindings(
  routes: DatabaseRoutes,
): Promise<readonly { readonly setting: string; readonly finding: Finding }[]> {
  const { connection, direct, migrator } = routes;
  const checks: readonly (readonly [PostgresConnection | undefined, Parameters<typeof withClient<void>>[2]])[] = [
    [connection, (client) => checkPooling(client, routes)],
    [direct, (client) => requireSession(client, direct as PostgresConnection)],
    [migrator, (client) => requireSession(client, migrator as PostgresConnection)],
  ];
  const found = await problemOf(connection.setting, () => requireOneDatabase(routes));
  // One after the other: the role may have few connections.
  for (const [route, check] of checks) {
    if (route !== undefined && !found.some(({ setting }) => setting === route.setting)) {
      found.push(...(await problemOf(route.setting, () => withClient("doctor", route, check))));
    }
  }
  return found;
}

async function problemOf(setting: string, check: () => Promise<void>) {
  try {
    await check();
    return [];
  } catch (error) {
    const isNamed = error instanceof UnsuitableDatabaseError || error instanceof DatabaseConnectionError;
    const named = isNamed ? error.setting : setting;
    return [{ setting: named, finding: databaseFault(error, named) }];
  }
}

/** `setting`: what leads to the database. */
export function databaseFault(error: unknown, setting: string): Finding {
  const fault = (problem: string, advice: string): Finding => {
    // The start names the setting in front of the problem.
    const found = setting === "DATABASE_URL" || setting === "DATA_DIR" ? problem : `${setting}: ${problem}`;
    return { about: "database", verdict: "fault", found: found.replace(/\.$/, ""), advice };
  };
  const correct = `Correct ${setting}, or what it leads to`;
  if (error instanceof UnsuitableDatabaseError) {
    const [problem, advice] = problemAndAdvice(error.message);
    return fault(problem, advice ?? correct);
  }
  if (error instanceof EarlierSchemaError) {
    return fault(error.message, "Use an empty database");
  }
  if (error instanceof DatabaseConnectionError) {
    return fault(
      error.message,
      error.codes.includes("53300")
        ? "Close connections that nobody needs, set a smaller DATABASE_POOL_SIZE on the servers, or raise that limit"
        : correct,
    );
  }
  if (error instanceof ConfigError) {
    // Its sentences begin with the setting.
    return { about: "database", verdict: "fault", found: error.problems.join("; "), advice: correct };
  }
  const message = error instanceof Error ? error.message : String(error);
  // Others are such as a statement that takes too long, or a table that may not be read.
  return fault(error instanceof EmbeddedPostgresError ? message : `it cannot be examined: ${message}`, correct);
}

/** What keeps a server from starting is said as "problem: what to do." */
export function problemAndAdvice(text: string): readonly [string, string | undefined] {
  const [, problem = text, advice = ""] = /^(.+?): (.+?)\.?$/s.exec(text) ?? [];
  return [problem, advice === "" ? undefined : `${advice.charAt(0).toUpperCase()}${advice.slice(1)}`];
}
