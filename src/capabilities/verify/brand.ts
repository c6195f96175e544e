import { senderNameProblem } from "../../text/display-name-rules.ts";
import { brandLength } from "./verify.policy.ts";

/** Blanks at both ends, with what looks like one: fillers of scripts, and the Braille cell without a dot. */
const blanksAround =
  /^[\s\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]+|[\s\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]+$/gu;

/** The sender's name as messages carry it: without blanks around it, and single ones in it. */
export function brandOf(given: string): string {
  return given.replace(blanksAround, "").replace(/\s+/gu, " ");
}

/**
 * The brand of a message whose caller gave none: the account's name. It may be longer than a brand, and from before names were
 * checked: of what a brand must not contain, letters and digits are left.
 */
export function brandOfAccount(name: string): string {
  const candidates = [name, name.replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")].map(cut);
  return candidates.find((brand) => senderNameProblem(brand) === undefined) ?? "Byond";
}

function cut(name: string): string {
  return [...brandOf(name)].slice(0, brandLength.max).join("").trim();
}
