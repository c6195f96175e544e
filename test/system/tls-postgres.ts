import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { connectionTo } from "../support/database-address.ts";
import { until } from "./load.ts";
import { makeFolder } from "./main-process.ts";
import { StoppablePostgres } from "./stoppable-postgres.ts";

/** Over the network with TLS only; `carol` also shows a certificate of her own. Over its Unix socket as it is. */
const hostBasedAuthentication = `
local   all all                 scram-sha-256
hostssl all carol 127.0.0.1/32  scram-sha-256 clientcert=verify-full
hostssl all all   127.0.0.1/32  scram-sha-256
`;

/** A PostgreSQL that takes no connection in the clear over the network, and the files that a client of it may need. */
export class TlsPostgres implements AsyncDisposable {
  readonly postgres: StoppablePostgres;
  readonly #folder: string;
  readonly #certificates: { readonly trusted: Certificate; readonly foreign: Certificate };
  readonly #resources: AsyncDisposableStack;

  private constructor(
    postgres: StoppablePostgres,
    folder: string,
    certificates: { readonly trusted: Certificate; readonly foreign: Certificate },
    resources: AsyncDisposableStack,
  ) {
    this.postgres = postgres;
    this.#folder = folder;
    this.#certificates = certificates;
    this.#resources = resources;
  }

  /** `names` are what its certificate is good for. */
  static async start(...names: readonly string[]): Promise<TlsPostgres> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await makeFolder());
    const authority = makeCertificate({ commonName: "authority", isAuthority: true });
    const stranger = makeCertificate({ commonName: "authority", isAuthority: true });
    const server = makeCertificate({ commonName: "server", names, issuer: authority });
    const settings = (cluster: string) => ({
      ssl: "on",
      ssl_cert_file: "server.pem",
      ssl_key_file: "server.key",
      ssl_ca_file: "authority.pem",
      hba_file: join(cluster, "own_hba.conf"),
      unix_socket_directories: cluster,
      log_connections: "on",
    });
    const postgres = resources.use(
      await StoppablePostgres.start(settings, {
        "server.pem": server.cert,
        "server.key": server.key,
        "authority.pem": authority.cert,
        "own_hba.conf": hostBasedAuthentication,
      }),
    );
    const write = async (name: string, { cert, key }: Certificate) => {
      await writeFile(join(folder.path, `${name}.pem`), cert);
      await writeFile(join(folder.path, `${name}.key`), key);
    };
    await write("authority", authority);
    await write("stranger", stranger);
    await write("carol", makeCertificate({ commonName: "carol", issuer: authority }));
    await write("mallory", makeCertificate({ commonName: "mallory", issuer: authority }));
    await write("forged", makeCertificate({ commonName: "carol", issuer: stranger }));
    await writeFile(join(folder.path, "text.pem"), "not a certificate");
    await postgres.query(`CREATE ROLE carol LOGIN PASSWORD '${postgres.password}'`);
    await postgres.query("CREATE DATABASE carol OWNER carol");
    const foreign = makeCertificate({ commonName: "server", names, issuer: stranger });
    return new TlsPostgres(postgres, folder.path, { trusted: server, foreign }, resources.move());
  }

  /** Shows another certificate from here on, of its own authority or of `stranger`, and disconnects the servers. */
  async present(which: "trusted" | "foreign"): Promise<void> {
    const { cert, key } = this.#certificates[which];
    await this.postgres.replaceFile("server.pem", cert);
    await this.postgres.replaceFile("server.key", key);
    await this.postgres.query("SELECT pg_reload_conf()");
    const client = await connectionTo(
      this.url({ sslmode: "verify-full", sslrootcert: which === "trusted" ? "authority.pem" : "stranger.pem" }),
    );
    await until("PostgreSQL shows the other certificate", 10_000, async () => {
      const probe = new pg.Client({ ...client });
      return probe
        .connect()
        .then(() => probe.end())
        .then(
          () => true,
          () => false,
        );
    });
    await this.postgres.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'byond%'",
    );
  }

  /** `authority`, `stranger`, `carol`, `mallory`, `forged`: `.pem`, and `.key`; and `text.pem`. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Files in the parameters are named as `path` takes them. */
  url(parameters: Readonly<Record<string, string>> = {}, { user = "byond", host = "localhost" } = {}): string {
    const query = Object.entries(parameters).map(([name, value]) => {
      return `${name}=${encodeURIComponent(/\.(pem|key)$/.test(value) ? this.path(value) : value)}`;
    });
    const { password, port } = this.postgres;
    return `postgres://${user}:${password}@${host}:${port}/${user}?${query.join("&")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
