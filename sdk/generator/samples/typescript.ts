import type { JsonValue } from "@bufbuild/protobuf";
import { javascript } from "../../../src/capabilities/reference/openapi/samples/javascript.ts";
import { json, literal } from "../../../src/capabilities/reference/openapi/samples/literal.ts";
import type { FieldType } from "../model.ts";
import { camelCase, snakeCase } from "../names.ts";
import { callText, type SdkCall, type SdkLanguage } from "./sdk-call.ts";

export const typescript: SdkLanguage = {
  label: "TypeScript SDK",
  lang: "typescript",
  key: javascript.key,
  sampleOf: () => sample,
};

const options = {
  key: `{ apiKey: ${javascript.key.text} }`,
  session: "{ accessToken: process.env.JWT }",
  none: "",
};

function sample({ service, operation, credential, path, parameters }: SdkCall): string {
  const { name, pages, stream, result } = operation;
  const open = `byond.${camelCase(service.name)}.${camelCase(name)}(${path.map((one) => JSON.stringify(one)).join(", ")}`;
  const members = parameters.map(({ field, value }) => `${camelCase(field.name)}: ${literalOf(value, field.type)}`);
  const call =
    members.length === 0
      ? `${open})`
      : callText(`${open}${path.length === 0 ? "" : ", "}{`, members, "})", { step: "  ", inline: [" ", " "] });
  const item = camelCase(snakeCase(pages?.itemType ?? result.type));
  return [
    'import { Byond } from "byond-sdk";',
    "",
    `const byond = new Byond(${options[credential]});`,
    ...(pages !== undefined || stream !== undefined
      ? [`for await (const ${item} of ${call}) {`, `  console.log(${item});`, "}"]
      : [`const result = await ${call};`, "console.log(result);"]),
  ].join("\n");
}

function literalOf(value: JsonValue, type: FieldType): string {
  return type.kind === "timestamp" ? `new Date(${JSON.stringify(value)})` : literal(value, json, "  ");
}
