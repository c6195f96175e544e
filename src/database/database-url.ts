import { isIP, isIPv6 } from "node:net";
import { resolve } from "node:path";
import { isLoopbackHost, withoutRootDot } from "../config/loopback-host.ts";

/** Where a PostgreSQL listens. */
export interface DatabaseHost {
  readonly host: string;
  readonly port: number;
}

/** Everything that `DATABASE_URL` says. Whatever connects gets its settings from this (`connectionOf`). */
export interface DatabaseAddress {
  /** A name, an IP address, or the folder of a Unix socket, which begins with "/". */
  readonly host: string;
  readonly port: number;
  /** Where it names several hosts, those behind the first. One of them all can be written to. */
  readonly others?: readonly DatabaseHost[] | undefined;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** Undefined: not encrypted. */
  readonly tls: DatabaseTls | undefined;
  /** What `pg_stat_activity` shows. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** Command-line options for the session, as `-c search_path=byond`. */
  readonly options: string | undefined;
}

/** How a connection is encrypted: libpq's `require`, `verify-ca` and `verify-full`. */
export interface DatabaseTls {
  /** What the server's certificate must show. */
  readonly verifies: "nothing" | "authority" | "authority and name";
  /** A PEM file of authorities, or those that this machine trusts. Undefined where nothing is verified. */
  readonly authorities: { readonly path: string } | "system" | undefined;
  readonly clientCertificate: { readonly certPath: string; readonly keyPath: string } | undefined;
}

/** A call waits for a connection no longer than this. */
const maxConnectTimeoutSeconds = 5;

const parameters = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "application_name",
  "connect_timeout",
  "options",
] as const;
type Parameter = (typeof parameters)[number];

/** Values that say what happens anyway. A read-only server is refused at the start, whichever is asked for. */
const inert: ReadonlyMap<string, readonly string[]> = new Map([
  ["channel_binding", ["prefer", "disable"]],
  ["gssencmode", ["prefer", "disable"]],
  ["keepalives", ["1"]],
  ["sslnegotiation", ["postgres"]],
  ["target_session_attrs", ["any", "read-write", "primary"]],
]);

/** What other parameters are often meant to say. */
const instead: ReadonlyMap<string, string> = new Map([
  ["ssl", "use sslmode"],
  ["uselibpqcompat", "sslmode has the meaning that libpq documents"],
  ["channel_binding", "remove it, and use sslmode=verify-full to verify the server"],
  ["hostaddr", "use the address as host"],
  ["passfile", "put the password into the URL"],
  ["service", "put the parameters of the service into the URL"],
]);

/** Variables that libpq, or the driver, would complete a URL with, and the parameter that each of them stands for. */
const variables: ReadonlyMap<string, string> = new Map([
  ["PGHOST", "host"],
  ["PGHOSTADDR", "hostaddr"],
  ["PGPORT", "port"],
  ["PGUSER", "user"],
  ["PGPASSWORD", "password"],
  ["PGPASSFILE", "passfile"],
  ["PGDATABASE", "dbname"],
  ["PGSERVICE", "service"],
  ["PGOPTIONS", "options"],
  ["PGCONNECT_TIMEOUT", "connect_timeout"],
  ["PGTARGETSESSIONATTRS", "target_session_attrs"],
  ["PGREQUIREAUTH", "require_auth"],
  ["PGREQUIREPEER", "requirepeer"],
  ["PGCHANNELBINDING", "channel_binding"],
  ["PGGSSENCMODE", "gssencmode"],
  ["PGSSLCERT", "sslcert"],
  ["PGSSLKEY", "sslkey"],
  ["PGSSLCRL", "sslcrl"],
  ["PGSSLCRLDIR", "sslcrldir"],
  ["PGSSLNEGOTIATION", "sslnegotiation"],
  ["PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"],
  ["PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"],
]);

/** What platforms leave out of the URL that they hand over, and nobody can add to it. Read as libpq does: where the URL is silent. */
const completing = [
  ["PGSSLMODE", "sslmode"],
  ["PGSSLROOTCERT", "sslrootcert"],
] as const;

