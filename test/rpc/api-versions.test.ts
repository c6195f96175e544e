import { createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { CheckVerificationResponse_Status as Status, VerifyService } from "../../gen/byond/v1/verify_pb.ts";
import {
  type ApiVersion,
  apiVersionHeaders,
  apiVersionKey,
  apiVersions,
  createApiVersionInterceptor,
  messageChange,
  resolveApiVersion,
} from "../../src/rpc/api-versions.ts";

describe("the version of a request", () => {
  test("is the one that it names", () => {
    const headers = new Headers({ "Byond-Version": "2026-06-15" });
    expect(resolveApiVersion(apiVersions, headers).version).toBe("2026-06-15");
  });

  test("is the current one if it names none", () => {
    expect(resolveApiVersion(apiVersions, new Headers()).version).toBe(apiVersions.at(-1)?.version);
  });

  test.each(["2026-06-14", "latest", "", "2026-06-15, 2026-06-15"])("%j is unknown", (version) => {
    expect(() => resolveApiVersion(apiVersions, new Headers({ "Byond-Version": version }))).toThrow(
      expect.objectContaining({ code: "unknown_version", message: expect.stringContaining("2026-06-15") }),
    );
  });

  test("is echoed; a deprecated one also has its sunset", () => {
    expect(apiVersionHeaders({ version: "2026-06-15", changes: [] })).toEqual({ "Byond-Version": "2026-06-15" });
    const sunset = new Date("2028-03-01T00:00:00Z");
    expect(apiVersionHeaders({ version: "2026-06-15", sunset, changes: [] })).toEqual({
      "Byond-Version": "2026-06-15",
      "Byond-Version-Deprecated": "yes",
      Sunset: "Wed, 01 Mar 2028 00:00:00 GMT",
    });
  });

  test("the table of versions is in order and complete", () => {
    const versions = apiVersions.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted());
    expect(apiVersions.at(-1)?.sunset).toBeUndefined();
  });
});

/**
 * How a future change is made. Say that from 2027-03-01 codes have 8 digits unless the request says otherwise, and that an
 * approved verification is `locked` rather than `expired` when it is checked again; and that 2027-09-01 makes it 9 digits.
 * The implementation is changed to the new rules, and each version notes what it changed:
 */
const futureVersions: readonly ApiVersion[] = [
  { version: "2026-06-15", sunset: new Date("2028-03-01T00:00:00Z"), changes: [] },
  {
    version: "2027-03-01",
    changes: [
      messageChange(VerifyService.method.startVerification, {
        upgradeRequest(request) {
          request.codeLength ??= 6;
        },
        downgradeResponse(response) {
          response.verificationId = response.verificationId.replace("eight", "six");
        },
      }),
      messageChange(VerifyService.method.checkVerification, {
        downgradeResponse(response) {
          if (response.status === Status.LOCKED) {
            response.status = Status.EXPIRED;
          }
        },
      }),
    ],
  },
  {
    version: "2027-09-01",
    changes: [
      messageChange(VerifyService.method.startVerification, {
        upgradeRequest(request) {
          request.codeLength ??= 8;
        },
        downgradeResponse(response) {
          response.verificationId = response.verificationId.replace("nine", "eight");
        },
      }),
    ],
  },
];

describe("a worked example of a change", () => {
  const transport = createRouterTransport(
    ({ service }) =>
      service(VerifyService, {
        startVerification: (request) => ({ verificationId: `nine: ${request.codeLength ?? 9}` }),
        checkVerification: () => ({ status: Status.LOCKED }),
      }),
    {
      router: {
        requestGate: async (context) => {
          const { version } = resolveApiVersion(futureVersions, context.requestHeader);
          context.values.set(apiVersionKey, version);
        },
        interceptors: [createApiVersionInterceptor(futureVersions)],
      },
    },
  );
  const client = createClient(VerifyService, transport);

  test.each([
    ["2026-06-15", "six: 6", Status.EXPIRED],
    ["2027-03-01", "eight: 8", Status.LOCKED],
    ["2027-09-01", "nine: 9", Status.LOCKED],
    [undefined, "nine: 9", Status.LOCKED],
  ])("a client of %s is served as before", async (version, id, status) => {
    const options = { headers: version === undefined ? {} : { "Byond-Version": version } };
    expect((await client.startVerification({}, options)).verificationId).toBe(id);
    expect((await client.checkVerification({}, options)).status).toBe(status);
  });

  test("a value in the request is kept", async () => {
    const options = { headers: { "Byond-Version": "2026-06-15" } };
    expect((await client.startVerification({ codeLength: 5 }, options)).verificationId).toBe("six: 5");
  });
});
