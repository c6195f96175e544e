import { FixedCodeService } from "../../../../gen/byond/v1/fixed_code_pb.ts";
import { type Capability, Offer } from "../../../capability.ts";
import { bindService } from "../../../rpc/router.ts";
import type { EventObjects } from "../../events/event-messages.ts";
import type { VerifySettings } from "../verify-settings.ts";
import { fixedCodeFieldChecks, fixedCodeService, type PasswordCheck } from "./fixed-code.rpc.ts";
import { fixedCodeEvents } from "./fixed-code-events.ts";
import { fixedCodeSweep } from "./fixed-code-sweep.ts";
import { sealedFixedCodes } from "./sealed-fixed-codes.ts";

type FixedCodeSettings = Pick<VerifySettings, "allowsFixedCodes">;

/** Recipients with a fixed code: a capability of its own, as it needs accounts, which need verifications. */
export function fixedCodesCapability(needs: { readonly passwords: Offer<PasswordCheck> }) {
  const events = new Offer<EventObjects>("fixed-codes");
  const capability: Capability<FixedCodeSettings> = {
    name: "fixed-codes",
    sealed: () => sealedFixedCodes,
    describe: ({ allowsFixedCodes }) =>
      allowsFixedCodes
        ? { notices: [{ level: "warn", event: "fixed_codes_allowed", settings: ["ALLOW_FIXED_CODES"] }] }
        : {},
    start({ database, keyring, events: log }, { allowsFixedCodes }) {
      const passwords = needs.passwords.value;
      events.give(fixedCodeEvents({ database, keyring }));
      const service = fixedCodeService({ database, keyring, events: log, passwords, areAllowed: allowsFixedCodes });
      return {
        services: [
          {
            binding: bindService(FixedCodeService, service),
            fieldChecks: fixedCodeFieldChecks,
            beforeComparison: (repetition) => passwords.beforeComparison(repetition),
          },
        ],
        sweeps: [fixedCodeSweep({ database })],
      };
    },
  };
  return { ...capability, events };
}
