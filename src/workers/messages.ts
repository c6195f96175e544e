import type { Registry } from "prom-client";
import type { EnvFile } from "../config/env-file.ts";
import type { ConnectionSecurity } from "../database/connection.ts";
import type { PortCertificate } from "../server/certificate-source.ts";
import type { PortAddress } from "../server/one-port.ts";
import type { SharedEntry, SharedList } from "./shared-state.ts";

/** What a worker needs to start. It holds secrets: it goes over the channel between the processes, never through an environment. */
export interface Assignment {
  /** How many workers there are. */
  readonly workers: number;
  /** The settings as the primary read them, so that a worker that replaces another has the same. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly envFile: EnvFile | undefined;
  /** Where the embedded PostgreSQL is, with its password. Undefined: the database is external. */
  readonly postgresUrl: string | undefined;
  /** Undefined: the port does not speak TLS. */
  readonly certificate: PortCertificate | undefined;
}

/** What only a worker that has started knows. */
export interface StartedWorker {
  readonly url: string;
  readonly demoKey: string | undefined;
  readonly consoleLink: string | undefined;
  readonly inboxLink: string | undefined;
  readonly databaseSecurity: ConnectionSecurity;
  readonly secretIds: readonly string[];
}

/** The metrics of a process, as prom-client writes them for those who sum them up. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** What a worker asks the primary. */
export type Question =
  | { readonly about: "secret"; readonly name: string }
  | { readonly about: "claim"; readonly name: string }
  | { readonly about: "add"; readonly list: SharedList; readonly id: string; readonly entry: SharedEntry }
  | { readonly about: "read"; readonly list: SharedList; readonly group: string | undefined }
  | { readonly about: "metrics" }
  /** Open the port, and count this worker among those that take its connections once it has started. */
  | { readonly about: "port"; readonly place: PortAddress };

export type ToWorker =
  | { readonly kind: "start"; readonly assignment: Assignment }
  /** Show this one to those who connect from now on. */
  | { readonly kind: "certificate"; readonly certificate: PortCertificate }
  /** Report that you are stopping, and go on serving. */
  | { readonly kind: "drain" }
  /** Finish what is in flight, and end. */
  | { readonly kind: "close" }
  /** Comes with a socket. */
  | { readonly kind: "connection"; readonly number: number }
  /** Say `taken` for all connections up to this one, whether they arrived or not. */
  | { readonly kind: "sent"; readonly number: number }
  | { readonly kind: "answer"; readonly to: number; readonly answer: unknown }
  | { readonly kind: "collect_metrics" };

export type ToPrimary =
  /** The worker listens to its channel. */
  | { readonly kind: "present" }
  | { readonly kind: "started"; readonly worker: StartedWorker }
  /** It cannot start; the explanation is for the operator. */
  | { readonly kind: "failed"; readonly explanation: string }
  | { readonly kind: "question"; readonly id: number; readonly question: Question }
  /** The worker has the connection that was on its way, and gets none before it any more. */
  | { readonly kind: "taken"; readonly number: number }
  | { readonly kind: "metrics"; readonly metrics: MetricsSnapshot };
