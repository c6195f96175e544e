import { literal } from "../../../src/capabilities/reference/openapi/samples/literal.ts";
import { dialect, php as withoutSdk } from "../../../src/capabilities/reference/openapi/samples/php.ts";
import { camelCase, snakeCase } from "../names.ts";
import { quoted } from "../php-file.ts";
import { callText, type SdkCall, type SdkLanguage } from "./sdk-call.ts";

export const php: SdkLanguage = { label: "PHP SDK", lang: "php", key: withoutSdk.key, sampleOf: () => sample };

const options = {
  key: `apiKey: ${withoutSdk.key.text}`,
  session: "accessToken: getenv('JWT')",
  none: "",
};

function sample({ service, operation, credential, path, parameters }: SdkCall): string {
  const { name, pages, stream, result } = operation;
  const members = [
    ...path.map(quoted),
    ...parameters.map(({ field, value }) => `${camelCase(field.name)}: ${literal(value, dialect, "    ")}`),
  ];
  const open = `$byond->${camelCase(service.name)}->${camelCase(name)}(`;
  const call = callText(open, members, ")", { step: "    " });
  const item = `$${camelCase(snakeCase(pages?.itemType ?? result.type))}`;
  const print = (value: string) => `echo json_encode(${value}), "\\n";`;
  return [
    "<?php",
    "require 'vendor/autoload.php';",
    "",
    `$byond = new Byond\\Client(${options[credential]});`,
    ...(pages !== undefined || stream !== undefined
      ? [`foreach (${call} as ${item}) {`, `    ${print(item)}`, "}"]
      : [`$result = ${call};`, print("$result")]),
  ].join("\n");
}
