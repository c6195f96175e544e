import type { Page } from "./request-handler.ts";

/** `OPTIONS *` (RFC 9110 §9.3.7): what the server takes, at one path or another. Other methods do not come here. */
export const serverOptionsPage: Page = (_request, response) => {
  response.statusCode = 204;
  response.setHeader("Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST");
  response.end();
  return "served";
};
