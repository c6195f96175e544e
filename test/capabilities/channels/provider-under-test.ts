import { parseDsn } from "../../../src/capabilities/channels/dsn.ts";
import type { CodeMessage } from "../../../src/capabilities/channels/outgoing-message.ts";
import type {
  CallbackRequest,
  ProviderChannel,
  ProviderKind,
} from "../../../src/capabilities/channels/provider-kind.ts";
import type { Receipt } from "../../../src/outbox/delivery-receipts.ts";
import { captureLog } from "../../support/log-capture.ts";
import { codeMessage, fixedNow } from "./messages.ts";

export const callbackUrl = "https://byond.example.com/webhooks/sms/provider";

interface Setup {
  readonly kind: ProviderKind;
  readonly dsn: string;
  readonly channel?: ProviderChannel;
  readonly callbackUrl?: string | undefined;
  readonly now?: () => Date;
}

/** A provider of a DSN, as the server makes it, without a server. */
export function providerUnderTest(setup: Setup) {
  const { kind, channel = "sms", now = () => fixedNow } = setup;
  const dsn = parseDsn(setup.dsn);
  const { address, create } = kind.configure(dsn, { channel, secret: undefined });
  dsn.parameters.refuseOthers();
  const log = captureLog();
  const recorded: Receipt[] = [];
  const provider = create({
    name: kind.name,
    channel,
    clock: { now, monotonicMs: () => now().getTime() },
    logger: log.logger,
    callbackUrl: "callbackUrl" in setup ? setup.callbackUrl : callbackUrl,
    record: async (receipts) => {
      recorded.push(...receipts);
      return new Set();
    },
  });
  return {
    address,
    provider,
    logLines: log.lines,
    /** What it recorded by itself. */
    recorded,
    send(overrides: Partial<CodeMessage> = {}, signal = new AbortController().signal) {
      const message = codeMessage({ channel, recipient: "+6591234567", ...overrides });
      return provider.send(message, { idempotencyKey: "dlv_1", signal });
    },
    callback(request: Partial<CallbackRequest> & { readonly headers?: Readonly<Record<string, string>> }) {
      const { headers = {}, url = callbackUrl, body = Buffer.alloc(0) } = request;
      const { searchParams: query } = new URL(url);
      return provider.callback?.({ url, query, body, header: (name) => headers[name] });
    },
  };
}