/** libpq's, which ends a user at the first "@": https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS */
const grammar =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<hosts>(?:\[[^\]/?]*\]|[^:/?[\],]*)(?::[^/?,]*)?(?:,(?:\[[^\]/?]*\]|[^:/?[\],]*)(?::[^/?,]*)?)*)(?:\/(?<dbname>[^?]*))?(?:\?(?<query>.*))?$/;

/**
 * Reads a connection URI as libpq documents it, and refuses what would not be honoured: problems are pushed, and name the
 * `setting` and the parameter, never a value. `variable` reads the environment, which may say `PGSSLMODE` and `PGSSLROOTCERT` where the URL
 * does not. If there are problems, the result is of no use.
 */
export function parseDatabaseUrl(
  text: string,
  problems: string[],
  variable: (name: string) => string | undefined = () => undefined,
  setting = "DATABASE_URL",
): DatabaseAddress {
  const refuse = (problem: string): void => {
    problems.push(`${setting} ${problem}`);
  };
  const said = readParameters(text, refuse);
  for (const [name, parameter] of variables) {
    const value = variable(name);
    if (said !== undefined && value !== undefined && !said.has(parameter) && !isInert(parameter, value)) {
      problems.push(`${name} is not supported: set ${parameter} in ${setting}, or unset ${name}`);
    }
  }
  const get = (parameter: Parameter): string | undefined => said?.get(parameter);
  const taken = said === undefined ? [] : complete(said, variable);
  const needed = (parameter: Parameter, what: string): string => {
    const value = get(parameter);
    if (said !== undefined && value === undefined) {
      refuse(`has no ${what}`);
    }
    return value ?? "";
  };

  const hosts = needed("host", "host: a name, an address, or the folder of a socket as ?host=/run/postgresql");
  const [first, ...others] = readHosts(hosts, get("port"), refuse);
  return {
    host: first?.host ?? "",
    port: first?.port ?? 0,
    ...(others.length === 0 ? {} : { others }),
    user: needed("user", "user"),
    password: get("password"),
    database: needed("dbname", "database"),
    tls: readTls(get, (problem) => refuse(taken.length === 0 ? problem : `with ${taken.join(" and ")} ${problem}`)),
    applicationName: applicationName(get("application_name"), refuse),
    connectTimeoutMs: readConnectTimeoutSeconds(get("connect_timeout"), refuse) * 1_000,
    options: get("options"),
  };
}

/** As libpq: lists of as many hosts as ports, or one port for all. An empty port is the default. */
function readHosts(hosts: string, ports: string | undefined, refuse: (problem: string) => void): DatabaseHost[] {
  const [hostList, portList] = [hosts.split(","), ports?.split(",") ?? []];
  if (portList.length > 1 && portList.length !== hostList.length) {
    refuse(`has ${hostList.length} hosts and ${portList.length} ports`);
  }
  return hostList.map((host, index) => {
    if (host === "" && hostList.length > 1) {
      refuse("has an empty host in its list");
    }
    const isName = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(host);
    if (host !== "" && !host.startsWith("/") && isIP(host) === 0 && !isName) {
      refuse("has a host that is neither a name nor an address");
    }
    const port = portList.length === 1 ? portList[0] : portList[index];
    return {
      host: withoutRootDot(host),
      port: integer("port", port || undefined, { default: 5432, min: 1, max: 65_535 }, refuse),
    };
  });
}

/** Whether all hosts are this machine, or sockets of it. */
function isHere(hosts: string): boolean {
  return hosts.split(",").every((host) => host.startsWith("/") || isLoopbackHost(host));
}

/** As libpq, 0 waits as long as it takes. Nobody here waits longer than the most. */
function readConnectTimeoutSeconds(text: string | undefined, refuse: (problem: string) => void): number {
  const seconds = integer("connect_timeout", text, { default: 0, min: 0, max: 999_999_999 }, refuse);
  return Math.min(seconds || maxConnectTimeoutSeconds, maxConnectTimeoutSeconds);
}

function isInert(parameter: string, value: string): boolean {
  return inert.get(parameter)?.includes(value) === true;
}

