/**
 * What a capability is: the one file that the author of a new one must know. A capability plugs in whole; `app.ts` lists
 * them, and nothing of the platform names one of them.
 *
 * ```ts
 * // capabilities/badges/badges.capability.ts
 * export function badgesCapability(): Capability<BadgeSettings> {
 *   return {
 *     name: "badges",
 *     settings: [settingGroup("Badges", { BADGES_A_DAY: { default: "`10`", meaning: "Badges a day of a workspace." } })],
 *     readSettings: (reader) => ({ badgesADay: reader.integer("BADGES_A_DAY", { default: 10, min: 1, max: 1_000 }) }),
 *     entities: [BadgeEntity],
 *     migrations: [{ name: "badges-0001", class: Badges0001 }],
 *     start: ({ database }, { badgesADay }) => ({
 *       services: [{ binding: bindService(BadgeService, badgeService({ database, badgesADay })) }],
 *       sweeps: [badgeSweep({ database })],
 *     }),
 *   };
 * }
 * ```
 */
import type { Readable, Writable } from "node:stream";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { MigrationObject } from "@mikro-orm/core";
import type { EntitySchema } from "@mikro-orm/postgresql";
import type { Metric } from "prom-client";
import type { Authenticator } from "./access/authorize.ts";
import type { Clock } from "./clock.ts";
import type { EnvironmentReader } from "./config/environment-reader.ts";
import type { SettingGroup } from "./config/setting-group.ts";
import type { HashCost } from "./crypto/argon2-hasher.ts";
import type { Keyring } from "./crypto/keyring.ts";
import type { SealedRows } from "./crypto/master-secret-use.ts";
import type { PostgresConnection } from "./database/connection.ts";
import type { Database } from "./database/database.ts";
import type { ReadingSession } from "./database/reading-session.ts";
import type { Sweep } from "./database/sweeper.ts";
import type { EventLog } from "./events/event-log.ts";
import type { Finding } from "./finding.ts";
import type { Repetition } from "./idempotency/idempotency-interceptor.ts";
import type { LogFields, Logger } from "./observe/log.ts";
import type { RecordedKey } from "./observe/request-record.ts";
import type { LaneGroup } from "./outbox/lane-set.ts";
import type { OutboxItem, OutboxSender } from "./outbox/outbox.ts";
import type { Quota } from "./quota/quota.ts";
import type { RevocationService } from "./revocation/revocation-service.ts";
import type { PageReader } from "./rpc/authorize-page.ts";
import type { ServiceBinding } from "./rpc/router.ts";
import type { FieldCheck } from "./rpc/validation.ts";
import type { ErrorReporter } from "./rpc/wire-errors.ts";
import type { ProxyTrust } from "./server/client-address.ts";
import type { ShedOrder } from "./server/load-shedder.ts";
import type { CallHandler, Page } from "./server/request-handler.ts";
import type { Siblings } from "./workers/worker-channel.ts";

/** A capability as it is known before anything is started. `Settings` are its own part of the configuration. */
export interface Capability<Settings = unknown> {
  /** Unique. Errors name it. */
  readonly name: string;
  /** The scopes that keys can be given for its RPCs. An RPC that asks for another one keeps the server from starting. */
  readonly scopes?: readonly string[];
  /** Its tables. They may refer to those of the platform, not to those of other capabilities. */
  readonly entities?: readonly EntitySchema[];
  /** Run once on every database, in the order of the capabilities, and after those of the platform. */
  readonly migrations?: readonly MigrationObject[];
  /** Its tables whose rows belong to a workspace. Their rows are deleted with the workspace. */
  readonly workspaceTables?: WorkspaceTables;
  /** Of the operator, by name. */
  readonly commands?: Readonly<Record<string, OperatorCommand<Settings>>>;
  /** The variables that it reads: `--help` tells of them, and no other one can be read. */
  readonly settings?: readonly SettingGroup[];
  /** Reads its settings from the environment. What is wrong with them joins the reader's problems. */
  readSettings?(reader: EnvironmentReader, server: ServerFacts): Settings;
  /** What the log says of its settings when the server has started. */
  describe?(settings: Settings, server: ServerFacts): StartDescription;
  /**
   * What `byond doctor` finds out about the services of others that its settings name. It is not started for that, sends no message and
   * changes nothing. Takes 15 seconds at most.
   */
  diagnose?(settings: Settings): Promise<readonly Finding[]>;
  /**
   * Runs once after a backup was restored, while no server runs: ends what the backup brought back. Returns sentences for the operator. Throws
   * `CommandError` for what the person at the terminal can mend.
   */
  afterRestore?(restored: Restored): Promise<readonly string[]>;
  /** What it seals with the master secrets. */
  sealed?(settings: Settings): SealedRows;
  /** Begins its work. Called once, after the capabilities that are listed before it. */
  start(platform: Platform, settings: Settings): Contribution | Promise<Contribution>;
}

