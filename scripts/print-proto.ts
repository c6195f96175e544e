import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
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
 * Prints a proto2 file from its descriptor, with everything that a compiler needs to resolve names and field numbers. Options
 * and comments are left out. Groups are not supported.
 */
export function printProtoFile(file: FileDescriptorProto): string {
  if (file.syntax !== "proto2" && file.syntax !== "") {
    throw new Error(`${file.name} is ${file.syntax}; only proto2 is printed`);
  }
  const extensionsByExtendee = Map.groupBy(file.extension, (extension) => extension.extendee);
  return [
    'syntax = "proto2";',
    `package ${file.package};`,
    ...file.dependency.map((path) => `import "${path}";`),
    ...file.enumType.map((type) => printEnum(type)),
    ...file.messageType.map((type) => printMessage(type)),
    ...[...extensionsByExtendee].map(([extendee, fields]) =>
      block(
        `extend ${extendee}`,
        fields.map((field) => printField(field, new Map())),
      ),
    ),
    "",
  ].join("\n");
}

function printMessage(message: DescriptorProto): string {
  const mapEntries = new Map(
    message.nestedType.filter((type) => type.options?.mapEntry).map((type) => [type.name, type]),
  );
  const plain = message.field.filter((field) => !Object.hasOwn(field, "oneofIndex"));
  return block(`message ${message.name}`, [
    ...message.enumType.map((type) => printEnum(type)),
    ...message.nestedType.filter((type) => !mapEntries.has(type.name)).map((type) => printMessage(type)),
    ...plain.map((field) => printField(field, mapEntries)),
    ...message.oneofDecl.map((oneof, index) =>
      block(
        `oneof ${oneof.name}`,
        message.field
          .filter((field) => Object.hasOwn(field, "oneofIndex") && field.oneofIndex === index)
          .map((field) => `${typeName(field)} ${field.name} = ${field.number};`),
      ),
    ),
    ...message.extensionRange.map(({ start, end }) =>
      end > 536_870_911 ? `extensions ${start} to max;` : `extensions ${start} to ${end - 1};`,
    ),
  ]);
}

function printField(field: FieldDescriptorProto, mapEntries: ReadonlyMap<string, DescriptorProto>): string {
  const [key, value] = mapEntries.get(field.typeName.split(".").at(-1) ?? "")?.field ?? [];
  if (key !== undefined && value !== undefined) {
    return `map<${typeName(key)}, ${typeName(value)}> ${field.name} = ${field.number};`;
  }
  const label = {
    [FieldDescriptorProto_Label.OPTIONAL]: "optional",
    [FieldDescriptorProto_Label.REQUIRED]: "required",
    [FieldDescriptorProto_Label.REPEATED]: "repeated",
  }[field.label];
  return `${label} ${typeName(field)} ${field.name} = ${field.number};`;
}

function typeName(field: FieldDescriptorProto): string {
  const name = scalarNames[field.type] ?? field.typeName;
  if (name === "") {
    throw new Error(`${field.name} is of a type that is not printed`);
  }
  return name;
}

function printEnum(type: EnumDescriptorProto): string {
  return block(
    `enum ${type.name}`,
    type.value.map((value) => `${value.name} = ${value.number};`),
  );
}

function block(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.join("\n")}\n}`;
}
