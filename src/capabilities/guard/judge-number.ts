import type { GuardReason } from "../../errors.ts";
import { type PhoneNumber, regionsOf, validNumbersBeside } from "../../text/numbering-plans.ts";
import type { WorkspaceGuard } from "./workspace-guards.ts";

/** Why a number is not sent to, whatever its traffic. Undefined: there is nothing wrong with it. */
export function judgeNumber(
  number: PhoneNumber,
  guard: Pick<WorkspaceGuard, "allowedCountries" | "blockedCountries">,
): GuardReason | undefined {
  return ofCountry(number, guard) ?? ofType(number);
}

/** A number of which only the calling code is known may be of any of its countries. It is blocked with the main one, which most of them are of. */
function ofCountry(
  number: PhoneNumber,
  { allowedCountries, blockedCountries }: Pick<WorkspaceGuard, "allowedCountries" | "blockedCountries">,
): GuardReason | undefined {
  if (allowedCountries.size === 0 && blockedCountries.size === 0) {
    return undefined;
  }
  const regions = regionsOf(number);
  const isAllowed = allowedCountries.size === 0 || regions.some((region) => allowedCountries.has(region));
  const [main] = regions;
  const isBlocked = main !== undefined && blockedCountries.has(main);
  return isAllowed && !isBlocked ? undefined : "country_not_allowed";
}

/** International freephone and shared-cost numbers (ITU-T E.169.1 and E.169.3): companies are called at them. */
const internationalServices: ReadonlySet<string> = new Set(["800", "808"]);

/** Premium-rate numbers that the plans lack: of Spain, for votes and for data. */
const unlistedPremium: readonly string[] = ["+34905", "+34907"];

/**
 * The other numbers of no country (ITU-T E.164) are those of satellite phones and international networks: a message to them costs what one to a
 * premium-rate number does, and they are used for the same fraud.
 */
function ofType(number: PhoneNumber): GuardReason | undefined {
  if (regionsOf(number).length === 0) {
    return internationalServices.has(number.countryCallingCode) ? "shared_cost" : "premium_rate";
  }
  if (unlistedPremium.some((prefix) => number.number.startsWith(prefix))) {
    return "premium_rate";
  }
  if (!number.isValid()) {
    return costByLeadingDigits(number) ?? "invalid_number";
  }
  // Nobody gets a code with a pager.
  return costOf(number) ?? (number.getType() === "PAGER" ? "invalid_number" : undefined);
}

function costOf(number: PhoneNumber): "premium_rate" | "shared_cost" | undefined {
  switch (number.getType()) {
    case "PREMIUM_RATE":
      return "premium_rate";
    case "SHARED_COST":
      return "shared_cost";
    case "PERSONAL_NUMBER":
      // 070 of the United Kingdom. In most other countries they cost what people's numbers do, and some people have no other.
      return number.countryCallingCode === "44" ? "premium_rate" : undefined;
    default:
      return undefined;
  }
}

/**
 * Networks route by the first digits and ignore surplus ones: a number that is not valid costs what the valid ones beside it do, if all of them are
 * costly. If one of them is ordinary, it may as well be a new number of that kind.
 */
function costByLeadingDigits(number: PhoneNumber): "premium_rate" | "shared_cost" | undefined {
  const costs = validNumbersBeside(number).map(costOf);
  return costs.includes(undefined) ? undefined : (costs.find((cost) => cost === "premium_rate") ?? costs[0]);
}
