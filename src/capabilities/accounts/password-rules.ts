import { dictionary } from "@zxcvbn-ts/language-common";
import { foldDigits } from "../../text/fold-digits.ts";
import { parseMailAddress } from "../../text/mail-address.ts";
import { passwordLength } from "./accounts.policy.ts";

/** In lower case, as the list is: an attacker tries that first as well. */
const commonPasswords: ReadonlySet<string> = new Set(dictionary["passwords-common"]);

/** What repeats a part of it, such as `abcabcabcabc` or `passwordpassword`. */
const repetition = /^(.+?)\1+$/su;

/** Runs of characters, up and down, as long as a password can be. */
const runs: readonly string[] = ["0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"]
  .flatMap((run) => [run, [...run].toReversed().join("")])
  .map((run) => run.repeat(13));

/** A repetition of a shorter part is refused, however long it is. */
const shortestRepeated = 5;

/** Shorter parts of an address are ignored: they occur in many good passwords. */
const shortestPart = 3;

/**
 * The problem of a new password for an account with this address, or undefined. Refuses short passwords and, regardless of
 * case, passwords that are as a whole common, a repetition, a run of characters, or the address or a part of it, also with
 * digits and symbols before or after it (NIST SP 800-63B §5.1.1.2). There are no rules of composition.
 */
export function newPasswordProblem(password: string, email: string | undefined): string | undefined {
  if ([...password.normalize("NFKC")].length < passwordLength.min) {
    return `must be ${passwordLength.min} to ${passwordLength.max} characters long`;
  }
  const folded = fold(password);
  if (isCommon(folded)) {
    return "is too easy to guess: it is a common password, or repeats or counts";
  }
  if (email !== undefined && isOfAddress(folded, email)) {
    return "is too easy to guess: it is the email address, or a part of it";
  }
  return undefined;
}

function fold(text: string): string {
  return foldDigits(text.normalize("NFKC")).toLowerCase();
}

function isCommon(password: string): boolean {
  const [, repeated = password] = repetition.exec(password) ?? [];
  return (
    commonPasswords.has(password) ||
    commonPasswords.has(repeated) ||
    (repeated !== password && [...repeated].length < shortestRepeated) ||
    isRun(password)
  );
}

/** Whether it is cut out of a run: `bcdefghijk`, `9876543210`, `poiuytrewq`. */
function isRun(password: string): boolean {
  return runs.some((run) => run.includes(password));
}

function isOfAddress(password: string, email: string): boolean {
  const address = parseMailAddress(email);
  if (address === undefined) {
    return false;
  }
  const { local, domain } = address;
  const parts = [
    `${fold(local)}@${domain}`,
    fold(local),
    fold(local).replace(/\+.*$/s, ""),
    domain,
    domain.replace(/\..*$/s, ""),
  ];
  return parts
    .flatMap((part) => [part, bare(part)])
    .some((part) => [...part].length >= shortestPart && (part === password || part === bare(password)));
}

/** Without digits and symbols at both ends. */
function bare(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
}
