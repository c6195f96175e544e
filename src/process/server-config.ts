import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Capability, ServerFacts } from "../capability.ts";
import { ConfigError } from "../config/config-error.ts";
import type { EnvFile } from "../config/env-file.ts";
import { EnvironmentReader } from "../config/environment-reader.ts";
import { isLoopbackHost, withoutRootDot } from "../config/loopback-host.ts";
import { fileVariable, readSettingFiles, type SettingFiles } from "../config/setting-files.ts";
import { type SettingGroup, settingsByName } from "../config/setting-group.ts";
import { parseDatabaseUrl } from "../database/database-url.ts";
import type { DatabaseConfig } from "../database/provide-postgres.ts";
import { type LogSettings, logLevels } from "../observe/log.ts";
import { readTracing, type TracingSettings } from "../observe/tracing-settings.ts";
import type { CertificateFiles } from "../server/certificate.ts";
import type { ProxyTrust } from "../server/client-address.ts";
import type { CorsOrigins } from "../server/cors.ts";
import { type IpRange, parseIpRange } from "../server/ip-range.ts";
import { type ServerSettingName, serverSettings } from "./server-settings.ts";

type Reader = EnvironmentReader<ServerSettingName>;

/** The server's own configuration. Each capability reads its own part. */
export interface ServerConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: CertificateFiles | undefined;
  /** Public base URL, without a slash at the end. Undefined: the address it listens on. */
  readonly publicUrl: string | undefined;
  readonly database: DatabaseConfig;
  /** Connections of the pool at most, of each process. */
  readonly databasePoolSize: number;
  /** The master secrets, the current one first. Undefined: the embedded mode keeps its own. */
  readonly secrets: readonly string[] | undefined;
  /**
   * Whether anybody but this machine's user may reach the server: it listens beyond loopback, `PUBLIC_URL` names another host,
   * a proxy is trusted, or the database is external. Code that must not be open to the internet checks this, never the address
   * of a request: behind a proxy on the same machine, every request comes from loopback.
   */
  readonly isPublic: boolean;
  /** The processes that serve the port. 1: this one alone. */
  readonly workers: number;
  /** After SIGTERM the server reports not ready and keeps answering for this long, so that load balancers stop using it. */
  readonly drainSeconds: number;
  readonly log: LogSettings;
  /** Whether requests of probes that succeed have a line in the log. */
  readonly logProbes: "on" | "off";
  /** Bearer token for `/metrics`. Undefined: loopback only, and nobody on a public server. */
  readonly metricsToken: string | undefined;
  /** Undefined: the server sends no traces. */
  readonly tracing: TracingSettings | undefined;
  /** Whether clients can read the schema over gRPC (`grpc.reflection.v1`). */
  readonly grpcReflection: "on" | "off";
  /** The origins whose pages may call the API from a browser. Empty: only the server's own. */
  readonly corsOrigins: CorsOrigins;
  /** Which proxies are trusted to name the client's address. */
  readonly proxyTrust: ProxyTrust;
  /** The networks that requests may come from. None: all. */
  readonly allowedNetworks: readonly IpRange[];
  /** What is set, as it is set, of the settings in which all servers of a database should agree. Some hold passwords. */
  readonly commonSettings: Readonly<Record<string, string>>;
  /** Settings that are present but empty. They count as unset. */
  readonly emptySettings: readonly string[];
  /** Undefined: there is no `.env` file. */
  readonly envFile: { readonly settings: readonly string[]; readonly isReadableByAll: boolean } | undefined;
  /** The secrets that are in files of their own. */
  readonly settingFiles: Pick<SettingFiles, "variables" | "readableByAll">;
}

/** Node's own variable: the file of certificates that it trusts beside the public authorities. */
export const authorities = "NODE_EXTRA_CA_CERTS";

