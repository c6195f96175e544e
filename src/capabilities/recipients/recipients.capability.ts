import { RecipientService } from "../../../gen/byond/v1/recipient_pb.ts";
import type { Capability, Offer } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import type { Events } from "../events/events.capability.ts";
import type { ExportRecipientDependencies } from "./export-recipient.ts";
import { recipientService } from "./recipient.rpc.ts";

interface Needs extends Pick<ExportRecipientDependencies, "exports" | "indexesOf"> {
  readonly events: Offer<Events>;
}

/** The data of a person: what other capabilities hold of a recipient, in one export. `verify` erases it. */
export function recipientsCapability({ exports, indexesOf, events }: Needs): Capability {
  return {
    name: "recipients",
    start({ database, keyring }) {
      const service = recipientService({
        database,
        keyring,
        exports,
        indexesOf,
        eventMessages: events.value.messages,
      });
      return { services: [{ binding: bindService(RecipientService, service), shed: { exportRecipient: "second" } }] };
    },
  };
}