/** Adds what the URL does not say and the environment does, and returns the names of the variables that were taken. */
function complete(said: Map<string, string>, variable: (name: string) => string | undefined): string[] {
  const host = said.get("host") ?? "";
  return completing.flatMap(([name, parameter]) => {
    const value = variable(name);
    const mode = said.get("sslmode");
    // A socket is never encrypted, nor is what says so, nor this machine where nothing is said: there is nothing to verify.
    const isPlain = host.split(",").every((each) => each.startsWith("/")) || mode === "disable";
    const hasNoUse = isPlain || (parameter === "sslrootcert" && mode === undefined && isHere(host));
    if (value === undefined || said.has(parameter) || hasNoUse) {
      return [];
    }
    said.set(parameter, value);
    return [name];
  });
}

/** Every parameter that the URL says, decoded, wherever it says it. Undefined if the URL cannot be taken apart. */
function readParameters(text: string, refuse: (problem: string) => void): Map<string, string> | undefined {
  const parts = /\s/.test(text) ? undefined : grammar.exec(text)?.groups;
  if (parts === undefined) {
    refuse("must be postgres://user:password@host:port/database, with special characters percent-encoded");
    return undefined;
  }
  const { user, password, hosts = "", dbname, query } = parts;
  const authorities = hosts.split(",").map((each) => /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(each) ?? []);
  const ports = authorities.map(([, , port]) => port ?? "");
  // From here on a part of the password may stand anywhere, so no part is repeated.
  if (hosts.includes("@") || ports.some((port) => !/^\d*$/.test(port))) {
    refuse('must have "@" written %40 and "/" written %2F in its user and password');
    return undefined;
  }
  if (password === "") {
    refuse("has an empty password: leave the colon out if there is none");
  }
  const said = new Map<string, string>();
  const say = (name: string, encoded: string): void => {
    const value = decode(encoded);
    if (said.has(name)) {
      refuse(`has ${name} twice${name === "host" ? hostTwice : ""}`);
    } else if (value === undefined) {
      refuse(`is not percent-encoded correctly in ${name}`);
    } else if (value === "") {
      refuse(`has an empty ${name}`);
    }
    said.set(name, value ?? "");
  };
  const authority: readonly (readonly [Parameter, string | undefined])[] = [
    ["user", user],
    ["password", password],
    ["host", authorities.map(([, host = ""]) => unbracketed(host, refuse)).join(",")],
    ["port", ports.every((port) => port === "") ? "" : ports.join(",")],
    ["dbname", dbname],
  ];
  for (const [name, value] of authority) {
    if (value !== undefined && value !== "") {
      say(name, value);
    }
  }
  for (const parameter of splitQuery(query)) {
    const [, name = "", value] = /^([^=]*)(?:=(.*))?$/.exec(parameter) ?? [];
    const known = isInert(name, value ?? "") ? name : parameters.find((candidate) => candidate === name);
    if (known === undefined) {
      refuse(unknown(name));
    } else if (value === undefined) {
      refuse(`has an empty ${known}`);
    } else {
      say(known, value);
    }
  }
  return said;
}

/** As libpq, which takes an "&" at the end. */
function splitQuery(query = ""): string[] {
  return query === "" ? [] : query.replace(/&$/, "").split("&");
}

/** As in what Prisma takes for Cloud SQL: `@localhost/db?host=/cloudsql/…`. */
const hostTwice =
  ': leave out the parameter, or the one between "@" and "/", as in postgres://user:password@/database?host=/folder/of/the/socket';

function unknown(name: string): string {
  const taken = inert.get(name);
  const hint =
    instead.get(name) ?? (taken && `it may be ${taken.join(" or ")}`) ?? `supported are ${parameters.join(", ")}`;
  return `has ${/^\w{1,40}$/.test(name) ? `the parameter ${name}` : "a parameter with an invalid name"}, which is not supported: ${hint}`;
}

function unbracketed(host: string, refuse: (problem: string) => void): string {
  if (!host.startsWith("[")) {
    return host;
  }
  const address = host.slice(1, -1);
  if (!isIPv6(decode(address) ?? "")) {
    refuse("has no IPv6 address between its brackets");
  }
  return address;
}

