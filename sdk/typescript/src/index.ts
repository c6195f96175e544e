/**
 * The TypeScript SDK of Byond.
 *
 * @packageDocumentation
 */
export { Byond } from "./client.ts";
export { ByondError, type ByondErrorCode, type ByondErrorDetails, type ClientErrorCode } from "./errors.ts";
export type { EventStream } from "./event-stream.ts";
export type * from "./generated/services.ts";
export type * from "./generated/types.ts";
export { apiVersion, version } from "./generated/types.ts";
export type { ByondOptions, CallOptions } from "./options.ts";
export type { Page, PagePromise } from "./page.ts";
export { isSandboxKey, sandboxCode } from "./sandbox.ts";
export { type SignedRequest, signRequest } from "./sign-request.ts";
export { type PingEvent, signWebhook, type UnsignedWebhook, verifyWebhook, type WebhookHeaders } from "./webhooks.ts";
