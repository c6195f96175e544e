import type { DescEnum, DescEnumValue, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

export type Documented = DescEnum | DescEnumValue | DescField | DescMessage | DescMethod | DescService;

const { enumType, messageType, service } = FileDescriptorProtoSchema.field;
const { enumType: nestedEnum, field, nestedType } = DescriptorProtoSchema.field;

/**
 * The comment above a declaration, as Markdown: the lines of a paragraph are joined, list items keep their lines. Empty if there is
 * none, or if the descriptors have no source information.
 */
export function commentOf(desc: Documented): string {
  const path = sourcePath(desc);
  const { file } = "parent" in desc && desc.parent !== undefined ? fileOf(desc.parent) : fileOf(desc);
  const locations = file.proto.sourceCodeInfo?.location ?? [];
  const found = locations.find(
    (location) => location.path.length === path.length && location.path.every((step, index) => step === path[index]),
  );
  return toMarkdown(found?.leadingComments ?? "");
}

/** The first sentence of a comment, without its full stop, and what follows it. */
export function splitSummary(comment: string): { readonly summary: string; readonly description: string } {
  const end = endOfFirstSentence(comment);
  const summary = comment.slice(0, end).trim().replace(/\.$/, "");
  return { summary, description: comment.slice(end).trim() };
}

/** Where the first sentence ends: at a full stop before a space, outside of backticks, or with the first paragraph. */
function endOfFirstSentence(comment: string): number {
  let isCode = false;
  for (let index = 0; index < comment.length; index++) {
    const character = comment[index];
    if (character === "`") {
      isCode = !isCode;
    } else if (!isCode && character === "\n") {
      return index;
    } else if (!isCode && character === "." && /^\s+[^a-z]/.test(comment.slice(index + 1, index + 4))) {
      return index + 1;
    }
  }
  return comment.length;
}

function toMarkdown(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^ /, "").trimEnd())
    .filter((line) => !/^buf:/.test(line))
    .join("\n")
    .trim()
    .replace(/([^\n])\n(?!\n|[-*] |\d+\. |\s)/g, "$1 ");
}

function fileOf(desc: Documented): { file: DescMessage["file"] } {
  switch (desc.kind) {
    case "enum":
    case "message":
    case "service":
      return desc;
    default:
      return desc.parent;
  }
}

/** The path of a declaration in `google.protobuf.SourceCodeInfo`: numbers of fields and indices, in turns. */
function sourcePath(desc: Documented): number[] {
  switch (desc.kind) {
    case "service":
      return [service.number, desc.file.proto.service.indexOf(desc.proto)];
    case "rpc":
      return [
        ...sourcePath(desc.parent),
        ServiceDescriptorProtoSchema.field.method.number,
        desc.parent.proto.method.indexOf(desc.proto),
      ];
    case "message":
      return desc.parent === undefined
        ? [messageType.number, desc.file.proto.messageType.indexOf(desc.proto)]
        : [...sourcePath(desc.parent), nestedType.number, desc.parent.proto.nestedType.indexOf(desc.proto)];
    case "enum":
      return desc.parent === undefined
        ? [enumType.number, desc.file.proto.enumType.indexOf(desc.proto)]
        : [...sourcePath(desc.parent), nestedEnum.number, desc.parent.proto.enumType.indexOf(desc.proto)];
    case "enum_value":
      return [
        ...sourcePath(desc.parent),
        EnumDescriptorProtoSchema.field.value.number,
        desc.parent.proto.value.indexOf(desc.proto),
      ];
    case "field":
      return [...sourcePath(desc.parent), field.number, desc.parent.proto.field.indexOf(desc.proto)];
  }
}
