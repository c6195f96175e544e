import { type SettingNames, settingGroup } from "../config/setting-group.ts";

const port = settingGroup("The port", {
  PORT: { default: "`8080`", meaning: "The one port. `0` takes any free one." },
  HOST: { default: "`127.0.0.1`", meaning: "The address to listen on." },
  PUBLIC_URL: {
    default: "the address listened on",
    meaning: "Public base URL. With another host than loopback the server is public.",
  },
  TLS_CERT: {
    default: "none",
    meaning:
      "Path of a PEM file, the certificate. With it the port speaks TLS, and tells browsers to use nothing else for a year (HSTS); without it HTTP in the clear. Where a proxy ends TLS, HSTS is the proxy's to send.",
    isSignOfProduction: true,
  },
  TLS_KEY: { default: "none", meaning: "Path of a PEM file, the certificate's key." },
  TRUSTED_PROXIES: {
    default: "none",
    meaning:
      "The addresses (CIDR) whose word about the client's address is taken. A server behind a proxy is public. Behind a proxy without them, all clients count as one.",
    isSignOfProduction: true,
  },
  CLIENT_ADDRESS_HEADER: {
    default: "`x-forwarded-for`",
    meaning: "The header in which trusted proxies say the client's address.",
  },
  CORS_ORIGINS: {
    default: "none",
    meaning:
      "Origins whose pages may call the API from a browser, over REST, Connect and gRPC-Web: `https://app.example.com,http://localhost:3000`, or `*` for all. No page reads the inbox or `/metrics` ([why](docs/decisions/0024-browsers.md)).",
  },
});

const data = settingGroup("Data", {
  NODE_ENV: {
    default: "none",
    meaning: "`production` says that this is no trial: where the data is must be said.",
  },
  DATABASE_URL: {
    default: "none",
    meaning:
      "PostgreSQL 15 or newer: `postgres://user:password@host/database?sslmode=verify-full&sslrootcert=/root.pem`. `sslmode` must be said unless the host is this machine, here or as `PGSSLMODE` (and `PGSSLROOTCERT`) where a platform makes the URL; parameters mean what libpq documents, or are [refused](docs/guides/operations.md#how-postgresql-is-reached). Without it, one is brought along and kept under `DATA_DIR`.",
  },
  DATA_DIR: {
    default: "`.byond`, for a trial",
    meaning: "Where the embedded PostgreSQL and its secret are kept.",
  },
  BYOND_SECRET: {
    default: "embedded: made at the first start",
    meaning:
      "The master secret, 32 bytes or more. Required with `DATABASE_URL`. `old,new`, then `new,old`, then `new` rotates it, each step on every server before the next: one that does not fit the others is refused. The last step is refused as long as rows need `old`, which is until `byond reseal` has run, or for `RETENTION_DAYS`; if `old` is lost, `byond forget-secret` erases them.",
  },
});

const operation = settingGroup("Operation", {
  DRAIN_SECONDS: {
    default: "`0`",
    meaning:
      "How long the server goes on answering after SIGTERM while it says that it is not ready, up to 600: as long as load balancers take to notice.",
  },
  METRICS_TOKEN: {
    default: "none",
    meaning: "Bearer token for `/metrics`. Without it, only this machine may read it, and nobody on a public server.",
    isSignOfProduction: true,
  },
  GRPC_REFLECTION: {
    default: "`on`",
    meaning:
      "`off`: tools such as `grpcurl` need the schema (`proto/`). It tells what `/openapi.json` tells everybody.",
  },
});

/** The server's own settings; those of capabilities are declared with them. */
export const serverSettings = [port, data, operation] as const;

export type ServerSettingName = SettingNames<(typeof serverSettings)[number]>;
