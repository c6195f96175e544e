import type { JsonValue } from "@bufbuild/protobuf";
import { go as withoutSdk } from "../../../src/capabilities/reference/openapi/samples/go.ts";
import { goNames } from "../go-text.ts";
import { isPointerParameter } from "../go-types.ts";
import { goWriter, type Writer } from "../go-writer.ts";
import type { Field, FieldType, Model } from "../model.ts";
import { snakeCase } from "../names.ts";
import { enumValue, type SdkCall, type SdkLanguage } from "./sdk-call.ts";

export const go: SdkLanguage = {
  label: "Go SDK",
  lang: "go",
  key: withoutSdk.key,
  sampleOf(model) {
    const { names } = goWriter(model);
    return (call) => sample(call, model, names);
  },
};

const options = {
  key: `byond.WithAPIKey(${withoutSdk.key.text})`,
  session: 'byond.WithAccessToken(os.Getenv("JWT"))',
  none: "",
};

/** Formatted as gofmt does. */
function sample(sdkCall: SdkCall, model: Model, names: Writer["names"]): string {
  const { service, operation, credential } = sdkCall;
  const { pages, stream, result } = operation;
  const method = goNames.type(operation.name);
  const args = ["context.Background()", ...argumentsOf(sdkCall, model, names)].join(", ");
  const call = `client.${goNames.type(service.name)}.${pages === undefined ? method : goNames.ofAllPages(method)}(${args})`;
  const item = goNames.argument(snakeCase(pages?.itemType ?? result.type));
  const packages = ["context", "encoding/json", "log", "os", ...(args.includes("time.") ? ["time"] : [])];
  const print = (value: string) => `json.NewEncoder(os.Stdout).Encode(${value})`;
  return [
    "package main",
    "",
    "import (",
    ...packages.map((name) => `\t"${name}"`),
    "",
    '\t"github.com/byond/byond-go"',
    ")",
    "",
    "func main() {",
    `\tclient := byond.New(${options[credential]})`,
    ...(pages !== undefined || stream !== undefined
      ? [
          `\tfor ${item}, err := range ${call}${stream === undefined ? "" : ".All()"} {`,
          "\t\tif err != nil {",
          "\t\t\tlog.Fatal(err)",
          "\t\t}",
          `\t\t${print(item)}`,
          "\t}",
        ]
      : [`\tresult, err := ${call}`, "\tif err != nil {", "\t\tlog.Fatal(err)", "\t}", `\t${print("result")}`]),
    "}",
  ].join("\n");
}

function argumentsOf(
  { service, operation, path, parameters }: SdkCall,
  model: Model,
  names: Writer["names"],
): string[] {
  const positional = path.map((one) => JSON.stringify(one));
  if (operation.parametersType === undefined) {
    return positional;
  }
  if (parameters.length === 0) {
    return [...positional, "nil"];
  }
  const members = parameters.map(({ field, value }) => [`${goNames.field(field.name)}:`, memberValue(field, value)]);
  const width = Math.max(...members.map(([name = ""]) => name.length));
  const lines = members.map(([name = "", value]) => `\t\t${name.padEnd(width)} ${value},\n`);
  return [...positional, `&byond.${goNames.method(service.name, operation)}Params{\n${lines.join("")}\t}`];

  function memberValue(field: Field, value: JsonValue): string {
    const text = valueText(field.type, value);
    return isPointerParameter(field) ? `byond.Ptr(${text})` : text;
  }

  function valueText(type: FieldType, value: JsonValue): string {
    switch (type.kind) {
      case "string":
      case "boolean":
      case "integer":
        return JSON.stringify(value);
      case "enum":
        return `byond.${names.get(type.name)}${goNames.type(enumValue(model, type.name, value).constant.toLowerCase())}`;
      case "timestamp":
        return timeText(new Date(String(value)));
      case "list":
        return type.of.kind === "message"
          ? `[]${elementType(type.of)}{\n${[value]
              .flat()
              .map((one) => `\t\t\t{${membersText(type.of, one)}},\n`)
              .join("")}\t\t}`
          : `[]${elementType(type.of)}{${[value]
              .flat()
              .map((one) => valueText(type.of, one))
              .join(", ")}}`;
      default:
        throw new Error(`${operation.id}: samples in Go have no literal of the kind ${type.kind}`);
    }
  }

  /** The members of a message that a list contains, on one line. */
  function membersText(type: FieldType, value: JsonValue): string {
    const message = type.kind === "message" ? model.messages.find(({ name }) => name === type.name) : undefined;
    return Object.entries(value ?? {})
      .map(([name, member]) => {
        const field = message?.fields.find((one) => one.name === name);
        if (field === undefined) {
          throw new Error(`${operation.id}: its example has a member ${name}, which its message has not`);
        }
        const text = valueText(field.type, member);
        return `${goNames.field(name)}: ${field.isNullable ? `byond.Ptr(${text})` : text}`;
      })
      .join(", ");
  }

  function elementType(type: FieldType): string {
    return type.kind === "enum" || type.kind === "message" ? `byond.${names.get(type.name)}` : type.kind;
  }
}

function timeText(time: Date): string {
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds(), 0].join(", ");
  return `time.Date(${time.getUTCFullYear()}, ${time.getUTCMonth() + 1}, ${time.getUTCDate()}, ${clock}, time.UTC)`;
}
