import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import type { Capability } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import { StreamPlaces } from "../../rpc/stream-places.ts";
import { BatchTurns } from "./batch/batch-turns.ts";
import { lookupCsvCommand } from "./csv/lookup-csv-command.ts";
import { LiveSource } from "./live-source.ts";
import { lookupFieldChecks, lookupService } from "./lookup.rpc.ts";
import { type LookupSettings, lookupSettings, readLookupSettings } from "./lookup-settings.ts";
import { PlanTables } from "./plan-tables.ts";

/** On one server. Each gets its turns, however many there are; they take memory. */
const maxStreamsPerWorkspace = 100;

/** Looks up phone numbers: offline, and in their networks if the operator has a source for it. */
export function lookupCapability(): Capability<LookupSettings> {
  return {
    name: "lookup",
    scopes: ["lookup"],
    commands: { lookup: lookupCsvCommand },
    settings: [lookupSettings],
    readSettings: readLookupSettings,
    describe: ({ liveLookup }) => ({
      fields: { lookups: liveLookup === undefined ? "offline" : new URL(liveLookup.url).origin },
      notices: [],
    }),
    start({ quota, clock, logger }, { liveLookup }) {
      const liveSource = liveLookup && new LiveSource({ clock, logger, ...liveLookup });
      const service = lookupService({
        quota,
        clock,
        tables: new PlanTables(),
        liveSource,
        turns: new BatchTurns(),
        places: new StreamPlaces("lookup streams", maxStreamsPerWorkspace),
      });
      return {
        services: [
          {
            binding: bindService(LookupService, service),
            fieldChecks: lookupFieldChecks,
            shed: { lookupNumber: "first", batchLookup: "first" },
          },
        ],
      };
    },
  };
}
