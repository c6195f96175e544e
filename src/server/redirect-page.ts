import type { Page } from "./request-handler.ts";

/**
 * Leads readers to another page. Relative, as the server may be behind a path that it does not know. Says what it takes to
 * `OPTIONS`, which load balancers send to `/` to see whether there is a server.
 */
export function redirectPage(status: 302 | 308, location: string): Page {
  return (request, response) => {
    if (request.method === "OPTIONS") {
      response.statusCode = 204;
      response.setHeader("Allow", "GET, HEAD, OPTIONS");
      response.end();
      return "served";
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return "hidden";
    }
    response.statusCode = status;
    response.setHeader("Location", location);
    response.end();
    return "served";
  };
}