/** All settings of a server with these capabilities, its own first. */
export function settingGroupsOf(capabilities: readonly Capability[]): readonly SettingGroup[] {
  return [...serverSettings, ...capabilities.flatMap(({ settings = [] }) => settings)];
}

/**
 * Reads the environment into a frozen configuration: the server's part and each capability's. A variable of the environment,
 * even an empty one, overrides the `.env` file. Secrets may be in files that variables name (`readSettingFiles`). Throws one
 * `ConfigError` that lists every problem.
 */
export function readConfig<Config extends ServerConfig = ServerConfig>(
  environment: Readonly<Record<string, string | undefined>>,
  capabilities: readonly Capability[],
  envFile: EnvFile | undefined,
): Config {
  const declared = settingsByName(settingGroupsOf(capabilities));
  const given = { ...envFile?.variables, ...environment };
  const { problems, ...settingFiles } = readSettingFiles(given, declared);
  /** A setting whose file gave nothing is not missing as well: that the file could not be used was said. */
  const isOfUnreadFile = (problem: string) => {
    const [, name = ""] = /^([A-Z_]+) is (?:required|empty)\b/.exec(problem) ?? [];
    return Boolean(given[fileVariable(name)]?.trim()) && !settingFiles.variables[name];
  };
  const reader = new EnvironmentReader({ ...given, ...settingFiles.variables }, declared);
  reader.problems.push(...problems);
  if (envFile?.variables[authorities] && !environment[authorities]) {
    reader.problems.push(
      `${authorities} has no effect in .env: Node reads it before the file. Set it in the environment`,
    );
  }
  const server = readServerConfig(reader);
  const facts = factsOf(server);
  const settings = capabilities.map((capability) => capability.readSettings?.(reader, facts));
  requireDistinct([server, ...settings]);
  const config: Config = Object.assign({}, server, ...settings, {
    commonSettings: Object.fromEntries(
      reader
        .setNames()
        .filter((name) => declared.get(name)?.isOfOneServer !== true)
        .map((name) => [name, reader.foreign(name) ?? ""]),
    ),
    emptySettings: reader.emptyNames(),
    envFile: envFile && {
      settings: reader
        .setNames()
        .filter((name) => environment[name] === undefined && settingFiles.variables[name] === undefined),
      isReadableByAll: envFile.isReadableByAll,
    },
    settingFiles,
  });
  reader.checkNames();
  if (reader.problems.length > 0) {
    throw new ConfigError(reader.problems.filter((problem) => !isOfUnreadFile(problem)));
  }
  return Object.freeze(config);
}

/** Throws `TypeError` if two parts of the configuration have a property of the same name. */
function requireDistinct(parts: readonly unknown[]): void {
  const names = parts.flatMap((part) => Object.keys(part ?? {}));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) {
    throw new TypeError(`two capabilities, or one and the server, have settings named ${twice}`);
  }
}

/** The facts about the server that capabilities base their settings on. */
export function factsOf({
  isPublic,
  database,
  publicUrl,
}: Pick<ServerConfig, "isPublic" | "database" | "publicUrl">): ServerFacts {
  return { isPublic, isEmbedded: database.kind === "embedded", hasPublicUrl: publicUrl !== undefined };
}

