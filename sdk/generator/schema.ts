import { create, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** Files that `byond.v1` needs, and that which errors travel in. */
const others = new Set([
  "google/protobuf/any.proto",
  "google/protobuf/field_mask.proto",
  "google/protobuf/timestamp.proto",
  "google/rpc/status.proto",
]);

/**
 * The descriptors that a gRPC client needs, and nothing else: no options (routes, rules and access are the server's), no comments, and none of the
 * files that only declare options. The SDKs carry it, and encode messages by it.
 */
export function slimSchema(set: FileDescriptorSet): Uint8Array {
  const isNeeded = ({ name, package: of, messageType, service, enumType }: FileDescriptorProto) =>
    others.has(name) ||
    (of === "byond.v1" &&
      name !== "byond/v1/access.proto" &&
      messageType.length + service.length + enumType.length > 0);
  const needed = set.file.filter(isNeeded);
  const names = new Set(needed.map(({ name }) => name));
  const file = needed.map((one) => {
    const slim = create(FileDescriptorProtoSchema, {
      ...one,
      dependency: one.dependency.filter((name) => names.has(name)),
      weakDependency: [],
      publicDependency: [],
    });
    delete slim.sourceCodeInfo;
    delete slim.options;
    slim.extension = [];
    dropOptions([...slim.messageType, ...slim.enumType, ...slim.service]);
    return slim;
  });
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

interface Declaration {
  options?: object | undefined;
  readonly field?: Declaration[];
  readonly nestedType?: Declaration[];
  readonly enumType?: Declaration[];
  readonly value?: Declaration[];
  readonly method?: Declaration[];
}

/** Of all options, only that which makes a message the entry of a map says what is on the wire. */
function dropOptions(declarations: readonly Declaration[]): void {
  for (const declaration of declarations) {
    const { options } = declaration;
    if (options === undefined || !("mapEntry" in options) || options.mapEntry !== true) {
      delete declaration.options;
    }
    const { field = [], nestedType = [], enumType = [], value = [], method = [] } = declaration;
    dropOptions([...field, ...nestedType, ...enumType, ...value, ...method]);
  }
}
