import type { Platform } from "../../capability.ts";
import { recordReceipts } from "../../outbox/delivery-receipts.ts";
import type { ReportCounter } from "../../outbox/report-counter.ts";
import type { Page } from "../../server/request-handler.ts";
import type { Channel } from "./outgoing-message.ts";
import { providerCallbackPage } from "./provider-callback-page.ts";
import type { Provider } from "./provider-kind.ts";
import type { ConfiguredProvider } from "./provider-list.ts";
import { ProviderPool } from "./provider-pool.ts";

type Dependencies = Pick<Platform, "clock" | "database" | "events" | "logger" | "proxyTrust" | "publicUrl"> & {
  readonly reports: Pick<ReportCounter, "count">;
};

/** A channel over the providers of the settings. */
export interface ConnectedProviders {
  readonly channel: Channel;
  /** Messages sent at the same time. */
  readonly places: number;
  /** The providers' callback pages, by path. */
  readonly pages: ReadonlyMap<string, Page>;
}

/** The providers of one channel. Undefined: it has none. */
export function connectProviders(
  deps: Dependencies,
  configured: readonly ConfiguredProvider[],
): ConnectedProviders | undefined {
  const connected = configured.map((each) => ({ ...connect(deps, each), concurrency: each.concurrency }));
  const [first] = connected;
  const [{ channel } = { channel: "" }] = configured;
  if (first === undefined) {
    return undefined;
  }
  return {
    // The circuit of a single provider is the lane's.
    channel: connected.length === 1 ? first.provider : new ProviderPool(connected, { ...deps, channel }),
    places: connected.reduce((sum, { concurrency }) => sum + concurrency, 0),
    pages: new Map(connected.flatMap(({ page }) => page ?? [])),
  };
}

function connect(
  deps: Dependencies,
  { name, channel, create }: ConfiguredProvider,
): { readonly provider: Provider; readonly page: readonly [string, Page][] } {
  const { clock, database, events, logger, proxyTrust, publicUrl, reports } = deps;
  const path = `/webhooks/${channel}/${name}`;
  const callbackUrl = publicUrl === undefined ? undefined : publicUrl.replace(/\/+$/, "") + path;
  const record: Parameters<typeof create>[0]["record"] = async (receipts) => {
    const source = { lane: channel, provider: name };
    const known = await recordReceipts(database, source, receipts);
    reports.count(source, receipts, known);
    events.committed();
    return known;
  };
  const provider = create({ name, channel, clock, logger, callbackUrl, record });
  const { callback } = provider;
  const page =
    callback && providerCallbackPage({ channel, name, callback, callbackUrl, clock, logger, proxyTrust, record });
  return { provider, page: page === undefined ? [] : [[path, page]] };
}
