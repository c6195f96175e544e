import type { Page } from "./request-handler.ts";

/**
 * Redirects to another page. `location` is relative: a proxy may serve the server below a path that it does not know. Answers
 * `OPTIONS` too, which load balancers send to `/` as a check.
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
