import type { GuardReason } from "../../errors.ts";
import { type PhoneNumber, regionsOf } from "../../text/numbering-plans.ts";
import type { WorkspaceGuard } from "./workspace-guards.ts";

/** Why a number is not sent to, whatever its traffic. Undefined: there is nothing wrong with it. */
export function judgeNumber(
  number: PhoneNumber,
  guard: Pick<WorkspaceGuard, "allowedCountries" | "blockedCountries">,
): GuardReason | undefined {
  return ofCountry(number, guard) ?? ofType(number);
}

function ofCountry(
  number: PhoneNumber,
  { allowedCountries, blockedCountries }: Pick<WorkspaceGuard, "allowedCountries" | "blockedCountries">,
): GuardReason | undefined {
  if (allowedCountries.size === 0 && blockedCountries.size === 0) {
    return undefined;
  }
  const regions = regionsOf(number);
  const isAllowed = allowedCountries.size === 0 || regions.some((region) => allowedCountries.has(region));
  const isBlocked = regions.length > 0 && regions.every((region) => blockedCountries.has(region));
  return isAllowed && !isBlocked ? undefined : "country_not_allowed";
}

/**
 * Networks of no country (ITU-T E.164, annex A): Inmarsat, Iridium and other satellite phones, and international networks. A message to them costs
 * what one to a premium-rate number does, and numbers of theirs are used for the same fraud.
 */
const networksOfNoCountry: ReadonlySet<string> = new Set(["870", "878", "881", "882", "883"]);

function ofType(number: PhoneNumber): GuardReason | undefined {
  if (networksOfNoCountry.has(number.countryCallingCode)) {
    return "premium_rate";
  }
  switch (number.getType()) {
    case "PREMIUM_RATE":
      return "premium_rate";
    case "SHARED_COST":
      return "shared_cost";
    default:
      return number.isValid() ? undefined : "invalid_number";
  }
}
