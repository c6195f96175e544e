import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/app.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const tracingOf = (environment: Record<string, string>) => parseConfig(environment).tracing;

describe("settings of OpenTelemetry", () => {
  test("without a collector there are no traces, whatever else is set", () => {
    expect(tracingOf({})).toBeUndefined();
    expect(tracingOf({ OTEL_SERVICE_NAME: "codes", OTEL_TRACES_SAMPLER: "always_on" })).toBeUndefined();
    expect(tracingOf({ ...endpoint, OTEL_SDK_DISABLED: "true" })).toBeUndefined();
    expect(tracingOf({ ...endpoint, OTEL_TRACES_EXPORTER: "none" })).toBeUndefined();
    const mistakes = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_TRACES_SAMPLER_ARG: "2",
    };
    expect(tracingOf({ ...mistakes, OTEL_SDK_DISABLED: "True", OTEL_TRACES_EXPORTER: "console" })).toBeUndefined();
    expect(tracingOf({ ...mistakes, OTEL_TRACES_EXPORTER: "none" })).toBeUndefined();
    expect(tracingOf({ OTEL_TRACES_EXPORTER: "zipkin" })).toBeUndefined();
  });

  test("have OpenTelemetry's defaults", () => {
    expect(tracingOf(endpoint)).toEqual({
      url: "http://collector:4318/v1/traces",
      protocol: "http/protobuf",
      headers: {},
      timeoutMs: 10_000,
      compression: "none",
      tls: {},
      resourceAttributes: { "service.name": "byond" },
      sampler: { name: "always_on", isParentBased: true, ratio: 1 },
      continuesTraces: true,
      batch: { delayMs: 5_000, maxQueueSize: 2_048, maxBatchSize: 512 },
    });
  });

  test("for traces take precedence over those for all signals, and name the whole URL", () => {
    expect(
      tracingOf({
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/base/",
        OTEL_EXPORTER_OTLP_HEADERS: "a=1",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: "api-key=s%3Dcret%2C1, b = 2",
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "500",
      }),
    ).toMatchObject({
      url: "http://collector:4318/base/v1/traces",
      headers: { "api-key": "s=cret,1", b: "2" },
      protocol: "http/json",
      timeoutMs: 500,
    });
    expect(tracingOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example/ingest" })?.url).toBe(
      "https://traces.example/ingest",
    );
  });

  test("service.name is OTEL_SERVICE_NAME, or else in the attributes of the server, or else byond", () => {
    const attributes = "service.name=codes,service.instance.id=one,deployment.environment.name=production";
    const attributesOf = (environment: Record<string, string>) =>
      tracingOf({ ...endpoint, ...environment })?.resourceAttributes;
    const given = {
      "service.name": "codes",
      "service.instance.id": "one",
      "deployment.environment.name": "production",
    };
    expect(attributesOf({ OTEL_RESOURCE_ATTRIBUTES: attributes })).toEqual(given);
    expect(attributesOf({ OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: "verify" })).toEqual({
      ...given,
      "service.name": "verify",
    });
  });

  test.each([
    [
      { ...endpoint, OTEL_TRACES_EXPORTER: "console" },
      'OTEL_TRACES_EXPORTER must be one of: otlp, none, not "console"',
    ],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: "otlp,console" }, "OTEL_TRACES_EXPORTER must be one of: otlp, none"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL"],
    [
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      "OTEL_EXPORTER_OTLP_PROTOCOL must be one of: http/protobuf, http/json",
    ],
    [
      { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: "hidden-token" },
      "OTEL_EXPORTER_OTLP_HEADERS must be comma-separated pairs",
    ],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, "OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number"],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: "some" }, "OTEL_TRACES_SAMPLER must be one of"],
    [{ ...endpoint, OTEL_TRACES_SAMPLER_ARG: "2" }, "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1"],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere.pem" }, "OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read"],
    [
      { OTEL_EXPORTER_OTLP_ENDPIONT: "http://x" },
      "OTEL_EXPORTER_OTLP_ENDPIONT is not a setting: rename it to OTEL_EXPORTER_OTLP_ENDPOINT",
    ],
  ])("a mistake keeps the server from starting: %j", (environment, problem) => {
    expect(() => parseConfig(environment)).toThrow(problem);
    expect(() => parseConfig(environment)).not.toThrow("hidden-token");
  });

  test("other standard variables are nobody's mistake", () => {
    const others = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://x",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_LOGS_EXPORTER: "none",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "a=b",
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "10",
      OTEL_BSP_EXPORT_TIMEOUT: "100",
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_LOG_LEVEL: "info",
    };
    expect(tracingOf({ ...endpoint, ...others })).toEqual(tracingOf(endpoint));
  });
});

test("one file refers to the SDK, and it is loaded by one that does so only when there is a collector", async () => {
  const root = join(import.meta.dirname, "../..");
  const ofSdk: string[] = [];
  const loading: string[] = [];
  for await (const path of glob("src/**/*.{ts,tsx}", { cwd: root })) {
    const source = await readFile(join(root, path), "utf8");
    if (/(from|import\()\s*"@opentelemetry\//.test(source)) {
      ofSdk.push(path);
    }
    if (/"[./]*open-telemetry\.ts"/.test(source)) {
      loading.push(path);
      expect(source).toContain('await import("./open-telemetry.ts")');
      expect(source).not.toMatch(/from "[./]*open-telemetry\.ts"/);
    }
  }
  expect(ofSdk).toEqual(["src/observe/open-telemetry.ts"]);
  expect(loading).toEqual(["src/observe/start-tracing.ts"]);
});