function readServerConfig(
  reader: Reader,
): Omit<ServerConfig, "commonSettings" | "emptySettings" | "envFile" | "settingFiles"> {
  const host = readHost(reader);
  const publicUrl = readPublicUrl(reader);
  const database = readDatabase(reader, signsOfProduction(reader, host, publicUrl));
  const isEmbedded = database.kind === "embedded";
  return {
    host,
    port: reader.integer("PORT", { default: 8080, min: 0, max: 65_535 }),
    tls: readTls(reader),
    publicUrl,
    database,
    databasePoolSize: reader.integer("DATABASE_POOL_SIZE", { default: 10, min: 2, max: 1_000 }),
    secrets: readSecrets(reader, isEmbedded),
    isPublic:
      !isEmbedded ||
      !isLoopbackHost(host) ||
      (publicUrl !== undefined && !isLoopbackUrl(publicUrl)) ||
      reader.text("TRUSTED_PROXIES") !== undefined,
    workers: readWorkers(reader),
    drainSeconds: reader.integer("DRAIN_SECONDS", { default: 0, min: 0, max: 600 }),
    log: {
      format: reader.choice("LOG_FORMAT", ["json", "pretty"], "json"),
      level: reader.choice("LOG_LEVEL", logLevels, "info"),
    },
    logProbes: reader.choice("LOG_PROBES", ["on", "off"], "on"),
    metricsToken: reader.text("METRICS_TOKEN"),
    tracing: readTracing(reader),
    grpcReflection: reader.choice("GRPC_REFLECTION", ["on", "off"], "on"),
    corsOrigins: readCorsOrigins(reader),
    proxyTrust: { header: readHeaderName(reader), trustedProxies: readNetworks(reader, "TRUSTED_PROXIES") },
    allowedNetworks: readNetworks(reader, "ALLOWED_NETWORKS"),
  };
}

function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

function readHost(reader: Reader): string {
  const host = reader.text("HOST") ?? "127.0.0.1";
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.?$/i.test(host)) {
    reader.problems.push("HOST must be an address or a name of this machine, without a port");
  }
  return withoutRootDot(host);
}

