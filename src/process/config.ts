import { isIP } from "node:net";
import { resolve } from "node:path";
import { type DeliveryConfig, readDeliveryConfig } from "../capabilities/channels/channel-settings.ts";
import { ConfigError } from "../config/config-error.ts";
import { EnvironmentReader } from "../config/environment-reader.ts";
import { isLoopbackHost, withoutRootDot } from "../config/loopback-host.ts";
import { parseDatabaseUrl } from "../database/database-url.ts";
import type { DatabaseConfig } from "../database/provide-postgres.ts";
import type { CertificateFiles } from "../server/certificate.ts";
import type { CorsOrigins } from "../server/cors.ts";
import { readCorsOrigins } from "./cors-origins.ts";
import { type LimitsConfig, readLimitsConfig } from "./limit-settings.ts";

export interface Config {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: CertificateFiles | undefined;
  /** Public base URL, without a slash at the end. Undefined: the address it listens on. */
  readonly publicUrl: string | undefined;
  readonly database: DatabaseConfig;
  /** The current secret first. Undefined: the embedded mode keeps one of its own. */
  readonly secrets: readonly string[] | undefined;
  /**
   * Whether others than this machine's user may reach the server: it listens beyond loopback, `PUBLIC_URL` names another
   * host, a proxy in front is trusted, or the database is somebody else's. Whatever must not be open to the internet asks this, and never where a request
   * seems to come from: behind a proxy on the same machine every request comes from loopback.
   */
  readonly isPublic: boolean;
  readonly signUp: "open" | "closed";
  /**
   * Which messages stay on the server, to be read at `/dev/inbox`: the sandbox's, and with `all` also live mail and WhatsApp
   * messages without a provider.
   */
  readonly inbox: "all" | "sandbox" | "none";
  /** How long verifications and what belongs to them are kept. */
  readonly retentionDays: number;
  /** How long the server goes on answering after SIGTERM while it says that it is not ready, so that load balancers leave it. */
  readonly drainSeconds: number;
  /** How long a session lasts, from the sign-in on, however often it is refreshed. */
  readonly sessionMaxDays: number;
  /** Bearer token for `/metrics`. Undefined: open on loopback, and closed on a public server. */
  readonly metricsToken: string | undefined;
  /** Whether the server tells its schema over gRPC (`grpc.reflection.v1`). */
  readonly grpcReflection: "on" | "off";
  /** Whose pages may call the API from a browser. Empty: those of no other origin. */
  readonly corsOrigins: CorsOrigins;
  readonly delivery: DeliveryConfig;
  readonly limits: LimitsConfig;
  /** Settings that are in the environment and empty, which counts as unset. */
  readonly emptySettings: readonly string[];
  /** Whether a `.env` file lies there and not one setting arrived: whoever wrote it believes that it is read. */
  readonly hasUnreadEnvFile: boolean;
}

/** Set by shells and platforms as well. */
const everybodysSettings = new Set(["HOST", "PORT", "NODE_ENV"]);

/**
 * Reads the environment into a frozen configuration. Throws one `ConfigError` that lists every problem. `hasEnvFile` says whether
 * there is a `.env` file in the working folder, which is not read.
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>, hasEnvFile = false): Config {
  const reader = new EnvironmentReader(environment);
  const host = readHost(reader);
  const publicUrl = readPublicUrl(reader);
  const database = readDatabase(reader, signsOfProduction(reader, host, publicUrl));
  const isEmbedded = database.kind === "embedded";
  const isPublic =
    !isEmbedded ||
    !isLoopbackHost(host) ||
    (publicUrl !== undefined && !isLoopbackUrl(publicUrl)) ||
    reader.text("TRUSTED_PROXIES") !== undefined;
  const config: Config = {
    host,
    port: reader.integer("PORT", { default: 8080, min: 0, max: 65_535 }),
    tls: readTls(reader),
    publicUrl,
    database,
    secrets: readSecrets(reader, isEmbedded),
    isPublic,
    signUp: reader.choice("SIGN_UP", ["open", "closed"], isPublic ? "closed" : "open"),
    // In memory, so of use only where there is one server.
    inbox: isPublic ? (isEmbedded ? "sandbox" : "none") : "all",
    retentionDays: reader.integer("RETENTION_DAYS", { default: 30, min: 1, max: 3_650 }),
    drainSeconds: reader.integer("DRAIN_SECONDS", { default: 0, min: 0, max: 600 }),
    sessionMaxDays: reader.integer("SESSION_MAX_DAYS", { default: 30, min: 1, max: 3_650 }),
    metricsToken: reader.text("METRICS_TOKEN"),
    grpcReflection: reader.choice("GRPC_REFLECTION", ["on", "off"], "on"),
    corsOrigins: readCorsOrigins(reader),
    delivery: readDeliveryConfig(reader),
    limits: readLimitsConfig(reader),
    emptySettings: reader.emptyNames(),
    hasUnreadEnvFile: hasEnvFile && reader.setNames().every((name) => everybodysSettings.has(name)),
  };
  reader.checkNames();
  if (reader.problems.length > 0) {
    if (config.hasUnreadEnvFile) {
      reader.problems.push("a .env file is here and is not read: node --env-file=.env src/main.ts reads it");
    }
    throw new ConfigError(reader.problems);
  }
  return Object.freeze(config);
}

function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

function readHost(reader: EnvironmentReader): string {
  const host = reader.text("HOST") ?? "127.0.0.1";
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.?$/i.test(host)) {
    reader.problems.push("HOST must be an address or a name of this machine, without a port");
  }
  return withoutRootDot(host);
}

function readPublicUrl(reader: EnvironmentReader): string | undefined {
  const text = reader.webUrl("PUBLIC_URL");
  if (text !== undefined && URL.canParse(text) && /[?#]/.test(text)) {
    reader.problems.push("PUBLIC_URL must end with the host or a path: no query, no fragment");
  }
  return text?.replace(/\/+$/, "");
}

/** What only a server that others reach has a use for. */
const settingsOfProduction = ["TLS_CERT", "TRUSTED_PROXIES", "WHATSAPP_APP_SECRET", "METRICS_TOKEN"] as const;

