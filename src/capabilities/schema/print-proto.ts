import type { DescMessage, Message } from "@bufbuild/protobuf";
import { protoCamelCase, reflect } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  EnumOptionsSchema,
  EnumValueOptionsSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileOptionsSchema,
  MessageOptionsSchema,
} from "@bufbuild/protobuf/wkt";

const scalarNames: Partial<Record<FieldDescriptorProto_Type, string>> = {
  [FieldDescriptorProto_Type.DOUBLE]: "double",
  [FieldDescriptorProto_Type.FLOAT]: "float",
  [FieldDescriptorProto_Type.INT64]: "int64",
  [FieldDescriptorProto_Type.UINT64]: "uint64",
  [FieldDescriptorProto_Type.INT32]: "int32",
  [FieldDescriptorProto_Type.FIXED64]: "fixed64",
  [FieldDescriptorProto_Type.FIXED32]: "fixed32",
  [FieldDescriptorProto_Type.BOOL]: "bool",
  [FieldDescriptorProto_Type.STRING]: "string",
  [FieldDescriptorProto_Type.BYTES]: "bytes",
  [FieldDescriptorProto_Type.UINT32]: "uint32",
  [FieldDescriptorProto_Type.SFIXED32]: "sfixed32",
  [FieldDescriptorProto_Type.SFIXED64]: "sfixed64",
  [FieldDescriptorProto_Type.SINT32]: "sint32",
  [FieldDescriptorProto_Type.SINT64]: "sint64",
};

/**
 * Prints a proto2 or proto3 file from its descriptor, with all that code for its messages is generated from, and the options that say which
 * package it belongs to in other languages. Comments and custom options (such as the rules that a rule of `buf.validate` has itself) are left
 * out. Throws for what none of the files in use have: services, groups, defaults, nested extensions.
 */
export function printProtoFile(file: FileDescriptorProto): string {
  const syntax = file.syntax === "" ? "proto2" : file.syntax;
  if ((syntax !== "proto2" && syntax !== "proto3") || file.service.length > 0) {
    throw new Error(`${file.name} is of a kind that is not printed`);
  }
  const context = { isProto3: syntax === "proto3" };
  const extensionsByExtendee = Map.groupBy(file.extension, (extension) => extension.extendee);
  return [
    `syntax = "${syntax}";`,
    `package ${file.package};`,
    ...file.dependency.map((path) => `import "${path}";`),
    ...optionsOf(FileOptionsSchema, file.options).map((option) => `option ${option};`),
    ...file.enumType.map((type) => printEnum(type)),
    ...file.messageType.map((type) => printMessage(type, context)),
    ...[...extensionsByExtendee].map(([extendee, fields]) =>
      block(
        `extend ${extendee}`,
        fields.map((field) => printField(field, new Map(), context)),
      ),
    ),
    "",
  ].join("\n");
}

interface FileContext {
  readonly isProto3: boolean;
}

function printMessage(message: DescriptorProto, context: FileContext): string {
  if (message.extension.length > 0) {
    throw new Error(`${message.name} has extensions, which are not printed`);
  }
  const mapEntries = new Map(
    message.nestedType.filter((type) => type.options?.mapEntry).map((type) => [type.name, type]),
  );
  // The oneof of an `optional` field of proto3 exists in descriptors only.
  const isInOneof = (field: FieldDescriptorProto) => Object.hasOwn(field, "oneofIndex") && !field.proto3Optional;
  return block(`message ${message.name}`, [
    ...optionsOf(MessageOptionsSchema, message.options).map((option) => `option ${option};`),
    ...message.enumType.map((type) => printEnum(type)),
    ...message.nestedType.filter((type) => !mapEntries.has(type.name)).map((type) => printMessage(type, context)),
    ...message.field.filter((field) => !isInOneof(field)).map((field) => printField(field, mapEntries, context)),
    ...message.oneofDecl.flatMap((oneof, index) => {
      const members = message.field.filter((field) => isInOneof(field) && field.oneofIndex === index);
      const lines = members.map((field) => `${typeName(field)} ${numbered(field)};`);
      return lines.length === 0 ? [] : [block(`oneof ${oneof.name}`, lines)];
    }),
    ...message.extensionRange.map(({ start, end }) =>
      end > 536_870_911 ? `extensions ${start} to max;` : `extensions ${start} to ${end - 1};`,
    ),
    ...message.reservedRange.map(({ start, end }) => `reserved ${start} to ${end - 1};`),
    ...message.reservedName.map((name) => `reserved "${name}";`),
  ]);
}

function printField(
  field: FieldDescriptorProto,
  mapEntries: ReadonlyMap<string, DescriptorProto>,
  { isProto3 }: FileContext,
): string {
  const [key, value] = mapEntries.get(field.typeName.split(".").at(-1) ?? "")?.field ?? [];
  if (key !== undefined && value !== undefined) {
    return `map<${typeName(key)}, ${typeName(value)}> ${numbered(field)};`;
  }
  const label = {
    [FieldDescriptorProto_Label.OPTIONAL]: isProto3 && !field.proto3Optional ? "" : "optional ",
    [FieldDescriptorProto_Label.REQUIRED]: "required ",
    [FieldDescriptorProto_Label.REPEATED]: "repeated ",
  }[field.label];
  return `${label}${typeName(field)} ${numbered(field)};`;
}

/** Its name, number and options. */
function numbered(field: FieldDescriptorProto): string {
  if (field.defaultValue !== "") {
    throw new Error(`${field.name} has a default, which is not printed`);
  }
  const { jsonName } = field;
  const options = [
    ...(jsonName === "" || jsonName === protoCamelCase(field.name) ? [] : [`json_name = "${jsonName}"`]),
    ...optionsOf(FieldOptionsSchema, field.options),
  ];
  return `${field.name} = ${field.number}${inBrackets(options)}`;
}

function typeName(field: FieldDescriptorProto): string {
  const name = scalarNames[field.type] ?? field.typeName;
  if (name === "") {
    throw new Error(`${field.name} is of a type that is not printed`);
  }
  return name;
}

function printEnum(type: EnumDescriptorProto): string {
  return block(`enum ${type.name}`, [
    ...optionsOf(EnumOptionsSchema, type.options).map((option) => `option ${option};`),
    ...type.value.map(
      ({ name, number, options }) => `${name} = ${number}${inBrackets(optionsOf(EnumValueOptionsSchema, options))};`,
    ),
  ]);
}

/** Those of protobuf's own options that are set and have one scalar value, as `name = value`. */
function optionsOf<Desc extends DescMessage>(schema: Desc, options: Message | undefined): string[] {
  if (options === undefined) {
    return [];
  }
  const message = reflect(schema, options as Parameters<typeof reflect<Desc>>[1]);
  return schema.fields.flatMap((field) => {
    if (!message.isSet(field)) {
      return [];
    }
    if (field.fieldKind === "enum") {
      return [`${field.name} = ${field.enum.value[message.get(field) as number]?.name}`];
    }
    return field.fieldKind === "scalar" ? [`${field.name} = ${JSON.stringify(message.get(field))}`] : [];
  });
}

function inBrackets(options: readonly string[]): string {
  return options.length === 0 ? "" : ` [${options.join(", ")}]`;
}

function block(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.join("\n").replace(/^/gm, "  ")}\n}`;
}
