import { type Capability, type Command, CommandError, type OperatorCommand } from "../../capability.ts";
import { createKeyring } from "../../crypto/keyring.ts";
import { describeUsedSecrets } from "../../crypto/master-secret-use.ts";
import { readSchema } from "../../database/applied-migrations.ts";
import type { ReadingSession } from "../../database/reading-session.ts";
import type { Finding } from "../../finding.ts";
import { schemaOf } from "../database-schema.ts";
import { formatFindings } from "../doctor/format-findings.ts";
import { findSecrets, secretsAreIn } from "../master-secrets.ts";
import type { ServerConfig } from "../server-config.ts";
import { sealedRowsOf } from "../start-platform.ts";
import { differenceFindings } from "./difference-findings.ts";
import { type LiveServer, readLiveServers, readSecretUses } from "./live-servers.ts";
import { rotationFinding } from "./rotation-finding.ts";

/** `byond servers`: the servers that run on the database, and where they differ though they should not. It changes nothing. */
export function serversCommand(capabilities: readonly Capability[]): OperatorCommand<ServerConfig> {
  return {
    summary:
      "Lists the servers that run on the database: version, clock, secrets and providers. Warns where they differ, and says what is next in a rotation of the master secret. Changes nothing.",
    options: { json: { meaning: "Prints the servers as JSON." } },
    run: (command) => command.readDatabase((session) => listServers(command, session, capabilities)),
  };
}

async function listServers(
  { settings, options, write }: Command<ServerConfig>,
  session: ReadingSession,
  capabilities: readonly Capability[],
): Promise<void> {
  const { applied, pending } = await readSchema(session.query, schemaOf(capabilities), "DATABASE_URL");
  if (applied.length === 0 || pending.length > 0) {
    throw new CommandError(
      "The database was not migrated by this version: run the command of the version that runs on it.",
    );
  }
  const servers = await session.run(readLiveServers, {});
  const findings = servers.length === 0 ? [] : await compare(session, servers, sealedRowsOf(capabilities, settings));
  if (servers.length > 0) {
    findings.push(...secretFindings(servers, (await findSecrets(settings)) ?? [], secretsAreIn(settings)));
  }
  if (options.json !== undefined) {
    write(`${JSON.stringify({ servers, findings }, undefined, 2)}\n`);
  } else if (servers.length === 0) {
    write("No server runs on this database.\n");
  } else {
    write(`${formatServers(servers)}\n\n${formatFindings(findings)}`);
  }
}

/** Where this machine was given another secret than all that run. */
function secretFindings(
  servers: readonly LiveServer[],
  secrets: readonly string[],
  secretsAreInWhat: string,
): Finding[] {
  const ids = secrets.map((secret) => createKeyring([secret]).current.id);
  return ids.length === 0 || servers.some(({ secretIds }) => ids.some((id) => secretIds.includes(id)))
    ? []
    : [
        {
          about: "secrets",
          verdict: "fault",
          found: `${secretsAreInWhat} of this machine (${ids.join(", ")}) is on none of these servers`,
          advice: "Give it theirs: a server that is started here would be refused",
        },
      ];
}

async function compare(
  session: ReadingSession,
  servers: readonly LiveServer[],
  sealed: ReturnType<typeof sealedRowsOf>,
): Promise<Finding[]> {
  const described = await describeUsedSecrets(session, sealed, (id) =>
    servers.every(({ secretIds }) => secretIds[0] !== id && secretIds.includes(id)),
  );
  const rotation = rotationFinding(
    servers,
    await session.run(readSecretUses, {}),
    (id) => described.find((secret) => secret.id === id)?.needs ?? [],
  );
  const differences = differenceFindings(servers);
  const agree: Finding = {
    about: "settings",
    verdict: "ok",
    found:
      servers.length === 1
        ? "one server runs: there is nothing to compare"
        : `the ${servers.length} servers agree in versions, clocks and settings`,
  };
  return [...(differences.length === 0 ? [agree] : differences), rotation];
}

function formatServers(servers: readonly LiveServer[]): string {
  const rows = servers.map(({ id, secretIds, clockOffsetMs, description }) => [
    id,
    description?.host ?? "",
    String(description?.pid ?? ""),
    description?.version ?? "earlier",
    description?.startedAt.slice(0, 16).replace("T", " ") ?? "",
    clockOffsetMs === null ? "" : `${(clockOffsetMs / 1_000).toFixed(1)} s`,
    secretIds.join(","),
  ]);
  const table = [["server", "host", "pid", "version", "started (UTC)", "database ahead", "secrets"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...providersOf(servers)].join("\n");
}

/** What the servers say of their providers, once for all that say the same. */
function providersOf(servers: readonly LiveServer[]): string[] {
  const described = servers.filter(({ description }) => description !== null);
  const bySaying = Map.groupBy(described, ({ description }) => JSON.stringify(description?.fields.channels));
  return [...bySaying].flatMap(([, group]) => {
    const whose = bySaying.size === 1 ? "" : ` of ${group.map(({ id }) => id).join(", ")}`;
    const channels: unknown = group[0]?.description?.fields.channels;
    return [
      "",
      `channels${whose}:`,
      ...Object.entries(channels ?? {}).map(([channel, provider]) => `  ${channel.padEnd(8)}  ${provider}`),
    ];
  });
}
