/** Links that each work once. Undefined: the server has no such page, or it takes keys only. */
interface BannerLinks {
  readonly consoleLink: string | undefined;
  readonly inboxLink: string | undefined;
}

/** Printed at the first start: how to make the first calls. Each command works when pasted, in this order. */
export function firstStartBanner(url: string, sandboxKey: string, links: BannerLinks): string {
  return `
  Byond is listening on ${url}
${consoleLines(links)}
  Your sandbox key, printed only at this start. Messages stay on this server, and codes are all zeros:

    export BYOND_URL="${url}"
    export BYONDAPI_KEY="${sandboxKey}"

  Start a verification, then read its message in the inbox:

    curl -X POST "$BYOND_URL/api/v1/verify/start" -H "X-API-Key: $BYONDAPI_KEY" -H "Content-Type: application/json" -d '{"channel": "email", "recipient": "ada@example.com"}'
    curl "$BYOND_URL/dev/inbox" -H "X-API-Key: $BYONDAPI_KEY"
${pageLines(url, links)}
`;
}

/** Printed at every later start. */
export function startBanner(url: string, links: BannerLinks): string {
  return `
  Byond is listening on ${url}
${consoleLines(links)}
    export BYOND_URL="${url}"
${pageLines(url, links)}
`;
}

function consoleLines({ consoleLink }: BannerLinks): string {
  return consoleLink === undefined
    ? ""
    : `\n  The console, signed in to the demo workspace (the link works once): ${consoleLink}\n`;
}

function pageLines(url: string, { inboxLink }: BannerLinks): string {
  const reference = `\n  The reference: ${url}/docs\n`;
  return inboxLink === undefined
    ? reference
    : `${reference}\n  The inbox, with all messages that were not really sent (the link works once): ${inboxLink}\n`;
}