/** The settings that nobody makes on a server whose data may be lost. */
function signsOfProduction(reader: EnvironmentReader, host: string, publicUrl: string | undefined): string[] {
  return [
    ...(reader.text("NODE_ENV")?.toLowerCase() === "production" ? ["NODE_ENV=production"] : []),
    ...(reader.text("BYOND_SECRET") === undefined ? [] : ["BYOND_SECRET"]),
    ...(publicUrl === undefined || isLoopbackUrl(publicUrl) ? [] : ["PUBLIC_URL"]),
    ...(isLoopbackHost(host) ? [] : ["HOST"]),
    ...settingsOfProduction.filter((name) => reader.text(name) !== undefined),
  ];
}

/**
 * Where nothing says otherwise, a PostgreSQL of one's own. But a server that shows signs of production does not take one in
 * place of a database whose name did not arrive: an empty `DATABASE_URL` is refused, and without any, `DATA_DIR` must say it.
 */
function readDatabase(reader: EnvironmentReader, signs: readonly string[]): DatabaseConfig {
  const url = reader.text("DATABASE_URL");
  const dataDir = reader.text("DATA_DIR");
  if (url !== undefined) {
    return { kind: "external", address: parseDatabaseUrl(url, reader.problems, (name) => reader.foreign(name)) };
  }
  if (signs.length === 0 && reader.isEmpty("DATABASE_URL") && reader.isEmpty("BYOND_SECRET")) {
    reader.problems.push("DATABASE_URL and BYOND_SECRET are both empty: set them, or remove one for a trial");
  }
  const because = `with ${signs.join(", ")}`;
  if (signs.length > 0 && reader.isEmpty("DATABASE_URL")) {
    reader.problems.push(
      `DATABASE_URL is empty, which is refused ${because}: set it, or remove it and set DATA_DIR for an embedded database`,
    );
  } else if (signs.length > 0 && dataDir === undefined) {
    reader.problems.push(
      `DATABASE_URL is required ${because}; or DATA_DIR, for an embedded database that is kept there`,
    );
  }
  if (signs.length > 0 && reader.isEmpty("BYOND_SECRET")) {
    reader.problems.push(
      `BYOND_SECRET is empty, which is refused ${because}: set it, or remove it to use the one that is kept in DATA_DIR`,
    );
  }
  return { kind: "embedded", dataDir: resolve(dataDir ?? ".byond") };
}

function readTls(reader: EnvironmentReader): CertificateFiles | undefined {
  const group = reader.group(["TLS_CERT", "TLS_KEY"]);
  return group && { certPath: resolve(group.TLS_CERT), keyPath: resolve(group.TLS_KEY) };
}

function readSecrets(reader: EnvironmentReader, isEmbedded: boolean): readonly string[] | undefined {
  const secrets = reader.list("BYOND_SECRET");
  if (secrets.length === 0) {
    if (!isEmbedded) {
      reader.problems.push(
        "BYOND_SECRET is required with DATABASE_URL: 32 random bytes or more (openssl rand -base64 32)",
      );
    }
    return undefined;
  }
  if (secrets.some((secret) => Buffer.byteLength(secret) < 32)) {
    reader.problems.push("BYOND_SECRET must be 32 bytes or longer, each one of a comma-separated list");
  }
  // A sentence may be a secret; what falls apart into secrets is a list without its commas.
  const isList = (words: readonly string[]) => words.length > 1 && words.every((word) => Buffer.byteLength(word) >= 32);
  if (secrets.some((secret) => isList(secret.split(/\s+/)))) {
    reader.problems.push("BYOND_SECRET has white space between secrets: separate them by commas");
  }
  if (new Set(secrets).size < secrets.length) {
    reader.problems.push("BYOND_SECRET lists a secret twice");
  }
  return secrets;
}
