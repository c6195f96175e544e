import { createRegistry, type DescMethodUnary, isMessage, type Message } from "@bufbuild/protobuf";
import { ViolationCollector } from "@byond/rest/field-violations";
import { JsonReader } from "@byond/rest/json/json-reader";
import { JsonWriter } from "@byond/rest/json/json-writer";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ApiKeyService } from "../../gen/byond/v1/api_key_pb.ts";
import { AuthService } from "../../gen/byond/v1/auth_pb.ts";
import { BalanceService } from "../../gen/byond/v1/balance_pb.ts";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { EventService } from "../../gen/byond/v1/event_pb.ts";
import { GuardService } from "../../gen/byond/v1/guard_pb.ts";
import { LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { RecipientService } from "../../gen/byond/v1/recipient_pb.ts";
import { ReportService } from "../../gen/byond/v1/report_pb.ts";
import { SuppressionService } from "../../gen/byond/v1/suppression_pb.ts";
import { TemplateService } from "../../gen/byond/v1/template_pb.ts";
import { VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import { WebhookService } from "../../gen/byond/v1/webhook_pb.ts";
import { restStyle } from "../../src/rpc/rest-style.ts";
import type { TestApp } from "./app.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
type Json = any;

/** The result of a call, in one form for every protocol. */
export interface Answer {
  /** `ok`, or the error's code. */
  readonly code: string;
  /** The answer or the error, in REST's JSON. */
  readonly body: Json;
}

export interface Credentials {
  readonly key?: string | undefined;
  readonly session?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

type Input = Readonly<Record<string, unknown>>;

/** How one RPC is called. */
export interface Rpc {
  readonly method: DescMethodUnary;
  /** Method, path and body over REST. */
  readonly rest: (input: Input) => readonly [string, string, unknown?];
  /** The JSON of the request message, if it differs from the input. */
  readonly message?: (input: Input) => Input;
  /** The member of the answer that is REST's whole body. */
  readonly responseBody?: string;
}

const post = (path: string) => (input: Input) => ["POST", path, input] as const;
const postNothing = (path: string) => () => ["POST", path] as const;
const query = (input: Input) =>
  new URLSearchParams(Object.fromEntries(Object.entries(input).map(([k, v]) => [k, String(v)]))).toString();

/** A list is a parameter for each of its values. */
const repeatedQuery = (input: Input) =>
  new URLSearchParams(
    Object.entries(input).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)])),
  );

