import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, getCACertificates, type SecureContext, TLSSocket } from "node:tls";
import type pg from "pg";
import { ConfigError } from "../config/config-error.ts";
import { readSettingFile } from "../config/read-setting-file.ts";
import type { DatabaseAddress, DatabaseHost, DatabaseTls } from "./database-url.ts";
import { type HostConnection, Primary } from "./primary.ts";
import { VerifiedTls } from "./verified-tls.ts";

/**
 * The connection options of every client of the database. They are complete: `pg` would take what is left out from `PG…` variables
 * and `~/.pgpass`.
 */
export interface PostgresConnection {
  /** The setting that says all this, for messages. */
  readonly setting: string;
  /** Where the URL names several hosts. `host`, `port` and `ssl` are then those of the primary, as far as is known at the time of reading. */
  readonly primary?: Primary;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: () => string;
  readonly database: string;
  readonly ssl: false | VerifiedTls;
  readonly sslnegotiation: "postgres";
  readonly application_name: string;
  readonly connectionTimeoutMillis: number;
  /** As libpq does unless told otherwise. */
  readonly keepAlive: true;
  readonly options?: string;
}

/** Reads the files that the address names, once. Throws `ConfigError` if one cannot be used. */
export async function connectionOf(address: DatabaseAddress, setting = "DATABASE_URL"): Promise<PostgresConnection> {
  const { user, password = "", database, tls, applicationName, connectTimeoutMs, options } = address;
  const secureContext = tls && (await readSecureContext(tls, setting));
  const to = ({ host, port }: DatabaseHost): HostConnection => ({
    host,
    port,
    ssl: tls && secureContext ? new VerifiedTls(secureContext, tls.verifies, host) : false,
  });
  const common = {
    setting,
    user,
    password: () => password,
    database,
    sslnegotiation: "postgres",
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    ...(options === undefined ? {} : { options }),
  } as const;
  if (address.others === undefined) {
    return { ...common, ...to(address) };
  }
  const primary = new Primary(to(address), address.others.map(to));
  return {
    ...common,
    primary,
    get host() {
      return primary.current.host;
    },
    get port() {
      return primary.current.port;
    },
    get ssl() {
      return primary.current.ssl;
    },
  };
}

/** The connection, with what it is for in `pg_stat_activity`. */
export function connectionFor(purpose: string, connection: PostgresConnection): PostgresConnection {
  return { ...connection, application_name: `${connection.application_name} ${purpose}` };
}

/** What the log says of how the database is reached. */
export interface ConnectionSecurity {
  readonly server: string;
  readonly database: string;
  /** The protocol, such as "TLSv1.3". */
  readonly encrypted: string | false;
  readonly server_verified_by: DatabaseTls["verifies"];
}

/** Looks at the socket of a client that is connected, not at what was asked for. */
export function describeSecurity(client: pg.Client, { database, ssl }: PostgresConnection): ConnectionSecurity {
  const { host, port } = client;
  const socket = socketOf(client);
  return {
    server: host.startsWith("/") ? host : `${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    database,
    encrypted: socket instanceof TLSSocket ? (socket.getProtocol() ?? "unknown") : false,
    server_verified_by: socket instanceof TLSSocket && socket.authorized && ssl !== false ? ssl.verifies : "nothing",
  };
}

/** The types of `pg` do not say that a client has it. */
function socketOf(client: pg.ClientBase): unknown {
  const connection: unknown = Reflect.get(client, "connection");
  return typeof connection === "object" && connection !== null ? Reflect.get(connection, "stream") : undefined;
}

async function readSecureContext(
  { authorities, clientCertificate }: DatabaseTls,
  setting: string,
): Promise<SecureContext> {
  const ca = await readAuthorities(authorities, setting);
  if (clientCertificate === undefined) {
    return createSecureContext({ ca });
  }
  const { certPath, keyPath } = clientCertificate;
  const [cert, key] = [readPem("sslcert", certPath, setting), readPem("sslkey", keyPath, setting)];
  try {
    return createSecureContext({ ca, cert, key });
  } catch (cause) {
    throw unusable(`sslcert ${certPath} and sslkey ${keyPath}`, cause, setting);
  }
}

/** Certificates in PEM. None: nobody is trusted. */
async function readAuthorities(authorities: DatabaseTls["authorities"], setting: string): Promise<string[]> {
  if (authorities === undefined) {
    return [];
  }
  if (authorities === "system") {
    const trusted = getCACertificates("system");
    if (trusted.length === 0) {
      throw unusable(
        "sslrootcert=system",
        new Error("this machine trusts no authority (package ca-certificates)"),
        setting,
      );
    }
    return trusted;
  }
  const pem = readPem("sslrootcert", authorities.path, setting);
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  try {
    if (certificates.length === 0) {
      throw new Error("it holds no certificate in PEM");
    }
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  } catch (cause) {
    throw unusable(`sslrootcert ${authorities.path}`, cause, setting);
  }
}

function readPem(parameter: string, path: string, setting: string): string {
  try {
    return readSettingFile(path).toString("utf8");
  } catch (cause) {
    throw unusable(`${parameter} ${path}`, cause, setting);
  }
}

function unusable(what: string, cause: unknown, setting: string): ConfigError {
  return new ConfigError([`${setting}: ${what} cannot be used: ${cause instanceof Error ? cause.message : cause}`]);
}
