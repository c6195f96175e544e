/** Writes the TypeScript SDK: the types of messages, the table of operations, the services, and the schema for gRPC. */
import { camelCaseNames, docWriter } from "./doc-text.ts";
import type { Model } from "./model.ts";
import { head } from "./ts-doc.ts";
import { emitOperations } from "./typescript-operations.ts";
import { emitServices } from "./typescript-services.ts";
import { emitTypes } from "./typescript-types.ts";

export function emitTypeScript(model: Model, schema: Uint8Array): Record<string, string> {
  const describe = docWriter(model, camelCaseNames);
  return {
    "types.ts": emitTypes(model, describe),
    "operations.ts": emitOperations(model),
    "services.ts": emitServices(model, describe),
    "schema.ts": emitSchema(model, schema),
  };
}

function emitSchema({ enums }: Model, schema: Uint8Array): string {
  const words = enums.map(({ typeName, values }) => {
    const pairs = values.map(({ word, number }) => `${JSON.stringify(word)}: ${number}`).join(", ");
    return `  ${JSON.stringify(typeName)}: { ${pairs} },\n`;
  });
  return `${head}
/** The descriptors of the API, in base64: a \`google.protobuf.FileDescriptorSet\`. */
export const schema =
  ${JSON.stringify(Buffer.from(schema).toString("base64"))};

/** The numbers of the words of each enum. */
export const enumWords: Readonly<Record<string, Readonly<Record<string, number>>>> = {
${words.join("")}};
`;
}