export const rpcs = {
  ListSuppressions: {
    method: SuppressionService.method.listSuppressions,
    rest: (input) => ["GET", `/suppressions?${query(input)}`],
  },
  DeleteSuppression: {
    method: SuppressionService.method.deleteSuppression,
    rest: ({ suppression_id }) => ["DELETE", `/suppressions/${suppression_id}`],
  },
  GetBalance: {
    method: BalanceService.method.getBalance,
    rest: () => ["GET", "/balance"],
    responseBody: "balance",
  },
  ListBalanceEntries: {
    method: BalanceService.method.listBalanceEntries,
    rest: (input) => ["GET", `/balance/entries?${query(input)}`],
  },
  ListSpendCaps: { method: BalanceService.method.listSpendCaps, rest: () => ["GET", "/spend-caps"] },
  SetSpendCap: {
    method: BalanceService.method.setSpendCap,
    rest: ({ owner, ...body }) => ["PUT", `/spend-caps/${owner}`, body],
    responseBody: "spend_cap",
  },
  DeleteSpendCap: {
    method: BalanceService.method.deleteSpendCap,
    rest: ({ owner }) => ["DELETE", `/spend-caps/${owner}`],
  },
  GetGuard: { method: GuardService.method.getGuard, rest: () => ["GET", "/guard"], responseBody: "guard" },
  UpdateGuard: {
    method: GuardService.method.updateGuard,
    rest: (changes) => ["PATCH", "/guard", changes],
    message: (changes) => ({ guard: changes, update_mask: Object.keys(changes).join(",") }),
    responseBody: "guard",
  },
  ListGuardBlocks: { method: GuardService.method.listGuardBlocks, rest: () => ["GET", "/guard/blocks"] },
  DeleteGuardBlock: {
    method: GuardService.method.deleteGuardBlock,
    rest: ({ id }) => ["DELETE", `/guard/blocks/${id}`],
  },
  ListSafeListEntries: { method: GuardService.method.listSafeListEntries, rest: () => ["GET", "/guard/safe-list"] },
  AddSafeListEntry: {
    method: GuardService.method.addSafeListEntry,
    rest: post("/guard/safe-list"),
    responseBody: "entry",
  },
  DeleteSafeListEntry: {
    method: GuardService.method.deleteSafeListEntry,
    rest: ({ id }) => ["DELETE", `/guard/safe-list/${id}`],
  },
  GetGuardReport: {
    method: GuardService.method.getGuardReport,
    rest: (input) => ["GET", `/guard/report?${query(input)}`],
  },
  ListTemplates: { method: TemplateService.method.listTemplates, rest: () => ["GET", "/templates"] },
  GetTemplate: {
    method: TemplateService.method.getTemplate,
    rest: ({ channel, locale }) => ["GET", `/templates/${channel}/${locale}`],
    responseBody: "template",
  },
  PutTemplate: {
    method: TemplateService.method.putTemplate,
    rest: ({ channel, locale, ...body }) => ["PUT", `/templates/${channel}/${locale}`, body],
    responseBody: "template",
  },
  DeleteTemplate: {
    method: TemplateService.method.deleteTemplate,
    rest: ({ channel, locale }) => ["DELETE", `/templates/${channel}/${locale}`],
  },
  PreviewTemplate: {
    method: TemplateService.method.previewTemplate,
    rest: ({ channel, locale, ...body }) => ["POST", `/templates/${channel}/${locale}/preview`, body],
  },
  CreateApiKey: { method: ApiKeyService.method.createApiKey, rest: post("/api-keys") },
  ListApiKeys: { method: ApiKeyService.method.listApiKeys, rest: (input) => ["GET", `/api-keys?${query(input)}`] },
  GetApiKey: {
    method: ApiKeyService.method.getApiKey,
    rest: ({ id }) => ["GET", `/api-keys/${id}`],
    responseBody: "api_key",
  },
  UpdateApiKey: {
    method: ApiKeyService.method.updateApiKey,
    rest: ({ id, ...changes }) => ["PATCH", `/api-keys/${id}`, changes],
    message: ({ id, ...changes }) => ({ id, api_key: changes, update_mask: Object.keys(changes).join(",") }),
    responseBody: "api_key",
  },
  RotateApiKey: {
    method: ApiKeyService.method.rotateApiKey,
    rest: ({ id, ...body }) => ["POST", `/api-keys/${id}/rotate`, body],
  },
  RevokeApiKey: {
    method: ApiKeyService.method.revokeApiKey,
    rest: ({ id, ...parameters }) => ["DELETE", `/api-keys/${id}?${query(parameters)}`],
  },
  ListEvents: { method: EventService.method.listEvents, rest: (input) => ["GET", `/events?${query(input)}`] },
  GetEvent: { method: EventService.method.getEvent, rest: ({ id }) => ["GET", `/events/${id}`], responseBody: "event" },
  GetUsage: {
    method: ReportService.method.getUsage,
    rest: (input) => ["GET", `/usage?${repeatedQuery(input)}`],
  },
  GetOverview: {
    method: ReportService.method.getOverview,
    rest: (input) => ["GET", `/reports/overview?${query(input)}`],
  },
  GetVerificationReport: {
    method: ReportService.method.getVerificationReport,
    rest: (input) => ["GET", `/reports/verifications?${repeatedQuery(input)}`],
  },
  CreateWebhook: { method: WebhookService.method.createWebhook, rest: post("/webhooks") },
  ListWebhooks: { method: WebhookService.method.listWebhooks, rest: () => ["GET", "/webhooks"] },
  GetWebhook: {
    method: WebhookService.method.getWebhook,
    rest: ({ id }) => ["GET", `/webhooks/${id}`],
    responseBody: "webhook",
  },
  UpdateWebhook: {
    method: WebhookService.method.updateWebhook,
    rest: ({ id, ...changes }) => ["PATCH", `/webhooks/${id}`, changes],
    message: ({ id, ...changes }) => ({ id, webhook: changes, update_mask: Object.keys(changes).join(",") }),
    responseBody: "webhook",
  },
  DeleteWebhook: { method: WebhookService.method.deleteWebhook, rest: ({ id }) => ["DELETE", `/webhooks/${id}`] },
  RotateWebhookSecret: {
    method: WebhookService.method.rotateWebhookSecret,
    rest: ({ id, ...body }) => ["POST", `/webhooks/${id}/rotate-secret`, body],
  },
  TestWebhook: { method: WebhookService.method.testWebhook, rest: ({ id }) => ["POST", `/webhooks/${id}/test`] },
  ListWebhookDeliveries: {
    method: WebhookService.method.listWebhookDeliveries,
    rest: ({ id, ...parameters }) => ["GET", `/webhooks/${id}/deliveries?${query(parameters)}`],
  },
  RedeliverWebhook: {
    method: WebhookService.method.redeliverWebhook,
    rest: ({ id, delivery_id }) => ["POST", `/webhooks/${id}/deliveries/${delivery_id}/redeliver`],
    responseBody: "delivery",
  },
  SignUp: { method: AuthService.method.signUp, rest: post("/auth/sign-up") },
  SignIn: { method: AuthService.method.signIn, rest: post("/auth/sign-in") },
  RefreshSession: { method: AuthService.method.refreshSession, rest: post("/auth/refresh") },
  SignOut: { method: AuthService.method.signOut, rest: post("/auth/sign-out") },
  GetMe: { method: AuthService.method.getMe, rest: () => ["GET", "/auth/me"] },
  LogoutAll: { method: AuthService.method.logoutAll, rest: postNothing("/auth/logout-all") },
  ChangePassword: { method: AuthService.method.changePassword, rest: post("/auth/change-password") },
  StartPasswordReset: { method: AuthService.method.startPasswordReset, rest: post("/auth/reset-password") },
  ConfirmPasswordReset: {
    method: AuthService.method.confirmPasswordReset,
    rest: post("/auth/reset-password/confirm"),
  },
  StartEmailVerification: {
    method: AuthService.method.startEmailVerification,
    rest: postNothing("/auth/verify-email"),
  },
  CheckEmailVerification: {
    method: AuthService.method.checkEmailVerification,
    rest: post("/auth/verify-email/check"),
  },
  GetWorkspace: {
    method: AuthService.method.getWorkspace,
    rest: () => ["GET", "/workspace"],
    responseBody: "workspace",
  },
  UpdateWorkspace: {
    method: AuthService.method.updateWorkspace,
    rest: (input) => ["PATCH", "/workspace", input],
    message: (changes) => ({ workspace: changes, update_mask: Object.keys(changes).join(",") }),
    responseBody: "workspace",
  },
  DeleteAccount: { method: AuthService.method.deleteAccount, rest: post("/auth/delete-account") },
  LookupNumber: { method: LookupService.method.lookupNumber, rest: (input) => ["GET", `/lookup?${query(input)}`] },
  BatchLookup: { method: LookupService.method.batchLookup, rest: post("/lookup/batch") },
  ListLookups: { method: LookupService.method.listLookups, rest: (input) => ["GET", `/lookups?${query(input)}`] },
  GetLookup: {
    method: LookupService.method.getLookup,
    rest: ({ lookup_id }) => ["GET", `/lookups/${lookup_id}`],
    responseBody: "lookup",
  },
  StartVerification: { method: VerifyService.method.startVerification, rest: post("/verify/start") },
  CheckVerification: { method: VerifyService.method.checkVerification, rest: post("/verify/check") },
  GetVerification: {
    method: VerifyService.method.getVerification,
    rest: ({ verification_id }) => ["GET", `/verify/${verification_id}`],
    responseBody: "verification",
  },
  ResendCode: {
    method: VerifyService.method.resendCode,
    rest: ({ verification_id, ...body }) => ["POST", `/verify/${verification_id}/resend`, body],
    responseBody: "verification",
  },
  CancelVerification: {
    method: VerifyService.method.cancelVerification,
    rest: ({ verification_id }) => ["POST", `/verify/${verification_id}/cancel`, {}],
    responseBody: "verification",
  },
  ListVerifications: {
    method: VerifyService.method.listVerifications,
    rest: (input) => ["GET", `/verifications?${query(input)}`],
  },
  ExportRecipient: {
    method: RecipientService.method.exportRecipient,
    rest: (input) => ["GET", `/recipients/export?${query(input)}`],
  },
  EraseRecipient: { method: VerifyService.method.eraseRecipient, rest: post("/verifications/erase") },
} as const satisfies Record<string, Rpc>;

