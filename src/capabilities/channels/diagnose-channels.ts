import type { Finding } from "../../finding.ts";
import { checkWebAddress } from "../../outgoing/check-connection.ts";
import type { ChannelSettings } from "./channel-settings.ts";
import { checkMailServer } from "./email/check-mail-server.ts";
import type { ProviderCheck } from "./provider-check.ts";
import type { ConfiguredProvider } from "./provider-list.ts";
import { checkWhatsapp } from "./whatsapp/check-whatsapp.ts";

const unavailable = "unavailable: it has no provider";

/** What `byond doctor` finds out about the providers of all channels. */
export async function diagnoseChannels({ delivery, inbox }: ChannelSettings): Promise<readonly Finding[]> {
  const { smtp, whatsapp, sms, voice } = delivery;
  const none = {
    verdict: "ok",
    found: inbox === "all" ? "goes to the inbox" : "unavailable: it has no provider",
  } as const;
  const setting = { sms: "SMS_URL", voice: "VOICE_URL" } as const;
  return Promise.all([
    named("email", smtp === undefined ? none : checkMailServer(smtp.url)),
    named("whatsapp", whatsapp === undefined ? none : checkWhatsapp(whatsapp)),
    ...[...sms, ...voice].map((provider) =>
      named(`${provider.channel}: ${provider.name}`, checkProvider(provider, setting[provider.channel])),
    ),
    ...(["sms", "voice"] as const)
      .filter((channel) => delivery[channel].length === 0)
      .map((channel) => named(channel, { verdict: "ok", found: unavailable })),
  ]);
}

async function named(about: string, check: Promise<ProviderCheck> | ProviderCheck): Promise<Finding> {
  return { about, ...(await check) };
}

async function checkProvider({ check, address }: ConfiguredProvider, setting: string): Promise<ProviderCheck> {
  const found = await (check === undefined
    ? checkWebAddress(/^https?:/.test(address) ? address : `https://${address}`)
    : check());
  return found.advice === undefined ? found : { ...found, advice: `${found.advice} (${setting})` };
}
