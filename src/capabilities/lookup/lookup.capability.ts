import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import type { Capability } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import { lookupFieldChecks, lookupService } from "./lookup.rpc.ts";
import { PlanTables } from "./plan-tables.ts";

/** Looks up phone numbers, offline. */
export function lookupCapability(): Capability {
  return {
    name: "lookup",
    scopes: ["lookup"],
    start: () => ({
      services: [
        {
          binding: bindService(LookupService, lookupService(new PlanTables())),
          fieldChecks: lookupFieldChecks,
          shed: { lookupNumber: "first" },
        },
      ],
    }),
  };
}
