import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import type { Capability } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import { LiveSource } from "./live-source.ts";
import { lookupFieldChecks, lookupService } from "./lookup.rpc.ts";
import { type LookupSettings, lookupSettings, readLookupSettings } from "./lookup-settings.ts";
import { PlanTables } from "./plan-tables.ts";

/** Looks up phone numbers: offline, and in their networks if the operator has a source for it. */
export function lookupCapability(): Capability<LookupSettings> {
  return {
    name: "lookup",
    scopes: ["lookup"],
    settings: [lookupSettings],
    readSettings: readLookupSettings,
    describe: ({ liveLookup }) => ({
      fields: { lookups: liveLookup === undefined ? "offline" : new URL(liveLookup.url).origin },
      notices: [],
    }),
    start({ clock, logger }, { liveLookup }) {
      const liveSource = liveLookup && new LiveSource({ clock, logger, ...liveLookup });
      return {
        services: [
          {
            binding: bindService(LookupService, lookupService({ tables: new PlanTables(), liveSource })),
            fieldChecks: lookupFieldChecks,
            shed: { lookupNumber: "first" },
          },
        ],
      };
    },
  };
}
