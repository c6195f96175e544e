import { adapterKind } from "./adapter/adapter.ts";
import { plivoKind } from "./plivo/plivo.ts";
import type { ProviderKind } from "./provider-kind.ts";
import { smppKind } from "./smpp/smpp.ts";
import { snsKind } from "./sns/sns.ts";
import { twilioKind } from "./twilio/twilio.ts";
import { vonageKind } from "./vonage/vonage.ts";

/** All kinds of providers, in the order of the guide's table. */
export const providerKinds: readonly ProviderKind[] = [
  adapterKind,
  twilioKind,
  vonageKind,
  plivoKind,
  snsKind,
  smppKind,
];
