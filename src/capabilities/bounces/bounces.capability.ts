import type { Capability } from "../../capability.ts";
import { BounceMailboxEntity } from "./bounce-mailbox.entity.ts";
import { checkMailbox } from "./bounce-mailbox.ts";
import { BounceReader } from "./bounce-reader.ts";
import { type BounceSettings, bounceSettings, describeBounces, readBounceSettings } from "./bounce-settings.ts";
import { Bounces0001 } from "./bounces-0001.migration.ts";

/** Mail that comes back: reads the reports of mail servers from a mailbox, and marks the mails that they are about as failed. */
export function bouncesCapability(): Capability<BounceSettings> {
  return {
    name: "bounces",
    entities: [BounceMailboxEntity],
    migrations: [{ name: "bounces-0001", class: Bounces0001 }],
    settings: [bounceSettings],
    readSettings: readBounceSettings,
    describe: describeBounces,
    diagnose: async ({ bounces }) => (bounces === undefined ? [] : [await checkMailbox(bounces)]),
    start({ database, clock, logger, events, serverId }, { bounces: address }) {
      if (address === undefined) {
        return {};
      }
      const reader = new BounceReader({ database, clock, logger, events, serverId, address });
      reader.start();
      return { close: () => reader.stop() };
    },
  };
}
