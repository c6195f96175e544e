import { adapterKind } from "./adapter/adapter.ts";
import type { ProviderKind } from "./provider-kind.ts";
import { twilioKind } from "./twilio/twilio.ts";

/** All kinds of providers, in the order of the guide's table. */
export const providerKinds: readonly ProviderKind[] = [adapterKind, twilioKind];
