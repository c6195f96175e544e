import { isIP } from "node:net";
import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";

export interface EmailLookupSettings {
  readonly emailDns: {
    readonly isOn: boolean;
    /** As `dns.Resolver.setServers` takes them. Empty: those of the machine. */
    readonly servers: readonly string[];
  };
}

export const emailLookupSettings = settingGroup("Email lookup", {
  EMAIL_DNS: {
    default: "`on`",
    meaning: "`off`: `POST /email/verify` asks no DNS server, and does not say whether a domain takes mail.",
  },
  EMAIL_DNS_SERVERS: {
    default: "the machine's",
    meaning:
      "The DNS servers that it asks: IP addresses, each with a port if it is not 53: `9.9.9.9,[2620:fe::fe]:53`.",
  },
});

export function readEmailLookupSettings(
  reader: EnvironmentReader<SettingNames<typeof emailLookupSettings>>,
): EmailLookupSettings {
  const servers = reader.list("EMAIL_DNS_SERVERS");
  if (!servers.every(isServer)) {
    reader.problems.push("EMAIL_DNS_SERVERS must be IP addresses, such as 9.9.9.9,[2620:fe::fe]:53");
  }
  return { emailDns: { isOn: reader.choice("EMAIL_DNS", ["on", "off"], "on") === "on", servers } };
}

function isServer(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  const family = isIP(address);
  return (family === 4 || (family === 6 && plain === undefined)) && (port === undefined || Number(port) <= 65_535);
}
