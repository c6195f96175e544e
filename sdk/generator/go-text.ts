/** Names and comments as Go has them. */
import { wrapText } from "./doc-text.ts";
import type { Operation } from "./model.ts";
import { pascalCase, snakeCase } from "./names.ts";

/** Words that Go writes in capitals (Go Code Review Comments, "Initialisms"), and names with a spelling of their own. */
const spellings: Readonly<Record<string, string>> = {
  api: "API",
  e164: "E164",
  id: "ID",
  ip: "IP",
  sms: "SMS",
  ttl: "TTL",
  url: "URL",
  voip: "VoIP",
  whatsapp: "WhatsApp",
};

/** `end_user_ip` or `EndUserIp` → `EndUserIP`. */
function goName(name: string): string {
  return snakeCase(name)
    .split("_")
    .map((word) => spellings[word] ?? pascalCase(word))
    .join("");
}

/** Words that cannot name an argument. */
const keywords = new Set([
  "type",
  "range",
  "func",
  "map",
  "select",
  "default",
  "var",
  "interface",
  "package",
  "options",
  "params",
  "ctx",
]);

export const goNames = {
  /** Of the method that goes through all pages of another: `ListAllDeliveries` of `ListDeliveries`. */
  ofAllPages(method: string) {
    const all = method.replace(/^(List|Export)/, "$1All");
    if (all === method) {
      throw new Error(`${method} gives pages, but its name begins neither with List nor with Export`);
    }
    return all;
  },
  type: goName,
  field: goName,
  /** Service and method: `verify.start` → `Verify.Start`. */
  operation: (id: string) => id.split(".").map(goName).join("."),
  /** What the types of a method begin with: `VerifyStart`. */
  method: (service: string, { name }: Operation) => goName(service) + goName(name),
  /** `delivery_id` → `deliveryID`. */
  argument: (name: string) => {
    const [first = "", ...others] = name.split("_");
    const argument = first + others.map(goName).join("");
    return keywords.has(argument) ? `${argument}_` : argument;
  },
};

/** Begins the comment of a method, which is a verb in the third person: "Start generates a code …". */
export function nameMethod(name: string, comment: string): string {
  return comment === "" ? undocumented(name) : `${name} ${lowerFirst(comment)}`;
}

/** Begins any other comment: "Delivery is a message …", "EventType has the types …", "Channel: how a code …". */
export function nameMember(name: string, comment: string): string {
  if (comment === "") {
    return undocumented(name);
  }
  if (/^[A-Z][a-z]+s that\b/.test(comment)) {
    return nameMethod(name, comment);
  }
  // "The types of events", not "The status of a verification".
  const isPlural = /^The (?:(?!of |in |with |and |from |that )[\w']+ )*?\w*[^su']s(?: (?:of|that|in)\b|\.)/.test(
    comment,
  );
  const verb = isPlural ? " has" : /^(?:An?|The) /.test(comment) ? " is" : ":";
  return `${name}${verb} ${lowerFirst(comment)}`;
}

function undocumented(name: string): string {
  return `${name} has no comment in the schema.`;
}

function lowerFirst(comment: string): string {
  return /^(?:[A-Z][a-z]|A )/.test(comment) ? comment.charAt(0).toLowerCase() + comment.slice(1) : comment;
}

/** A comment, with an indent. Lists are written as gofmt formats them: an item of several lines is broken anew. */
export function goComment(comment: string, indent = ""): string {
  return comment
    .replaceAll(/\n {2}(?=\S)/g, " ")
    .split("\n")
    .flatMap((line) => (line.startsWith("- ") ? wrapText(`  ${line}`, 110) : wrapText(line, 110)))
    .map((line) => `${indent}//${line === "" ? "" : ` ${line}`}\n`)
    .join("");
}
