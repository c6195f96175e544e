/** Printed at the first start: how to make the first calls. Each command works when pasted, in this order. */
export function firstStartBanner(url: string, sandboxKey: string, inboxLink: string | undefined): string {
  return `
  Byond is listening on ${url}

  Your sandbox key, printed only at this start. Messages stay on this server, and codes are all zeros:

    export BYOND_URL="${url}"
    export BYONDAPI_KEY="${sandboxKey}"

  Start a verification, then read its message in the inbox:

    curl -X POST "$BYOND_URL/api/v1/verify/start" -H "X-API-Key: $BYONDAPI_KEY" -H "Content-Type: application/json" -d '{"channel": "email", "recipient": "ada@example.com"}'
    curl "$BYOND_URL/dev/inbox" -H "X-API-Key: $BYONDAPI_KEY"
${pageLines(url, inboxLink)}
`;
}

/** Printed at every later start. */
export function startBanner(url: string, inboxLink: string | undefined): string {
  return `
  Byond is listening on ${url}

    export BYOND_URL="${url}"
${pageLines(url, inboxLink)}
`;
}

function pageLines(url: string, inboxLink: string | undefined): string {
  const reference = `\n  The reference: ${url}/docs\n`;
  return inboxLink === undefined
    ? reference
    : `${reference}\n  The inbox, with all messages that were not really sent (the link works once): ${inboxLink}\n`;
}
