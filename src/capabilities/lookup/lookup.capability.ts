import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { checkWebAddress } from "../../outgoing/check-connection.ts";
import { bindService } from "../../rpc/router.ts";
import { StreamPlaces } from "../../rpc/stream-places.ts";
import { UsageCounter } from "../../usage/usage-counter.ts";
import { BatchTurns } from "./batch/batch-turns.ts";
import { lookupCsvCommand } from "./csv/lookup-csv-command.ts";
import { LookupEntity } from "./history/lookup.entity.ts";
import { Lookup0001 } from "./history/lookup-0001.migration.ts";
import { LookupRecorder } from "./history/lookup-recorder.ts";
import { lookupSweep } from "./history/lookup-sweep.ts";
import { lookupsOfRecipients } from "./history/lookups-of-recipients.ts";
import { sealedLookups } from "./history/sealed-lookups.ts";
import type { NumberIndex } from "./history/stored-lookup.ts";
import { LiveSource } from "./live-source.ts";
import { lookupFieldChecks, lookupService } from "./lookup.rpc.ts";
import type { LookupCharges } from "./lookup-charges.ts";
import { type LookupSettings, lookupSettings, readLookupSettings } from "./lookup-settings.ts";
import { PlanTables } from "./plan-tables.ts";

/** On one server. Each gets its turns, however many there are; they take memory. */
const maxStreamsPerWorkspace = 100;

interface Needs {
  readonly numberIndex: NumberIndex;
  /** How long lookups stay in the history. Asked for when the capability starts. */
  readonly retentionDays: () => number;
  /** Charges lookups. Default: they cost nothing. */
  readonly charges?: Offer<{ readonly lookups: LookupCharges | undefined }>;
}

/** Looks up phone numbers: offline, and in their networks if the operator has a source for it. Keeps a history for those who want one. */
export function lookupCapability({ numberIndex, retentionDays, charges }: Needs) {
  const recorder = new Offer<LookupRecorder>("lookup");
  const usage = new Offer<UsageCounter>("lookup");
  const capability: Capability<LookupSettings> = {
    name: "lookup",
    scopes: ["lookup"],
    commands: { lookup: lookupCsvCommand },
    entities: [LookupEntity],
    migrations: [{ name: "lookup-0001", class: Lookup0001 }],
    workspaceTables: { lookup: "id" },
    sealed: () => sealedLookups(numberIndex),
    settings: [lookupSettings],
    readSettings: readLookupSettings,
    describe: ({ liveLookup }) => ({
      fields: { lookups: liveLookup === undefined ? "offline" : new URL(liveLookup.url).origin },
      notices: [],
    }),
    diagnose: async ({ liveLookup }) =>
      liveLookup === undefined ? [] : [{ about: "lookup", ...(await checkWebAddress(liveLookup.url)) }],
    start({ database, keyring, quota, clock, logger }, { liveLookup }) {
      const liveSource = liveLookup && new LiveSource({ clock, logger, ...liveLookup });
      const history = new LookupRecorder({ database, keyring, numberIndex, clock, logger });
      recorder.give(history);
      const counter = new UsageCounter({ database, logger });
      usage.give(counter);
      const service = lookupService({
        database,
        keyring,
        numberIndex,
        history,
        quota,
        clock,
        tables: new PlanTables(),
        liveSource,
        charges: charges?.value.lookups,
        usage: counter,
        turns: new BatchTurns(),
        places: new StreamPlaces("lookup streams", maxStreamsPerWorkspace),
      });
      return {
        services: [
          {
            binding: bindService(LookupService, service),
            fieldChecks: lookupFieldChecks,
            shed: { lookupNumber: "first", batchLookup: "first", listLookups: "second" },
          },
        ],
        sweeps: [lookupSweep({ database }, retentionDays())],
        close: async () => void (await Promise.all([history.stop(), counter.stop()])),
      };
    },
  };
  return {
    ...capability,
    recipientData: lookupsOfRecipients(() => recorder.value.flush()),
    /** Adds the lookups that this server has counted to the usage. */
    countUsage: () => usage.value.flush(),
  };
}