/**
 * The tables whose rows belong to a workspace (`workspace_id`), by name: the other columns of an index that begins with the workspace, by which
 * they are deleted. Null: their rows are gone before the workspace is erased.
 */
export type WorkspaceTables = Readonly<Record<string, string | null>>;

/** Facts about the server that settings of capabilities depend on. */
export interface ServerFacts {
  /** Whether others than this machine's user may reach the server. */
  readonly isPublic: boolean;
  /** Whether the database is embedded: it serves this process alone. */
  readonly isEmbedded: boolean;
  /** Whether it has an address that others can call back: `PUBLIC_URL`. */
  readonly hasPublicUrl: boolean;
}

/** The services that the server shares with its capabilities. */
export interface Platform {
  readonly server: ServerFacts;
  /** Names this process among the servers of the database: `srv_…`. */
  readonly serverId: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keyring: Keyring;
  /** The key of the tags by which keys and tokens are told from guesses. It belongs to the database and is never rotated. */
  readonly tagKey: Buffer;
  readonly revocation: RevocationService;
  /** What happened, in an order that every reader sees. */
  readonly events: EventLog;
  /** Counts requests, and what else has a limit a minute, across all servers. */
  readonly quota: Quota;
  /** The tables of all capabilities, and then of the platform, whose rows belong to a workspace. */
  readonly workspaceTables: WorkspaceTables;
  /** The scopes that a key can have: those of all capabilities, and `*`. */
  readonly scopes: readonly string[];
  /** The cost of hashing a password. */
  readonly passwordCost: HashCost;
  /** The processes of this server (`WORKERS`), and the little that they share without the database. */
  readonly siblings: Siblings;
  /** The proxies whose statement of the client's address is trusted. */
  readonly proxyTrust: ProxyTrust;
  /** Sends a message whose row was just committed. */
  readonly dispatch: (item: OutboxItem) => void;
  /** Public base URL, where one was set. */
  readonly publicUrl: string | undefined;
  /** Public base URL, or else the address that the server listens on: known once the port is open. */
  readonly url: () => string;
  /** Base URL as it is known before the port is open: its host and port may be others. */
  readonly browserUrl: string;
}

/** What a running capability adds to the server. */
export interface Contribution {
  readonly services?: readonly CapabilityService[];
  /** Authenticates one kind of credential. */
  readonly authenticator?: Partial<Authenticator>;
  /** What sends messages of the outbox, by kind of message. */
  readonly senders?: Readonly<Record<string, OutboxSender>>;
  /** Messages sent at the same time, by lane of the outbox. */
  readonly lanes?: Readonly<Record<string, number>>;
  /** Lanes of the outbox that are made on demand, by the name of their group. */
  readonly laneGroups?: Readonly<Record<string, LaneGroup>>;
  readonly sweeps?: readonly Sweep[];
  /** Pages outside the API, by exact path or by folder (`/console/*`), given the services that the server has. */
  pages?(services: readonly DescService[]): ReadonlyMap<string, Page> | Promise<ReadonlyMap<string, Page>>;
  /**
   * Pages that other services call, by exact path: they prove by a secret who they are. `ALLOWED_NETWORKS` does not restrict them: nobody knows the
   * addresses of those services.
   */
  callbacks?(): ReadonlyMap<string, Page>;
  /** Pages outside the API that take its credentials, by exact path. */
  calls?(gate: PageGate): ReadonlyMap<string, CallHandler>;
  /** What `/metrics` tells of it: prom-client's, with names that begin with `byond_`, and in no register (`registers: []`). */
  readonly metrics?: readonly Metric[];
  readonly greeting?: Greeting;
  /**
   * Told of each request with an API key once it was answered, with the code of the error that it was answered with. It runs for every request:
   * it must be fast, and must not throw.
   */
  onKeyAnswered?(key: RecordedKey, errorCode: string | undefined): void;
  /** Ends the streams that do not end by themselves. Called when the server stops, before it closes its port. */
  endStreams?(): void;
  /** Releases its resources within a time. Returns false, or a promise of it, if something was left. */
  close?(withinMs: number): unknown;
}

