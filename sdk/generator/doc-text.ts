import type { Model } from "./model.ts";
import { camelCase } from "./names.ts";

/** How a language writes names in documentation. */
export interface DocNames {
  /** The method of an operation: `webhooks.rotate_secret` → `webhooks.rotateSecret`. */
  readonly operation: (id: string) => string;
  /** A field or parameter: `expires_at` → `expiresAt`. */
  readonly field: (name: string) => string;
}

/**
 * Returns the function that puts a comment of the schema into the words of a language: RPCs and fields in backticks get the names that they have
 * in its SDK. Codes of errors, words of enums and scopes keep theirs, which are the same everywhere.
 */
export function docWriter(model: Model, names: DocNames): (comment: string) => string {
  const operations = model.services.flatMap((service) => service.operations);
  const rpcs = new Map(operations.map(({ rpcName, id }) => [rpcName, id]));
  const words = new Set([
    ...model.errors.map(({ code }) => code),
    ...model.enums.flatMap(({ values }) => values.map(({ word }) => word)),
    ...operations.flatMap(({ scope }) => scope ?? []),
  ]);
  const fields = new Set(
    // Of errors, and of messages.
    [
      ...["documentation_url", "request_id", "required_scope", "retry_after"].map((name) => ({ name })),
      ...operations.flatMap(({ parameters }) => parameters),
      ...model.messages.flatMap((message) => message.fields),
    ]
      .map(({ name }) => name)
      .filter((name) => !words.has(name)),
  );
  return (comment) =>
    comment.replace(/`([A-Za-z_0-9]+)`/g, (code, name: string) => {
      const rpc = rpcs.get(name);
      if (rpc !== undefined) {
        return `\`${names.operation(rpc)}\``;
      }
      return fields.has(name) ? `\`${names.field(name)}\`` : code;
    });
}

/** Names in camelCase, which TypeScript and PHP use. */
export const camelCaseNames: DocNames = { operation: camelCaseOperation, field: camelCase };

function camelCaseOperation(id: string): string {
  return id.split(".").map(camelCase).join(".");
}

/** Breaks a comment into lines of at most `width` characters. Lists and paragraphs keep their lines. */
export function wrapText(comment: string, width: number): string[] {
  return comment.split("\n").flatMap((paragraph) => {
    const [lead = ""] = /^\s*(?:[-*] )?/.exec(paragraph) ?? [];
    const indent = " ".repeat(lead.length);
    const lines: string[] = [];
    let line = lead.trimEnd();
    for (const word of paragraph.slice(lead.length).split(" ")) {
      const isFirst = line === lead.trimEnd();
      const longer = isFirst ? `${lead}${word}` : `${line} ${word}`;
      if (longer.length > width && !isFirst) {
        lines.push(line);
        line = `${indent}${word}`;
      } else {
        line = longer;
      }
    }
    return [...lines, line];
  });
}
