import type { DescService } from "@bufbuild/protobuf";
import { file_byond_v1_error } from "../../gen/byond/v1/error_pb.ts";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { type GrpcHealthOptions, grpcHealth } from "./grpc-health.ts";
import { grpcReflection } from "./grpc-reflection.ts";
import { bindService, type ServiceBinding } from "./router.ts";

export interface GrpcServicesOptions extends Omit<GrpcHealthOptions, "serviceNames"> {
  /** The services of the API. */
  readonly services: readonly DescService[];
  /** Whether clients can read the schema. */
  readonly reflection: "on" | "off";
}

/** The standard gRPC services: health, and reflection unless it is off. */
export function grpcServices({ services, reflection, ...health }: GrpcServicesOptions): ServiceBinding[] {
  const serviceNames = services.map(({ typeName }) => typeName);
  const healthService = bindService(Health, grpcHealth({ ...health, serviceNames }));
  if (reflection === "off") {
    return [healthService];
  }
  // An error is a google.rpc.Status with an ErrorInfo.
  const details = [file_byond_v1_error, file_google_rpc_status];
  return [healthService, ...grpcReflection({ services: [...services, Health], details, clock: health.clock })];
}