/** As libpq: a "+" is a plus. Undefined if it is no percent-encoded UTF-8, or has a NUL. */
function decode(encoded: string): string | undefined {
  try {
    const decoded = decodeURIComponent(encoded);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function integer(
  name: Parameter,
  text: string | undefined,
  range: { readonly default: number; readonly min: number; readonly max: number },
  refuse: (problem: string) => void,
): number {
  const value = text === undefined ? range.default : /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= range.min && value <= range.max)) {
    refuse(`must have a whole number between ${range.min} and ${range.max} as its ${name}`);
  }
  return value;
}

function applicationName(name: string | undefined, refuse: (problem: string) => void): string {
  // PostgreSQL keeps 63 bytes, and ASCII. What the connection is for is written behind it.
  if (name !== undefined && !/^[\x20-\x7e]{1,40}$/.test(name)) {
    refuse("may have up to 40 characters of ASCII as its application_name");
  }
  return name ?? "byond";
}

type Read = (parameter: Parameter) => string | undefined;

function readTls(get: Read, refuse: (problem: string) => void): DatabaseTls | undefined {
  const [mode, rootPath, certPath, keyPath] = [
    readMode(get, refuse),
    get("sslrootcert"),
    get("sslcert"),
    get("sslkey"),
  ];
  if (mode === "disable") {
    return undefined;
  }
  if (mode !== "require" && rootPath === undefined) {
    refuse(`has sslmode=${mode} without sslrootcert: set it to a file of trusted authorities, or to system`);
  }
  if (mode !== "verify-full" && rootPath === "system") {
    refuse("must have sslmode=verify-full with sslrootcert=system: public authorities sign for anybody");
  }
  if ((certPath === undefined) !== (keyPath === undefined)) {
    refuse("must have both sslcert and sslkey, or neither");
  }
  return {
    verifies: mode === "verify-full" ? "authority and name" : rootPath === undefined ? "nothing" : "authority",
    authorities: rootPath === undefined || rootPath === "system" ? rootPath : { path: resolve(rootPath) },
    clientCertificate:
      certPath === undefined || keyPath === undefined
        ? undefined
        : { certPath: resolve(certPath), keyPath: resolve(keyPath) },
  };
}

const modes = ["disable", "require", "verify-ca", "verify-full"] as const;

/** What `sslmode` says, or means where it is left out. One that is refused is read as `disable`. */
function readMode(get: Read, refuse: (problem: string) => void): (typeof modes)[number] {
  const host = get("host") ?? "";
  const said = get("sslmode") ?? (get("sslrootcert") === "system" ? "verify-full" : undefined);
  const files = ["sslrootcert", "sslcert", "sslkey"] as const;
  const idle = files.filter((name) => get(name) !== undefined);
  const isLocal = isHere(host);
  const isOptional = said === "allow" || said === "prefer";
  if (isOptional && !isLocal) {
    refuse(
      `has sslmode=${said}, which an attacker on the network can downgrade to no encryption: use verify-full, or disable`,
    );
    return "disable";
  }
  const mode = modes.find((candidate) => candidate === (isOptional ? "disable" : (said ?? "disable")));
  if (mode === undefined) {
    refuse(`must have ${modes.join(", ")} as its sslmode`);
  } else if (mode !== "disable" && host.split(",").some((each) => each.startsWith("/"))) {
    refuse("has sslmode for a Unix socket, which PostgreSQL does not encrypt: leave it out");
  } else if (mode === "disable" && idle.length > 0) {
    refuse(`has ${idle.join(", ")} ${said === undefined ? "without sslmode" : `and sslmode=${said}`}`);
  } else if (said === undefined && host !== "" && !isLocal) {
    refuse(
      "has no sslmode, which is required for a host that is not this machine (here or as PGSSLMODE): verify-full with sslrootcert (a file, or system);" +
        " require, which encrypts but does not verify the server; or disable, on a network that nobody else can use, such as between" +
        " the containers of one machine",
    );
  }
  return mode ?? "disable";
}
