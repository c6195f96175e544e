import { senderNameProblem } from "../../text/display-name-rules.ts";
import { brandLength } from "./verify.policy.ts";

/** Blanks at both ends, and characters that look blank: fillers of scripts, and the empty Braille cell. */
const blanksAround =
  /^[\s\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]+|[\s\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]+$/gu;

/** The sender's name as messages show it: without blanks at the ends, and with single spaces inside. */
export function brandOf(given: string): string {
  return given.replace(blanksAround, "").replace(/\s+/gu, " ");
}

/**
 * The brand of a message whose caller gave none: the account's name, cut to the length of a brand. A name from before names
 * were checked may contain what a brand must not: then only its letters and digits that can be seen are kept. "Byond" if nothing is left.
 */
export function brandOfAccount(name: string): string {
  const candidates = [name, name.replace(/[^\p{L}\p{M}\p{N}]+|\p{Default_Ignorable_Code_Point}/gu, " ")].map(cut);
  return candidates.find((brand) => senderNameProblem(brand) === undefined) ?? "Byond";
}

function cut(name: string): string {
  return [...brandOf(name)].slice(0, brandLength.max).join("").trim();
}
