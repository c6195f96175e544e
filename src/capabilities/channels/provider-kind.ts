import type { Clock } from "../../clock.ts";
import type { Logger } from "../../observe/log.ts";
import type { Receipt } from "../../outbox/delivery-receipts.ts";
import type { Dsn } from "./dsn.ts";
import type { Channel } from "./outgoing-message.ts";
import type { ProviderCheck } from "./provider-check.ts";

/** The channels that have providers of several kinds. */
const providerChannels = ["sms", "voice"] as const;
export type ProviderChannel = (typeof providerChannels)[number];

/**
 * A kind of provider of text messages or calls, such as Twilio. It is a folder of its own and a line in `provider-kinds.ts`:
 *
 * ```ts
 * export const acmeKind: ProviderKind = {
 *   name: "acme",
 *   schemes: ["acme"],
 *   channels: ["sms"],
 *   facts: { … },
 *   configure(dsn) {
 *     const key = dsn.password;
 *     if (key === undefined) {
 *       throw new TypeError("it must have a key: acme://:KEY@");
 *     }
 *     return { address: "api.acme.example", create: (deps) => createAcmeProvider({ key }, deps) };
 *   },
 * };
 * ```
 */
export interface ProviderKind {
  /** What a provider of this kind is called, unless its DSN has `?name=`. */
  readonly name: string;
  readonly schemes: readonly [string, ...string[]];
  readonly channels: readonly [ProviderChannel, ...ProviderChannel[]];
  readonly facts: ProviderFacts;
  /** Whether the DSN is a web address of the operator's own, whose other parameters are its own, too. */
  readonly isWebAddress?: true;
  /**
   * Reads the DSN when the server starts. Throws a `TypeError` that names what is wrong and holds no secret. The caller reads `name` and
   * `concurrency`, and refuses parameters that were not taken.
   */
  configure(dsn: Dsn, context: ProviderContext): ProviderConfiguration;
}

/** What the guide tells of a kind: a row of its table, compared with it by a test. Markdown of one line each. */
export interface ProviderFacts {
  /** The DSN by example. */
  readonly dsn: string;
  /** Whether it reports deliveries, and what for. */
  readonly reports: string;
  /** How its callbacks are signed. */
  readonly signature: string;
  /** The last state that a delivery can have. */
  readonly finalState: string;
}

/** What a DSN is read for. */
export interface ProviderContext {
  readonly channel: ProviderChannel;
  /** `PROVIDER_SECRET`. */
  readonly secret: string | undefined;
}

export interface ProviderConfiguration {
  /** Where messages go, for the log of the start: an origin or a host, without secrets. */
  readonly address: string;
  /** Messages at the same time, unless the DSN has `?concurrency=`. Default: 20. */
  readonly concurrency?: number;
  /** It would report deliveries to its callback page, and without `PUBLIC_URL` reports none. */
  readonly reportsToPublicUrl?: boolean;
  /**
   * Asks the provider whether it takes the credentials, by a request that sends nothing and costs nothing. Default: only a connection to
   * `address` is opened.
   */
  check?(): Promise<ProviderCheck>;
  /** Makes the provider. Connections are opened when the first message is sent, unless reports arrive over them. */
  create(deps: ProviderDependencies): Provider;
}

export interface ProviderDependencies {
  /** Unique among the providers of the channel. */
  readonly name: string;
  readonly channel: ProviderChannel;
  readonly clock: Pick<Clock, "now" | "monotonicMs">;
  readonly logger: Logger;
  /** The public address of the provider's callback page, without a query. Undefined: there is no `PUBLIC_URL`. */
  readonly callbackUrl: string | undefined;
  /** Records receipts that arrive elsewhere than at the callback page. Returns the ids of the messages that are known. */
  record(receipts: readonly Receipt[]): Promise<ReadonlySet<string>>;
}

/** A provider: sends messages of one channel. `name` is that of its dependencies. */
export interface Provider extends Channel {
  readonly name: string;
  /** Reads what the provider posts to its page, `/webhooks/<channel>/<name>`. Without it there is no page. */
  readonly callback?: ProviderCallback;
}

/** A callback as the server received it. */
export interface CallbackRequest {
  /** The public address that was called, with the query that arrived: what signatures cover. Empty without `PUBLIC_URL`. */
  readonly url: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}

/**
 * What a callback says. Anybody can call the page: a callback whose signature is missing or wrong must be `unsigned`, whatever else is wrong
 * with it.
 */
export type CallbackContent =
  | {
      readonly kind: "receipts";
      readonly receipts: readonly Receipt[];
      /** What the provider is answered. Default: nothing. */
      readonly answer?: { readonly contentType: string; readonly body: string };
    }
  | { readonly kind: "unsigned" }
  | { readonly kind: "unreadable" };

export type ProviderCallback = (request: CallbackRequest) => CallbackContent | Promise<CallbackContent>;