/** A service, and what is done around the calls of its RPCs. */
export interface CapabilityService {
  readonly binding: ServiceBinding;
  /** Rules of its requests that the schema cannot express. */
  readonly fieldChecks?: readonly FieldCheck[];
  /** Whether its calls are ended at their deadline. Default: they are. See `ChainOptions`. */
  readonly endsAtDeadline?: boolean;
  /**
   * Its RPCs that may be refused while more calls come than can be served, by their name in TypeScript: `{ lookupNumber: "first" }`. Others never are.
   */
  readonly shed?: Readonly<Record<string, ShedOrder>>;
  /** See `IdempotencyOptions`. */
  readonly beforeComparison?: (repetition: Repetition) => Promise<void>;
  /** Runs before an answer is given a second time: what was committed with it may not hold everywhere yet. */
  readonly beforeReplay?: () => Promise<void>;
}

/** How pages admit those who call them, and refuse others. */
export interface PageGate {
  readonly errors: ErrorReporter;
  /**
   * Admits a request as the chain admits a call of the RPC, which is about one mode. Returns whose it is. Throws what the call would get;
   * sets headers of the answer.
   */
  admit(method: DescMethod, request: UniversalServerRequest, responseHeader: Headers): Promise<PageReader>;
}

/** What the start prints for the person at the terminal. */
export interface Greeting {
  /** The sandbox key of the first start, which is printed only then. */
  readonly demoKey?: string | undefined;
  /** A link that signs a browser in to the demo workspace, once. */
  readonly consoleLink?: (() => string) | undefined;
  /** A link that opens the inbox in a browser, once. */
  readonly inboxLink?: (() => string) | undefined;
}

export interface StartDescription {
  /** Of the line `started`. */
  readonly fields?: LogFields;
  readonly notices?: readonly StartNotice[];
}

/** A line of the log that an operator should read at the start, with a row in docs/guides/operations.md. */
export interface StartNotice {
  readonly level: "info" | "warn";
  readonly event: string;
  /** What to set to change it, or what it is about. */
  readonly settings: readonly string[];
}

/** A command of the command line, such as `create-account`. */
export interface OperatorCommand<Settings = unknown> {
  /** What it does, for `--help`: a sentence or two. */
  readonly summary: string;
  /** By name. Others are refused, and so is every other argument. */
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** Throws `CommandError` for what the person at the terminal can mend. */
  run(command: Command<Settings>): Promise<void>;
  /**
   * Runs in the place of `run` if the configuration cannot be read. Default: its problems are printed. Throws `CommandError`, as `run` does.
   */
  runWithoutSettings?(problems: readonly string[], command: Pick<Command<Settings>, "options" | "write">): void;
}

/** A database after a backup was restored. */
export interface Restored {
  readonly database: Database;
  /** Of `byond after-restore`. */
  readonly options: Readonly<Record<string, string>>;
}

/** An option of a command, such as `--email <address>`. */
export interface CommandOption {
  /** What stands for its value in the usage. Undefined: it has none, and is given or not, such as `--json`. */
  readonly value?: string;
  readonly meaning: string;
  readonly isRequired?: true;
}

/** A command of the operator while it runs. */
export interface Command<Settings = unknown> {
  readonly settings: Settings;
  readonly logger: Logger;
  /** The values of those that were given, by name; "" for one that has no value. Those that are required are there. */
  readonly options: Readonly<Record<string, string>>;
  /** Where a password is read from: asked for at a terminal, the first line otherwise. */
  readonly input: Readable & { readonly isTTY?: boolean };
  /** The variables of the process: those that are no settings of a server. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  /** Standard output, for what is long: a command waits while its reader is slow. */
  readonly output: Writable;
  /** Standard error, for what is said beside an output. */
  readonly terminal: Writable & { readonly isTTY?: boolean };
  /** Runs work that changes nothing, on the database as it is: no migration is run, and nothing is created. */
  readDatabase<T>(work: (session: ReadingSession) => Promise<T>): Promise<T>;
  /** Runs work on the server's database, with the embedded one started for it. */
  onDatabase<T>(
    work: (open: { readonly database: Database; readonly connection: PostgresConnection }) => Promise<T>,
  ): Promise<T>;
}

/** A problem that the person at the terminal can mend. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** What a capability offers to others, available once it has started. `app.ts` passes it to those that need it. */
export class Offer<T> {
  readonly #capability: string;
  #value: T | undefined;

  constructor(capability: string) {
    this.#capability = capability;
  }

  give(value: T): void {
    this.#value = value;
  }

  /** Whether there is a value by now. */
  get isGiven(): boolean {
    return this.#value !== undefined;
  }

  /** Throws `TypeError` before the capability has started: it has to be listed before those that need it. */
  get value(): T {
    if (this.#value === undefined) {
      throw new TypeError(`the capability ${this.#capability} has not started yet`);
    }
    return this.#value;
  }
}
