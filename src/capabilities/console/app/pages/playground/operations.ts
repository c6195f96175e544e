import { type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { type Route, routesOf } from "@byond/rest/route";
import { type Access, access } from "#gen/byond/v1/access_pb.ts";
import { ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { AuthService } from "#gen/byond/v1/auth_pb.ts";
import { BalanceService } from "#gen/byond/v1/balance_pb.ts";
import { EmailService } from "#gen/byond/v1/email_pb.ts";
import { EventService } from "#gen/byond/v1/event_pb.ts";
import { FixedCodeService } from "#gen/byond/v1/fixed_code_pb.ts";
import { GuardService } from "#gen/byond/v1/guard_pb.ts";
import { LookupService } from "#gen/byond/v1/lookup_pb.ts";
import { RecipientService } from "#gen/byond/v1/recipient_pb.ts";
import { ReportService } from "#gen/byond/v1/report_pb.ts";
import { SuppressionService } from "#gen/byond/v1/suppression_pb.ts";
import { TemplateService } from "#gen/byond/v1/template_pb.ts";
import { VerifyService } from "#gen/byond/v1/verify_pb.ts";
import { WebhookService } from "#gen/byond/v1/webhook_pb.ts";

/** An RPC, and how it is called over REST. */
export interface Operation {
  readonly method: DescMethod;
  readonly route: Route;
  readonly access: Access;
  readonly isStream: boolean;
}

/** The operations of a service. */
export interface OperationGroup {
  readonly service: DescService;
  readonly operations: readonly Operation[];
}

/** In the order of the reference. */
const services: readonly DescService[] = [
  VerifyService,
  SuppressionService,
  RecipientService,
  GuardService,
  TemplateService,
  LookupService,
  EmailService,
  EventService,
  WebhookService,
  BalanceService,
  ReportService,
  FixedCodeService,
  ApiKeyService,
  AuthService,
];

export const operationGroups: readonly OperationGroup[] = services.map((service) => ({
  service,
  operations: service.methods.flatMap((method) =>
    routesOf(method, "skip", [])
      .slice(0, 1)
      .map((route) => ({
        method,
        route,
        access: getOption(method, access),
        isStream: method.methodKind === "server_streaming",
      })),
  ),
}));

export const operations: readonly Operation[] = operationGroups.flatMap((group) => group.operations);

export function findOperation(methodName: string): Operation | undefined {
  return operations.find(({ method }) => method.name === methodName);
}
