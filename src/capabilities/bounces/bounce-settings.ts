import type { StartDescription } from "../../capability.ts";
import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { type BounceMailboxAddress, parseBouncesUrl } from "./bounces-url.ts";

export interface BounceSettings {
  /** Undefined: mail that comes back is not read. */
  readonly bounces: BounceMailboxAddress | undefined;
}

export const bounceSettings = settingGroup("Bounces", {
  BOUNCES_URL: {
    default: "none",
    meaning:
      "Mailbox to which mail that could not be delivered comes back: `imaps://user:password@host/INBOX`. Unset: that an email came back is not known.",
    isSecret: true,
  },
});

export function readBounceSettings(reader: EnvironmentReader<SettingNames<typeof bounceSettings>>): BounceSettings {
  const text = reader.text("BOUNCES_URL");
  try {
    return { bounces: text === undefined ? undefined : parseBouncesUrl(text) };
  } catch (error) {
    if (!(error instanceof TypeError)) {
      throw error;
    }
    reader.problems.push(`BOUNCES_URL: ${error.message}`);
    return { bounces: undefined };
  }
}

/** For the log of the start: where bounces are read, without user and password. */
export function describeBounces({ bounces }: BounceSettings): StartDescription {
  return { fields: { bounces: bounces === undefined ? "unread" : originOf(bounces) } };
}

export function originOf({ secure, host, port }: BounceMailboxAddress): string {
  return `${secure ? "imaps" : "imap"}://${host}:${port}`;
}
