import { SuppressionService } from "../../../gen/byond/v1/suppression_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import { refuseSuppressed } from "./refuse-suppressed.ts";
import { sealedSuppressions } from "./sealed-suppressions.ts";
import type { StoredRecipients } from "./stored-recipients.ts";
import { SuppressionEntity } from "./suppression.entity.ts";
import { suppressionService } from "./suppression.rpc.ts";
import { readSuppressionSettings, type SuppressionSettings, suppressionSettings } from "./suppression-settings.ts";
import { suppressionSweep } from "./suppression-sweep.ts";
import { Suppressions0001 } from "./suppressions-0001.migration.ts";
import { Suppressions0002 } from "./suppressions-0002.migration.ts";
import { suppressionsOfRecipients } from "./suppressions-of-recipients.ts";

/**
 * Recipients that cannot receive messages: codes to them are refused for some time. The database writes the suppressions itself, when an attempt
 * or a report of a provider is recorded as undeliverable.
 */
export function suppressionsCapability({ recipients }: { readonly recipients: StoredRecipients }) {
  const days = new Offer<number>("suppressions");
  const capability: Capability<SuppressionSettings> = {
    name: "suppressions",
    entities: [SuppressionEntity],
    migrations: [
      { name: "suppressions-0001", class: Suppressions0001 },
      { name: "suppressions-0002", class: Suppressions0002 },
    ],
    workspaceTables: { suppression: "id" },
    settings: [suppressionSettings],
    readSettings: readSuppressionSettings,
    sealed: () => sealedSuppressions(recipients),
    start({ database, keyring }, { suppressionDays }) {
      days.give(suppressionDays);
      const service = suppressionService({ database, keyring, recipients, suppressionDays });
      return {
        services: [{ binding: bindService(SuppressionService, service), shed: { listSuppressions: "second" } }],
        sweeps: [suppressionSweep({ database }, suppressionDays)],
      };
    },
  };
  return {
    ...capability,
    guard: refuseSuppressed(() => days.value),
    recipientData: suppressionsOfRecipients(recipients, () => days.value),
  };
}