/** A protocol. Requests and answers are given in REST's JSON, whatever is sent over the wire. */
export interface Protocol {
  readonly name: "REST" | "gRPC";
  call(app: TestApp, rpc: keyof typeof rpcs, input?: Input, credentials?: Credentials): Promise<Answer>;
}

export const restProtocol: Protocol = {
  name: "REST",
  async call(app, name, input = {}, { key, session, headers = {} } = {}) {
    const [method, path, body] = rpcs[name].rest(input);
    const { status, body: answer } = await app.rest(method, path, {
      ...(key === undefined ? {} : { key }),
      ...(session === undefined ? {} : { session }),
      ...(body === undefined ? {} : { body }),
      headers,
    });
    return status < 300 ? { code: "ok", body: answer } : { code: answer.error.code, body: answer.error };
  },
};

const jsonOptions = { style: restStyle, ignoresUnknownFields: false, registry: createRegistry() };
const reader = new JsonReader(jsonOptions);
/** Writes messages as REST does. */
export const writer = new JsonWriter(jsonOptions);
const transports = new Map<string, Transport>();

const grpcProtocol: Protocol = {
  name: "gRPC",
  async call(app, name, input = {}, { key, session, headers = {} } = {}) {
    const rpc: Rpc = rpcs[name];
    const transport = transports.get(app.url) ?? createGrpcTransport({ baseUrl: app.url });
    transports.set(app.url, transport);
    const header = {
      ...headers,
      ...(key === undefined ? {} : { "x-api-key": key }),
      ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
    };
    try {
      const request = readMessage(rpc.method, rpc.message?.(input) ?? input);
      const { message } = await transport.unary(rpc.method, undefined, undefined, header, request);
      const body: Json = writer.message(rpc.method.output)(message);
      return { code: "ok", body: rpc.responseBody === undefined ? body : body[rpc.responseBody] };
    } catch (error) {
      const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
      if (info === undefined) {
        throw error;
      }
      return { code: info.code, body: writer.message(ErrorInfoSchema)(info) };
    }
  },
};

/** Reads a message from its REST JSON. */
export function readMessage(method: DescMethodUnary, json: Input): Message {
  const violations = new ViolationCollector();
  const message = reader.message(method.input)(json, violations);
  if (!isMessage(message) || violations.listed.length > 0) {
    throw new TypeError(`a test sent what has no message: ${JSON.stringify(violations.listed)}`);
  }
  return message;
}

/** For `describe.each`: both protocols must pass the same tests. */
export const protocols: readonly Protocol[] = [restProtocol, grpcProtocol];
