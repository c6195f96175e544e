import type { Clock } from "../../clock.ts";
import { signBody } from "../../crypto/sign-body.ts";
import { LruMap } from "../../lru-map.ts";
import type { Logger } from "../../observe/log.ts";
import { Circuit } from "../../outbox/circuit.ts";
import { field, type HttpAnswer, postJson } from "../channels/http/http-post.ts";
import type { LineType } from "./lookup-number.ts";

/** What a number's network says of it now. What it did not say is undefined. */
export interface NetworkState {
  /** Whether the phone is on, and connected to a network. */
  readonly reachable: boolean | undefined;
  /** The carrier that serves the number, after it was ported. */
  readonly carrier: string | undefined;
  readonly ported: boolean | undefined;
  /** The country that the phone is in, if it is not its own: ISO 3166-1 alpha-2. */
  readonly roamingCountry: string | undefined;
  readonly lineType: Exclude<LineType, "unknown"> | undefined;
  readonly checkedAt: Date;
}

export interface LiveSourceOptions {
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly url: string;
  readonly secret: string;
  /** Default 3 s: somebody waits for the answer. */
  readonly timeoutMs?: number;
}

const rememberedNumbers = 10_000;
const maxUnderWay = 50;
const longestRememberedSeconds = 86_400;

/**
 * Asks the operator's adapter for a carrier's look-ups (HLR): `docs/guides/lookup-source.md` has the contract. Answers are remembered for as long as the
 * adapter says, in memory.
 */
export class LiveSource {
  readonly #options: LiveSourceOptions;
  readonly #circuit: Circuit;
  readonly #known = new LruMap<string, { readonly state: NetworkState; readonly untilMs: number }>(rememberedNumbers);
  readonly #underWay = new Map<string, Promise<NetworkState | undefined>>();

  constructor(options: LiveSourceOptions) {
    this.#options = options;
    this.#circuit = new Circuit(() => options.clock.monotonicMs());
  }

  /**
   * What the network says of a number in E.164 form. Undefined if it said nothing: the adapter does not know the number, does not
   * answer, or is not asked, since it failed before or too many ask. Never rejects.
   */
  async find(e164: string): Promise<NetworkState | undefined> {
    const known = this.#known.get(e164);
    if (known !== undefined && this.#options.clock.monotonicMs() < known.untilMs) {
      return known.state;
    }
    const asked = this.#underWay.get(e164);
    if (asked !== undefined) {
      return asked;
    }
    if (this.#underWay.size >= this.#circuit.places(maxUnderWay)) {
      return undefined;
    }
    const asking = this.#ask(e164).finally(() => this.#underWay.delete(e164));
    this.#underWay.set(e164, asking);
    return asking;
  }

  async #ask(number: string): Promise<NetworkState | undefined> {
    const { clock, url, secret, timeoutMs = 3_000 } = this.#options;
    const now = clock.now();
    const body = JSON.stringify({ number });
    const answer = await postJson({
      url,
      headers: { "Byond-Signature": signBody([secret], body, now) },
      body,
      signal: new AbortController().signal,
      timeoutMs,
    });
    this.#reportToCircuit(answer);
    if (answer.kind === "unanswered" || answer.status !== 200) {
      return undefined;
    }
    const state = readState(answer.body, now);
    const seconds = field(answer.body, "cache_seconds");
    if (state !== undefined && typeof seconds === "number" && seconds > 0) {
      const rememberMs = Math.min(seconds, longestRememberedSeconds) * 1_000;
      this.#known.set(number, { state, untilMs: clock.monotonicMs() + rememberMs });
    }
    return state;
  }

  /** 404: the adapter does not know the number. Whatever else is no answer to the question says something of the adapter. */
  #reportToCircuit(answer: HttpAnswer): void {
    const isAnswered = answer.kind === "answered" && [200, 404, 422].includes(answer.status);
    if (isAnswered) {
      if (this.#circuit.succeeded()) {
        this.#options.logger.info("lookup_source_resumed");
      }
      return;
    }
    const pauseMs = this.#circuit.failed(answer.kind === "answered" ? answer.retryAfterMs : undefined);
    if (pauseMs !== undefined) {
      const reason = answer.kind === "unanswered" ? answer.reason : `the source answered ${answer.status}`;
      this.#options.logger.warn("lookup_source_paused", { pause_ms: pauseMs, reason });
    }
  }
}

const lineTypes = ["mobile", "fixed_line", "voip", "toll_free"] as const;

/** Undefined if the answer is not an object. Values of another type than documented count as left out. */
function readState(body: unknown, checkedAt: Date): NetworkState | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return undefined;
  }
  const [reachable, ported] = [field(body, "reachable"), field(body, "ported")];
  const [carrier, roaming] = [field(body, "carrier"), field(body, "roaming_country")];
  return {
    reachable: typeof reachable === "boolean" ? reachable : undefined,
    ported: typeof ported === "boolean" ? ported : undefined,
    carrier: typeof carrier === "string" && /^[^\p{C}]{1,100}$/u.test(carrier) ? carrier : undefined,
    roamingCountry: typeof roaming === "string" && /^[A-Z]{2}$/.test(roaming) ? roaming : undefined,
    lineType: lineTypes.find((type) => type === field(body, "line_type")),
    checkedAt,
  };
}
