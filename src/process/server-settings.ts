import { type SettingNames, settingGroup } from "../config/setting-group.ts";
import { tracingSettings } from "../observe/tracing-settings.ts";

const port = settingGroup("The port", {
  PORT: {
    default: "`8080`",
    meaning: "Port to listen on, for all protocols. `0`: any free port.",
    isOfOneServer: true,
  },
  HOST: {
    default: "`127.0.0.1`",
    meaning: "Address to listen on. A server that listens beyond loopback is public.",
    isOfOneServer: true,
  },
  PUBLIC_URL: {
    default: "the address listened on",
    meaning: "Public base URL, used in links. If its host is not loopback, the server is public.",
  },
  TLS_CERT: {
    default: "none",
    meaning:
      "Path of a PEM file with the certificate and its chain. [Renewed](docs/guides/operations.md#renew-the-certificate) without a restart. The port then speaks only TLS and sends HSTS for a year. Unset: HTTP without TLS. If a proxy terminates TLS, let the proxy send HSTS.",
    isSignOfProduction: true,
    isOfOneServer: true,
  },
  TLS_KEY: {
    default: "none",
    meaning: "Path of a PEM file with the certificate's key, without a passphrase.",
    isOfOneServer: true,
  },
  TRUSTED_PROXIES: {
    default: "none",
    meaning:
      "Addresses of the proxies in front of the server, comma-separated CIDR ranges: `10.0.0.0/8`. Only they may name the client's address. If set, the server is public. Unset behind a proxy: all clients share the limits of the proxy's address.",
    isSignOfProduction: true,
  },
  CLIENT_ADDRESS_HEADER: {
    default: "`x-forwarded-for`",
    meaning: "Header in which the trusted proxies send the client's address. Requires `TRUSTED_PROXIES`.",
  },
  ALLOWED_NETWORKS: {
    default: "none",
    meaning:
      "Networks that requests may come from, comma-separated CIDR ranges: `10.0.0.0/8,2001:db8::/32`. All others get 403 `ip_not_allowed`, also from the console and the reference ([what stays open](docs/guides/operations.md#allowed-networks)). Behind a proxy, set `TRUSTED_PROXIES` too: otherwise all requests come from the proxy. Unset: from everywhere.",
  },
  CORS_ORIGINS: {
    default: "none",
    meaning:
      "Origins whose pages may call the API from a browser, over REST, Connect and gRPC-Web: `https://app.example.com,http://localhost:3000`, or `*` for all. The inbox and `/metrics` are never readable from other origins ([why](docs/decisions/0024-browsers.md)).",
  },
});

const data = settingGroup("Data", {
  NODE_ENV: {
    default: "none",
    meaning: "`production`: the server requires `DATABASE_URL` or `DATA_DIR`.",
    isOfOneServer: true,
  },
  DATABASE_URL: {
    default: "none",
    meaning:
      "PostgreSQL 15 or newer: `postgres://user:password@host/database?sslmode=verify-full&sslrootcert=/root.pem`. Unless the host is this machine, `sslmode` is required: in the URL, or as `PGSSLMODE` (with `PGSSLROOTCERT`) if a platform sets the URL. Parameters have the meaning that libpq documents; others are [refused](docs/guides/operations.md#how-postgresql-is-reached). Unset: an embedded PostgreSQL in `DATA_DIR`.",
    isOfOneServer: true,
    isSecret: true,
  },
  DATABASE_DIRECT_URL: {
    default: "none",
    meaning:
      "The same database past a pooler in transaction mode, where `DATABASE_URL` leads to the pooler: for notifications and migrations. Its pooler has to keep prepared statements, and its sessions need settings ([how](docs/guides/operations.md#a-pooler-in-transaction-mode)).",
    isOfOneServer: true,
    isSecret: true,
  },
  DATABASE_MIGRATION_URL: {
    default: "none",
    meaning:
      "The same database as the role that owns its tables, for migrations. The role of `DATABASE_URL` then needs only the rights that `byond grants` prints ([how](docs/guides/operations.md#two-roles)).",
    isOfOneServer: true,
    isSecret: true,
  },
  DATABASE_POOL_SIZE: {
    default: "`10`",
    meaning:
      "Connections of the pool, from 2 to 1000, of each server, and with `WORKERS` of each worker ([how many a database needs](docs/guides/operations.md#connections)). A pool that PostgreSQL gives fewer uses those it has.",
    isOfOneServer: true,
  },
  DATA_DIR: {
    default: "`.byond`, for a trial",
    meaning: "Folder of the embedded PostgreSQL and of its master secret. Unused with `DATABASE_URL`.",
    isOfOneServer: true,
  },
  BYOND_SECRET: {
    default: "embedded: generated at the first start",
    meaning:
      "Master secret, 32 bytes or more, the same on all servers. Required with `DATABASE_URL`. To rotate it, set `old,new`, then `new,old`, then `new`; complete each step on every server before the next. A server whose secrets do not fit those of the others does not start. The last step requires `byond reseal`, or `RETENTION_DAYS` of waiting. If `old` is lost, `byond forget-secret` erases what it sealed.",
    isOfOneServer: true,
    isSecret: true,
  },
});

const operation = settingGroup("Operation", {
  WORKERS: {
    default: "`1`",
    meaning:
      "Processes that serve the port, up to 128. `auto`: one for each core. With more than one, another process starts them, replaces those that end, and keeps the embedded PostgreSQL ([how](docs/guides/operations.md#workers)).",
    isOfOneServer: true,
  },
  DRAIN_SECONDS: {
    default: "`0`",
    meaning:
      "Seconds, up to 600, in which the server keeps serving after SIGTERM while `/readyz` returns 503. Set it longer than your load balancer takes to notice.",
    isOfOneServer: true,
  },
  LOG_FORMAT: {
    default: "`json`",
    meaning: "`json`: an object on each line of the log, for programs. `pretty`: for people at a terminal.",
    isOfOneServer: true,
  },
  LOG_LEVEL: {
    default: "`info`",
    meaning:
      "`info`, `warn` or `error`: lines of lower levels are not written. Each request has a line of the level `info` ([what it costs](docs/guides/monitoring.md#what-a-line-costs)).",
    isOfOneServer: true,
  },
  LOG_PROBES: {
    default: "`on`",
    meaning: "`off`: no line for requests to `/healthz`, `/readyz`, `/metrics` and gRPC's health service that succeed.",
    isOfOneServer: true,
  },
  METRICS_TOKEN: {
    default: "none",
    meaning: "Bearer token for `/metrics`. Unset: loopback only; 404 on a public server.",
    isSignOfProduction: true,
    isSecret: true,
  },
  GRPC_REFLECTION: {
    default: "`on`",
    meaning:
      "`on`: tools such as `grpcurl` read the schema from the server. `off`: they need `/protos.tar.gz`. The schema is public in any case: `/openapi.json` has the same content.",
  },
});

/** The server's own settings; those of capabilities are declared with them. */
export const serverSettings = [port, data, operation, tracingSettings] as const;

export type ServerSettingName = SettingNames<(typeof serverSettings)[number]>;
