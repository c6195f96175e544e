/** Puts a text on the clipboard, or throws. Browsers offer theirs only to pages over TLS and of this machine; elsewhere the text is given to a copy command. */
export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const onCopy = (event: ClipboardEvent) => {
    event.preventDefault();
    event.clipboardData?.setData("text/plain", text);
  };
  document.addEventListener("copy", onCopy, { capture: true, once: true });
  const isCopied = document.execCommand("copy");
  document.removeEventListener("copy", onCopy, { capture: true });
  if (!isCopied) {
    throw new Error("the browser refuses to copy");
  }
}
