import { writeJson } from "./json-page.ts";
import { isFromThisMachine } from "./local-request.ts";
import type { Page } from "./request-handler.ts";

/**
 * `/dev/inbox`: the messages that did not leave the server, newest first. It holds codes, so it answers nobody but this
 * machine; everybody else gets what an unknown path gets.
 */
export function inboxPage(listMessages: () => unknown): Page {
  return (request, response) => {
    if (!isFromThisMachine(request)) {
      return "hidden";
    }
    writeJson(response, 200, listMessages());
    return "served";
  };
}
