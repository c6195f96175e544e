import type { Page } from "./request-handler.ts";

/** Leads readers to another page. Relative, as the server may be behind a path that it does not know. */
export function redirectPage(status: 302 | 308, location: string): Page {
  return (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return "hidden";
    }
    response.statusCode = status;
    response.setHeader("Location", location);
    response.end();
    return "served";
  };
}
