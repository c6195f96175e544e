import { isKnownRegion, parseWholeNumber } from "../../../text/numbering-plans.ts";
import type { DsnParameters } from "../dsn.ts";
import type { ProviderChannel } from "../provider-kind.ts";

/** Whom messages come from, as the recipient's phone shows it: a number, a short code or a name. */
export interface Senders {
  readonly byRegion: ReadonlyMap<string, string>;
  /** For all other regions. */
  readonly other: string | undefined;
}

const number = /^\+[1-9]\d{6,14}$/;
const shortCode = /^\d{3,8}$/;
/** 11 characters of the GSM alphabet at most; what carriers accept is letters, digits, spaces and hyphens, and not digits only. */
const name = /^(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9 -]{0,9}[A-Za-z0-9])?$/;
/** Their carriers take no names. */
const regionsWithoutNames = new Set(["US", "CA", "PR"]);

/**
 * Takes `from`, and `from.SG` for the recipients of a region (ISO 3166). Throws a `TypeError` for what cannot be a sender, and if there is
 * none at all although one is required.
 */
export function readSenders(
  parameters: DsnParameters,
  channel: ProviderChannel,
  { isRequired = true }: { readonly isRequired?: boolean } = {},
): Senders {
  const other = parameters.take("from");
  const byRegion = parameters.takeAll("from.");
  for (const [region, sender] of [["", other ?? ""] as const, ...byRegion]) {
    check(region, sender, channel);
  }
  if (isRequired && other === undefined && byRegion.size === 0) {
    throw new TypeError("it must have a sender: ?from=+15550100");
  }
  return { byRegion, other };
}

function check(region: string, sender: string, channel: ProviderChannel): void {
  const parameter = region === "" ? "from" : `from.${region}`;
  if (region !== "" && !isKnownRegion(region)) {
    throw new TypeError("its parameters from.… must end with a region in capital letters, such as from.SG");
  }
  if (region === "" && sender === "") {
    return;
  }
  if (channel === "voice" && !number.test(sender)) {
    throw new TypeError(`its parameter ${parameter} must be a number in E.164 form, such as +15550100`);
  }
  if (!number.test(sender) && !shortCode.test(sender) && !name.test(sender)) {
    throw new TypeError(
      `its parameter ${parameter} must be a number in E.164 form, a short code, or a name of 11 letters, digits, spaces and hyphens at most`,
    );
  }
  if (regionsWithoutNames.has(region) && name.test(sender)) {
    throw new TypeError(`its parameter ${parameter} must be a number: carriers of the region take no names`);
  }
}

/** The sender of messages to a recipient in E.164 form. Undefined: there is none for the region. */
export function senderFor(senders: Senders, recipient: string): string | undefined {
  const region = senders.byRegion.size === 0 ? undefined : parseWholeNumber(recipient)?.country;
  return (region === undefined ? undefined : senders.byRegion.get(region)) ?? senders.other;
}
