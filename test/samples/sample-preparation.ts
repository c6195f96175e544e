import { expect, vi } from "vitest";
import { blockRange } from "../capabilities/guard/guard-calls.ts";
import type { DocumentReader, PlacedOperation } from "../capabilities/reference/openapi-document.ts";
import {
  addSafeRange,
  createFixedCode,
  createKey,
  createWebhook,
  createWorld,
  deliveriesOfNewWebhook,
  putTemplate,
  recordLookup,
  setSpendCap,
  startVerification,
  suppressRecipient,
  type World,
} from "../capabilities/reference/operation-calls.ts";
import type { TestApp } from "../support/app.ts";

/** What a sample needs so that its call succeeds. */
export interface PreparedSample {
  readonly operationId: string;
  /** The status that its success is documented with. */
  readonly status: string;
  /** The sample, with the names of things that exist in place of the documented examples. */
  readonly source: string;
  readonly world: World;
  readonly environment: Readonly<Record<"BYOND_URL" | "BYONDAPI_KEY" | "JWT", string>>;
}

/** Makes what a call is about; returns values by the names of the fields that the sample fills with examples. */
type Preparation = (world: World) => Promise<Readonly<Record<string, string>>>;

const aboutVerification: Preparation = async (world) => ({ verification_id: await startVerification(world) });
const aboutKey: Preparation = async (world) => ({ id: await createKey(world) });
const aboutWebhook: Preparation = async (world) => ({ id: await createWebhook(world) });
const aboutTemplate: Preparation = async (world) => {
  await putTemplate(world);
  return {};
};
const refreshToken: Preparation = async ({ account }) => ({ refresh_token: account.refreshToken });

/** What is prepared for the operations whose sample names something. The others work in a new account. */
const preparations: Readonly<Record<string, Preparation>> = {
  startVerification: async ({ newAddress }) => ({ recipient: newAddress() }),
  checkVerification: async (world) => ({ verification_id: await startVerification(world), code: "000000" }),
  getVerification: aboutVerification,
  resendCode: async (world) => {
    const recipient = world.newAddress();
    const start = { key: world.sandboxKey, body: { channel: "email", recipient } };
    const { body } = await world.app.rest("POST", "/verify/start", start);
    return { verification_id: body.verification_id, recipient };
  },
  cancelVerification: aboutVerification,
  getTemplate: aboutTemplate,
  deleteTemplate: aboutTemplate,
  getLookup: async (world) => ({ lookup_id: await recordLookup(world) }),
  deleteSpendCap: async (world) => {
    await setSpendCap(world);
    return {};
  },
  deleteSuppression: async (world) => ({ suppression_id: await suppressRecipient(world) }),
  deleteGuardBlock: async ({ app, account }) => ({ id: await blockRange(app, account.workspaceId, "+2348031x") }),
  deleteSafeListEntry: async (world) => ({ id: await addSafeRange(world) }),
  getEvent: async (world) => {
    const subject = await startVerification(world);
    return vi.waitFor(
      async () => {
        const { body } = await world.app.rest("GET", `/events?subject=${subject}`, { key: world.sandboxKey });
        expect(body.events).not.toEqual([]);
        return { id: body.events[0].id };
      },
      { timeout: 20_000 },
    );
  },
  getApiKey: aboutKey,
  updateApiKey: aboutKey,
  revokeApiKey: aboutKey,
  rotateApiKey: aboutKey,
  deleteFixedCode: async (world) => ({ id: await createFixedCode(world) }),
  getWebhook: aboutWebhook,
  updateWebhook: aboutWebhook,
  deleteWebhook: aboutWebhook,
  rotateWebhookSecret: aboutWebhook,
  testWebhook: aboutWebhook,
  listWebhookDeliveries: aboutWebhook,
  redeliverWebhook: async (world) => {
    const path = await deliveriesOfNewWebhook(world);
    const { body } = await world.app.rest("GET", path, { session: world.session });
    return { id: path.split("/")[2] ?? "", delivery_id: body.deliveries[0].id };
  },
  signUp: async ({ newAddress }) => ({ email: newAddress() }),
  signIn: async ({ account }) => ({ email: account.email }),
  refreshSession: refreshToken,
  signOut: refreshToken,
  startPasswordReset: async ({ account }) => ({ email: account.email }),
  confirmPasswordReset: async ({ app, account }) => {
    const { body } = await app.rest("POST", "/auth/reset-password", { body: { email: account.email } });
    return { reset_id: body.reset_id };
  },
  checkEmailVerification: async ({ app, session }) => {
    await app.rest("POST", "/auth/verify-email", { session });
    return {};
  },
};

/** Prepares the sample of an operation in one language, in an account of its own. */
export async function prepareSample(
  app: TestApp,
  reader: DocumentReader,
  { operation }: PlacedOperation,
  label: string,
): Promise<PreparedSample> {
  const world = await createWorld(app);
  const { operationId } = operation;
  const values = (await preparations[operationId]?.(world)) ?? {};
  const examples: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(reader.parameters(operation).map(({ name, example }) => [name, example])),
    ...bodyExample(operation),
  };
  const written = operation["x-codeSamples"].find((sample) => sample.label === label)?.source;
  if (written === undefined) {
    throw new Error(`${operationId} has no sample in ${label}`);
  }
  const source = Object.entries(values).reduce((text, [name, value]) => {
    const example = examples[name];
    if (typeof example !== "string" || !text.includes(example)) {
      throw new Error(`the sample of ${operationId} in ${label} shows no ${name}`);
    }
    return text.replaceAll(example, value);
  }, written);
  // Some operations ask for a key that names their scope.
  const body = { name: "sample", mode: "test", scopes: ["*"] };
  const { key } = (await app.rest("POST", "/api-keys", { session: world.session, body })).body;
  return {
    operationId,
    status: Object.keys(operation.responses).find((status) => status.startsWith("2")) ?? "",
    source,
    world,
    environment: { BYOND_URL: app.url, BYONDAPI_KEY: key, JWT: world.session },
  };
}

function bodyExample({ requestBody }: PlacedOperation["operation"]): object {
  const example = requestBody?.content["application/json"]?.example;
  return typeof example === "object" && example !== null ? example : {};
}
