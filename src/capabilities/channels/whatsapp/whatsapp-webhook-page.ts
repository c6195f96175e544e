import { AppError, errorKinds } from "../../../errors.ts";
import { clientAddressOf, limitKeyOf, type ProxyTrust } from "../../../server/client-address.ts";
import type { Page, PageOutcome } from "../../../server/request-handler.ts";
import { UnverifiedBodies } from "../../../server/unverified-bodies.ts";
import { readCallbackBody } from "../callback-body.ts";
import { handleWhatsappWebhook, type WhatsappWebhookDependencies } from "./whatsapp-webhook.ts";

/** Meta sends reports in batches of up to 3 MB. */
const maxBodyBytes = 3 * 1024 * 1024;

/** The signature can be checked only when the whole report has arrived. */
const arrivingLimits = { maxBytes: 8 * maxBodyBytes, maxBytesPerSource: 4 * maxBodyBytes };

/** `/webhooks/whatsapp`: WhatsApp's subscription and delivery reports. */
export function whatsappWebhookPage(deps: WhatsappWebhookDependencies & { readonly proxyTrust: ProxyTrust }): Page {
  const arriving = new UnverifiedBodies(arrivingLimits);
  return async (request, response): Promise<PageOutcome> => {
    const headers = { get: (name: string) => request.headers[name]?.toString() ?? null };
    const source = limitKeyOf(clientAddressOf(deps.proxyTrust, request.socket.remoteAddress, headers));
    try {
      const answer = await handleWhatsappWebhook(deps, {
        method: request.method ?? "",
        query: new URL(request.url ?? "/", "http://localhost").searchParams,
        signature: request.headers["x-hub-signature-256"]?.toString(),
        body: () => readCallbackBody(request, arriving.open(source), maxBodyBytes),
      });
      response.statusCode = answer.status;
      for (const [name, value] of Object.entries(answer.headers)) {
        response.setHeader(name, value);
      }
      response.end(answer.body);
    } catch (error) {
      if (!(error instanceof AppError)) {
        throw error;
      }
      // Without the database or memory the report cannot be stored: WhatsApp sends it again.
      response.statusCode = errorKinds[error.code].httpStatus;
      response.end();
    }
    return "served";
  };
}
