import type { Page } from "./request-handler.ts";

/** `OPTIONS *` (RFC 9110 §9.3.7): the methods that the server accepts on any path. Other methods never reach it. */
export const serverOptionsPage: Page = (_request, response) => {
  response.statusCode = 204;
  response.setHeader("Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST");
  response.end();
  return "served";
};
