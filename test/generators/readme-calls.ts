/**
 * The README's calls, as every client makes them. Its program reads BYOND_URL (without `/api/v1`), BYONDAPI_KEY, JWT and RECIPIENT (an email address) from
 * the environment, and prints what it read from each response, with the types that were generated:
 *
 * 1. starts a verification of RECIPIENT by email, brand Acme, six digits: `started <status>`
 * 2. checks it with 000000: `checked <status>`
 * 3. looks up +6591234567 with country SG: `lookup <number_e164> <country_code> <line_type>`
 * 4. lists the keys with the session: `keys <names, joined by commas>`
 * 5. starts one for the recipient "nobody": `invalid <status> <error.code> <names of error.fields, joined by commas>`
 * 6. starts one for RECIPIENT again until that is refused: `limited <status> <error.code> <error.retry_after>`
 * 7. starts one with the key "pk_test_wrong": `unauthorized <status> <error.code>`
 */
function expectedLines(keyName: string): readonly RegExp[] {
  return [
    /^started pending$/,
    /^checked approved$/,
    /^lookup \+6591234567 SG mobile$/,
    new RegExp(`^keys (.*,)?${keyName}(,.*)?$`),
    /^invalid 422 validation_error recipient$/,
    /^limited 429 rate_limited [1-9]\d*$/,
    /^unauthorized 401 invalid_api_key$/,
  ];
}

/** Throws if the lines are not those that the calls give. */
export function assertCalls(printed: string, keyName: string): void {
  const lines = printed.trim().split("\n");
  const expected = expectedLines(keyName);
  for (const [index, pattern] of expected.entries()) {
    if (!pattern.test(lines[index] ?? "")) {
      throw new Error(`line ${index + 1} does not match ${pattern}. The client printed:\n${printed}`);
    }
  }
  if (lines.length !== expected.length) {
    throw new Error(`expected ${expected.length} lines. The client printed:\n${printed}`);
  }
}