function readPublicUrl(reader: Reader): string | undefined {
  const text = reader.webUrl("PUBLIC_URL");
  if (text !== undefined && URL.canParse(text) && /[?#]/.test(text)) {
    reader.problems.push("PUBLIC_URL must end with the host or a path: no query, no fragment");
  }
  return text?.replace(/\/+$/, "");
}

/** The settings that only a production server has. The data of such a server must not be lost. */
function signsOfProduction(reader: Reader, host: string, publicUrl: string | undefined): string[] {
  return [
    ...(reader.text("NODE_ENV")?.toLowerCase() === "production" ? ["NODE_ENV=production"] : []),
    ...(reader.text("BYOND_SECRET") === undefined ? [] : ["BYOND_SECRET"]),
    ...(publicUrl === undefined || isLoopbackUrl(publicUrl) ? [] : ["PUBLIC_URL"]),
    ...(isLoopbackHost(host) ? [] : ["HOST"]),
    ...reader.signsOfProduction(),
  ];
}

/**
 * The default is the embedded PostgreSQL. With signs of production it must be chosen with `DATA_DIR`: otherwise a
 * `DATABASE_URL` that was lost on the way would start the server on an empty database. For the same reason, an empty
 * `DATABASE_URL` is refused.
 */
function readDatabase(reader: Reader, signs: readonly string[]): DatabaseConfig {
  const url = reader.text("DATABASE_URL");
  const dataDir = reader.text("DATA_DIR");
  if (url !== undefined) {
    const parse = (text: string | undefined, name?: string) =>
      text === undefined
        ? undefined
        : parseDatabaseUrl(text, reader.problems, (variable) => reader.foreign(variable), name);
    return {
      kind: "external",
      address: parseDatabaseUrl(url, reader.problems, (variable) => reader.foreign(variable)),
      direct: parse(reader.text("DATABASE_DIRECT_URL"), "DATABASE_DIRECT_URL"),
      migrator: parse(reader.text("DATABASE_MIGRATION_URL"), "DATABASE_MIGRATION_URL"),
    };
  }
  for (const name of ["DATABASE_DIRECT_URL", "DATABASE_MIGRATION_URL"] as const) {
    reader.require("DATABASE_URL", reader.text(name) === undefined ? [] : [name]);
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
    reader.problems.push(`DATABASE_URL is required ${because}, or DATA_DIR for an embedded database`);
  }
  if (signs.length > 0 && reader.isEmpty("BYOND_SECRET")) {
    reader.problems.push(
      `BYOND_SECRET is empty, which is refused ${because}: set it, or remove it to use the secret in DATA_DIR`,
    );
  }
  return { kind: "embedded", dataDir: resolve(dataDir ?? ".byond") };
}

function readTls(reader: Reader): CertificateFiles | undefined {
  const group = reader.group(["TLS_CERT", "TLS_KEY"]);
  return group && { certPath: resolve(group.TLS_CERT), keyPath: resolve(group.TLS_KEY) };
}

function readSecrets(reader: Reader, isEmbedded: boolean): readonly string[] | undefined {
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
  // A passphrase may contain spaces. Several words that are each as long as a secret are a list without its commas.
  const isList = (words: readonly string[]) => words.length > 1 && words.every((word) => Buffer.byteLength(word) >= 32);
  if (secrets.some((secret) => isList(secret.split(/\s+/)))) {
    reader.problems.push("BYOND_SECRET has white space between secrets: separate them by commas");
  }
  if (new Set(secrets).size < secrets.length) {
    reader.problems.push("BYOND_SECRET lists a secret twice");
  }
  return secrets;
}

/** More would need more connections than a PostgreSQL has use for. */
const maxWorkers = 128;

function readWorkers(reader: Reader): number {
  const text = reader.text("WORKERS");
  if (text === undefined) {
    return 1;
  }
  const workers = text === "auto" ? Math.min(availableParallelism(), maxWorkers) : Number(text);
  if ((text !== "auto" && !/^\d+$/.test(text)) || workers < 1 || workers > maxWorkers) {
    reader.problems.push(`WORKERS must be auto, or a whole number between 1 and ${maxWorkers}, not "${text}"`);
  }
  return workers;
}

function readHeaderName(reader: Reader): string {
  const set = reader.text("CLIENT_ADDRESS_HEADER");
  // The header is only read from trusted proxies.
  reader.require("TRUSTED_PROXIES", set === undefined ? [] : ["CLIENT_ADDRESS_HEADER"]);
  const name = (set ?? "x-forwarded-for").toLowerCase();
  if (!/^[a-z0-9-]+$/.test(name) || name === "forwarded") {
    reader.problems.push("CLIENT_ADDRESS_HEADER must name a header that holds a list of plain addresses");
  }
  return name;
}

function readNetworks(reader: Reader, name: "TRUSTED_PROXIES" | "ALLOWED_NETWORKS"): readonly IpRange[] {
  const entries = reader.list(name);
  // A trailing comma is allowed.
  const named = entries.length > 1 && entries.at(-1) === "" ? entries.slice(0, -1) : entries;
  return named.flatMap((entry) => {
    const range = parseIpRange(entry);
    if (typeof range === "string") {
      reader.problems.push(`${name}: ${entry === "" ? "an empty entry" : entry} ${range}`);
      return [];
    }
    return [range];
  });
}

function readCorsOrigins(reader: Reader): CorsOrigins {
  const entries = reader.list("CORS_ORIGINS");
  if (entries.length === 1 && entries[0] === "*") {
    return "any";
  }
  // A trailing comma is allowed.
  const named = entries.length > 1 && entries.at(-1) === "" ? entries.slice(0, -1) : entries;
  const origins = named.map(parseOrigin);
  const wrong = origins.indexOf(undefined);
  if (wrong !== -1) {
    reader.problems.push(
      `CORS_ORIGINS must be a comma-separated list of origins (https://app.example.com, http://localhost:3000), or * alone: entry ${wrong + 1} is not an origin`,
    );
  }
  return [...new Set(origins.filter((origin) => origin !== undefined))];
}

/**
 * Normalizes an origin: scheme, host, and port unless it is the default. Apps have schemes of their own
 * (`capacitor://localhost`).
 */
function parseOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*\\]+\/?$/i.test(text) || !URL.canParse(text)) {
    return undefined;
  }
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}
