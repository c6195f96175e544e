/** Shows the reference, and opens its search on `K` and `/` alone. */
const main = document.querySelector("#reference");
const { createApiReference } = await import(new URL(main.dataset.scalar, document.baseURI).href);

createApiReference(main, {
  url: new URL(main.dataset.document, document.baseURI).href,
  // Everything comes from this server: no fonts, no proxy, no telemetry, no services of others.
  withDefaultFonts: false,
  proxyUrl: "",
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  // The samples of the document are the samples; the API client keeps no credentials.
  hiddenClients: true,
  persistAuth: false,
  authentication: { preferredSecurityScheme: "ApiKey" },
  theme: "default",
  documentDownloadType: "none",
  defaultOpenAllTags: true,
  hideModels: true,
  onLoaded: openIntroduction,
});

/** Shows the sections of the guide in the sidebar: Scalar opens groups of operations only. */
function openIntroduction() {
  const entry = document.querySelector('[data-sidebar-id$="description/introduction"]');
  entry?.querySelector('button[aria-expanded="false"]')?.click();
}

/** Whether what is typed goes into a field. */
function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, [role='textbox']") !== null)
  );
}

document.addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const isOurs = event.key === "/" || event.key.toLowerCase() === "k";
  if (isPlain && isOurs && !event.repeat && !isTyping(event.target)) {
    event.preventDefault();
    // What Scalar listens for: with Ctrl, or on a Mac with Cmd.
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, metaKey: true }));
  }
});
