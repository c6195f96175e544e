import { type MxRecord, NODATA, NOTFOUND } from "node:dns";
import { Resolver } from "node:dns/promises";
import type { Clock } from "../../clock.ts";
import { LruMap } from "../../lru-map.ts";

/** What the domain name system says of a domain. `unknown`: it did not say. */
export interface MailDomain {
  readonly status: "accepts_mail" | "no_mail" | "not_found" | "unknown";
  /** The most preferred mail server, in ASCII. */
  readonly mailServer: string | undefined;
}

export interface MailDomainsOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** As `Resolver.setServers` takes them. Empty: those of the machine. */
  readonly servers: readonly string[];
  /** How long a server may take to answer one of two attempts; twice as long is the longest for a domain. Default 2 s. */
  readonly timeoutMs?: number;
}

/** Top-level domains that are never in the domain name system (RFC 6761, RFC 7686). Nobody is told that they were asked for. */
const reservedNames: ReadonlySet<string> = new Set(["test", "invalid", "localhost", "local", "onion", "internal"]);

const rememberedDomains = 10_000;
/** Domains that are asked for at once: of all workspaces, and of one, whose silent domains must not make those of others unknown. */
const maxUnderWay = { inAll: 200, ofWorkspace: 50 } as const;
/** Answers are remembered for as long as most records are valid at the least, failures only to keep a burst away. */
const rememberedMs = 300_000;
const failureRememberedMs = 5_000;
const unknown: MailDomain = { status: "unknown", mailServer: undefined };

/**
 * Asks the domain name system whether domains take mail, as a mail server does that has mail for them (RFC 5321 §5.1). Domains are
 * asked for once at a time, and remembered.
 */
export class MailDomains {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #servers: readonly string[];
  readonly #timeoutMs: number;
  readonly #resolvers = new Set<Resolver>();
  readonly #known = new LruMap<string, { readonly answer: MailDomain; readonly untilMs: number }>(rememberedDomains);
  readonly #underWay = new Map<string, Promise<MailDomain>>();
  /** How many of them each workspace asked for. */
  readonly #underWayOf = new Map<string, number>();

  constructor({ clock, servers, timeoutMs = 2_000 }: MailDomainsOptions) {
    this.#clock = clock;
    this.#servers = servers;
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects. `domain` is a host name in ASCII, `workspaceId` the workspace that asks. */
  async find(domain: string, workspaceId: string): Promise<MailDomain> {
    if (reservedNames.has(domain.slice(domain.lastIndexOf(".") + 1))) {
      return { status: "not_found", mailServer: undefined };
    }
    const known = this.#known.get(domain);
    if (known !== undefined && this.#clock.monotonicMs() < known.untilMs) {
      return known.answer;
    }
    const asked = this.#underWay.get(domain);
    if (asked !== undefined) {
      return asked;
    }
    const underWay = this.#underWayOf.get(workspaceId) ?? 0;
    if (this.#underWay.size >= maxUnderWay.inAll || underWay >= maxUnderWay.ofWorkspace) {
      return unknown;
    }
    this.#underWayOf.set(workspaceId, underWay + 1);
    const asking = this.#ask(domain).finally(() => {
      this.#underWay.delete(domain);
      this.#release(workspaceId);
    });
    this.#underWay.set(domain, asking);
    return asking;
  }

  #release(workspaceId: string): void {
    const left = (this.#underWayOf.get(workspaceId) ?? 0) - 1;
    if (left > 0) {
      this.#underWayOf.set(workspaceId, left);
    } else {
      this.#underWayOf.delete(workspaceId);
    }
  }

  close(): void {
    for (const resolver of this.#resolvers) {
      resolver.cancel();
    }
  }

  async #ask(domain: string): Promise<MailDomain> {
    const resolver = this.#createResolver();
    this.#resolvers.add(resolver);
    // The attempts are made at each server, of which machines may have three.
    const timer = setTimeout(() => resolver.cancel(), 2 * this.#timeoutMs);
    const answer = await resolve(resolver, domain);
    clearTimeout(timer);
    this.#resolvers.delete(resolver);
    const rememberMs = answer.status === "unknown" ? failureRememberedMs : rememberedMs;
    this.#known.set(domain, { answer, untilMs: this.#clock.monotonicMs() + rememberMs });
    return answer;
  }

  /**
   * One for each domain: c-ares shortens the timeout of a resolver that had fast answers, down to 250 ms, and domains whose own
   * servers are slow would be unknown.
   */
  #createResolver(): Resolver {
    const resolver = new Resolver({ timeout: this.#timeoutMs, maxTimeout: this.#timeoutMs, tries: 2 });
    if (this.#servers.length > 0) {
      resolver.setServers(this.#servers);
    }
    return resolver;
  }
}

/** Asks whether a domain takes mail. */
async function resolve(resolver: Resolver, domain: string): Promise<MailDomain> {
  // The dot at the end: the name is whole, so that the search list of the machine is not tried.
  const name = `${domain}.`;
  const exchanges = await answerOf(resolver.resolveMx(name));
  if (exchanges === "not_found" || exchanges === "unknown") {
    return { status: exchanges, mailServer: undefined };
  }
  if (exchanges !== "none") {
    const mailServer = preferred(exchanges);
    return { status: mailServer === undefined ? "no_mail" : "accepts_mail", mailServer };
  }
  // Without a mail server, mail goes to the domain's own address.
  const addresses = await Promise.all([answerOf(resolver.resolve4(name)), answerOf(resolver.resolve6(name))]);
  if (addresses.some((found) => Array.isArray(found))) {
    return { status: "accepts_mail", mailServer: domain };
  }
  return addresses.includes("unknown") ? unknown : { status: "no_mail", mailServer: undefined };
}

/** `none`: the domain exists and has no such record. */
async function answerOf<T>(asked: Promise<T[]>): Promise<T[] | "none" | "not_found" | "unknown"> {
  try {
    const records = await asked;
    return records.length === 0 ? "none" : records;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === NODATA ? "none" : code === NOTFOUND ? "not_found" : "unknown";
  }
}

const hostname = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/**
 * The server that mail is tried at first. Undefined: the domain takes none. `MX 0 .` says so (RFC 7505), and a name that is no host
 * name, such as an IP address, reaches nobody.
 */
function preferred(exchanges: readonly MxRecord[]): string | undefined {
  return exchanges
    .toSorted((a, b) => a.priority - b.priority)
    .map(({ exchange }) => exchange.toLowerCase().replace(/\.$/, ""))
    .find((name) => name.length <= 253 && hostname.test(name) && !/(^|\.)\d+$/.test(name) && name !== "localhost");
}
