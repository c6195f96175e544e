import { createRegistry, type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { ServerReflection, ServerReflectionRequest } from "../../gen/grpc/reflection/v1/reflection_pb.ts";

type Question = ServerReflectionRequest["messageRequest"];

/** What can be asked about, by the names that clients use. */
interface Schema {
  readonly serviceNames: readonly string[];
  /** By path: `byond/v1/verify.proto`. */
  readonly files: ReadonlyMap<string, DescFile>;
  fileOfSymbol(name: string): DescFile | undefined;
  extensionsOf(typeName: string): readonly { readonly number: number; readonly file: DescFile }[];
}

/** gRPC server reflection (grpc.reflection.v1): lets `buf curl`, `grpcurl` and the like call without the schema. */
export function grpcReflection(services: readonly DescService[]): ServiceImpl<typeof ServerReflection> {
  const schema = readSchema(services);
  return {
    async *serverReflectionInfo(requests) {
      for await (const originalRequest of requests) {
        yield {
          validHost: originalRequest.host,
          originalRequest,
          messageResponse: answer(schema, originalRequest.messageRequest),
        };
      }
    },
  };
}

function readSchema(services: readonly DescService[]): Schema {
  const files = new Map<string, DescFile>();
  const collect = (file: DescFile) => {
    files.set(`${file.name}.proto`, file);
    file.dependencies.forEach(collect);
  };
  services.map((service) => service.file).forEach(collect);
  const registry = createRegistry(...files.values());
  const extensions = [...registry].filter((type) => type.kind === "extension");
  return {
    serviceNames: services.map((service) => service.typeName),
    files,
    fileOfSymbol(name) {
      const parentName = name.slice(0, Math.max(0, name.lastIndexOf(".")));
      return (registry.get(name) ?? registry.get(parentName))?.file;
    },
    extensionsOf: (typeName) => extensions.filter(({ extendee }) => extendee.typeName === typeName),
  };
}

function answer(schema: Schema, question: Question) {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: schema.serviceNames.map((name) => ({ name })) },
      } as const;
    case "fileByFilename":
      return fileAnswer(schema.files.get(question.value));
    case "fileContainingSymbol":
      return fileAnswer(schema.fileOfSymbol(question.value.replace(/^\./, "")));
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      return fileAnswer(schema.extensionsOf(containingType).find(({ number }) => number === extensionNumber)?.file);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = schema.extensionsOf(question.value).map(({ number }) => number);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } } as const;
    }
    case undefined:
      return errorAnswer(Code.InvalidArgument, "the request asks nothing");
  }
}

/** The file and all that it imports, as clients expect it, so that one question is enough. */
function fileAnswer(file: DescFile | undefined) {
  if (file === undefined) {
    return errorAnswer(Code.NotFound, "there is no such thing in the schema");
  }
  const reached = new Set<DescFile>();
  const reach = (next: DescFile) => {
    if (!reached.has(next)) {
      reached.add(next);
      next.dependencies.forEach(reach);
    }
  };
  reach(file);
  const fileDescriptorProto = Array.from(reached, ({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
}

function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse", value: { errorCode, errorMessage } } as const;
}
