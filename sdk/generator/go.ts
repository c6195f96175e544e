/** Writes the Go SDK. The output is formatted as gofmt does. */
import { emitOperations, emitServices } from "./go-services.ts";
import { goComment, goNames } from "./go-text.ts";
import { emitMessages, emitParams } from "./go-types.ts";
import { goWriter, head, type Writer } from "./go-writer.ts";
import type { Model } from "./model.ts";

/** The files, in a folder that also has those written by hand. */
export const goFiles = [
  "errors.gen.go",
  "messages.gen.go",
  "operations.gen.go",
  "params.gen.go",
  "services.gen.go",
  "version.gen.go",
  "internal/schema/schema.gen.binpb",
  "internal/schema/schema.gen.go",
] as const;

export function emitGo(model: Model, schema: Uint8Array): Record<(typeof goFiles)[number], string | Uint8Array> {
  const write = goWriter(model);
  return {
    "errors.gen.go": emitErrors(model, write),
    "messages.gen.go": emitMessages(model, write),
    "operations.gen.go": emitOperations(model),
    "params.gen.go": emitParams(model, write),
    "services.gen.go": emitServices(model, write),
    "version.gen.go": emitVersion(model),
    "internal/schema/schema.gen.binpb": schema,
    "internal/schema/schema.gen.go": emitSchema(model),
  };
}

function emitVersion({ version, apiVersion }: Model): string {
  return `${head}package byond

// Version is that of this module.
const Version = ${JSON.stringify(version)}

// APIVersion is the version of the API that this SDK is written for.
const APIVersion = ${JSON.stringify(apiVersion)}
`;
}

function emitErrors({ errors }: Model, { describe }: Writer): string {
  const constants = errors.map(({ code, status, doc }) => {
    const name = `Code${goNames.type(code)}`;
    // What comes after it, says what to do, and refers to the rest of the reference.
    const [meaning = ""] = doc.split("\n\n");
    return `${goComment(`${name} (${status}): ${describe(meaning)}`, "\t")}\t${name} ErrorCode = ${JSON.stringify(code)}\n`;
  });
  return `${head}package byond\n\n// Codes of errors that the server answers, with their HTTP status.\nconst (\n${constants.join("\n")})\n`;
}

function emitSchema({ enums }: Model): string {
  const words = enums.map(({ typeName, values }) => {
    const pairs = values.map(({ word, number }) => `${JSON.stringify(word)}: ${number}`).join(", ");
    return `\t${JSON.stringify(typeName)}: {\n\t\t${pairs},\n\t},\n`;
  });
  return `${head}// Package schema has the descriptors of the API, for gRPC.
package schema

import _ "embed"

// Descriptors is a google.protobuf.FileDescriptorSet.
//
//go:embed schema.gen.binpb
var Descriptors []byte

// EnumWords has the numbers of the words of each enum.
var EnumWords = map[string]map[string]int32{
${words.join("")}}
`;
}
