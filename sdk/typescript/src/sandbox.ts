/** Whether a key belongs to the sandbox: nothing that it does leaves the server. */
export function isSandboxKey(apiKey: string): boolean {
  return apiKey.startsWith("pk_test_");
}

/** The code of every verification that a sandbox key starts: zeros, as many as its `codeLength`. */
export function sandboxCode(codeLength = 6): string {
  return "0".repeat(codeLength);
}
