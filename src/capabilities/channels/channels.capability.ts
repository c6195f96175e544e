import { VerifyService } from "../../../gen/byond/v1/verify_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { ReportCounter } from "../../outbox/report-counter.ts";
import { type ChannelSettings, channelSettings, describeChannels, readChannelSettings } from "./channel-settings.ts";
import { type Channels, createChannels } from "./channels.ts";
import { connectProviders } from "./connect-providers.ts";
import { diagnoseChannels } from "./diagnose-channels.ts";
import { Inbox } from "./inbox/inbox.ts";
import { InboxLink } from "./inbox/inbox-link.ts";
import { inboxPage } from "./inbox/inbox-page.ts";
import { whatsappWebhookPage } from "./whatsapp/whatsapp-webhook-page.ts";

const inboxPath = "/dev/inbox";
const webhookPath = "/webhooks/whatsapp";

/** Sends messages to people: mail, WhatsApp, text messages, calls, and the local inbox. */
export function channelsCapability() {
  const offer = new Offer<Channels>("channels");
  const capability: Capability<ChannelSettings> = {
    name: "channels",
    settings: channelSettings,
    readSettings: readChannelSettings,
    describe: describeChannels,
    diagnose: diagnoseChannels,
    async start(platform, settings) {
      const { clock, database, events, logger, proxyTrust, siblings } = platform;
      const { sms, voice, ...others } = settings.delivery;
      const inbox = settings.inbox === "none" ? undefined : new Inbox(clock, siblings.state);
      const link =
        settings.inbox === "all"
          ? await InboxLink.create(new URL(platform.browserUrl + inboxPath), siblings.state)
          : undefined;
      const reports = new ReportCounter();
      const texts = connectProviders({ ...platform, reports }, sms);
      const calls = connectProviders({ ...platform, reports }, voice);
      const channels = createChannels({
        clock,
        ...others,
        sms: texts,
        voice: calls,
        sandbox: inbox,
        substitute: settings.inbox === "all" ? inbox : undefined,
      });
      offer.give(channels);
      const { whatsappWebhook } = others;
      const webhook =
        whatsappWebhook &&
        whatsappWebhookPage({
          database,
          events,
          logger,
          reports,
          now: () => clock.now(),
          proxyTrust,
          ...whatsappWebhook,
        });
      return {
        lanes: channels.lanes,
        metrics: [reports.metric],
        callbacks: () =>
          new Map([
            ...(webhook === undefined ? [] : [[webhookPath, webhook] as const]),
            ...(texts?.pages ?? []),
            ...(calls?.pages ?? []),
          ]),
        calls: ({ errors, admit }) => {
          // Who may read a verification may read its message.
          const admitReader = admit.bind(undefined, VerifyService.method.getVerification);
          return new Map(inbox === undefined ? [] : [[inboxPath, inboxPage({ inbox, link, admitReader, errors })]]);
        },
        greeting: { inboxLink: link && (() => platform.url() + inboxPath + link.query) },
        close: () => channels.close(),
      };
    },
  };
  return { ...capability, offer };
}
