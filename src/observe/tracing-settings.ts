import type { EnvironmentReader } from "../config/environment-reader.ts";
import { readSettingFile } from "../config/read-setting-file.ts";
import { type SettingNames, settingGroup } from "../config/setting-group.ts";

/** The names are those of OpenTelemetry, and so are their meanings and defaults. */
export const tracingSettings = settingGroup("Traces", {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    default: "none",
    meaning:
      "Base URL of a collector of OpenTelemetry: `http://collector:4318`. Traces go to `/v1/traces` below it, or to the URL in `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` as it is; the form for traces of each setting of the exporter takes precedence. Unset: no traces ([what they hold](docs/guides/tracing.md)).",
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    default: "`http/protobuf`",
    meaning: "`http/protobuf` or `http/json`.",
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    default: "none",
    meaning: "Headers for the collector, such as its token: `key=value,key2=value2`, values percent-encoded.",
    isSecret: true,
  },
  OTEL_EXPORTER_OTLP_TIMEOUT: {
    default: "`10000`",
    meaning: "Milliseconds, up to 60000, that sending a batch may take, repetitions included.",
  },
  OTEL_EXPORTER_OTLP_COMPRESSION: { default: "`none`", meaning: "`gzip` or `none`." },
  OTEL_EXPORTER_OTLP_CERTIFICATE: {
    default: "the authorities that Node trusts",
    meaning: "Path of a PEM file with the authorities that the collector's certificate is verified by.",
  },
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: {
    default: "none",
    meaning: "Path of a PEM file with the server's own certificate for the collector.",
  },
  OTEL_EXPORTER_OTLP_CLIENT_KEY: { default: "none", meaning: "Path of a PEM file with the key of that certificate." },
  OTEL_SERVICE_NAME: {
    default: "`byond`",
    meaning: "`service.name` of the traces. It takes precedence over one in `OTEL_RESOURCE_ATTRIBUTES`.",
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    default: "none",
    meaning:
      "Attributes of the server: `deployment.environment.name=production`, several comma-separated, values percent-encoded. They take precedence over the server's own, such as `service.instance.id`.",
  },
  OTEL_TRACES_SAMPLER: {
    default: "`parentbased_always_on`",
    meaning:
      "Which traces are sent: `always_on`, `always_off`, `traceidratio`, or `parentbased_` and one of them, which does as the client's `traceparent` says if there is one.",
  },
  OTEL_TRACES_SAMPLER_ARG: { default: "`1`", meaning: "The share of traces that `traceidratio` sends, from 0 to 1." },
  OTEL_PROPAGATORS: {
    default: "`tracecontext`",
    meaning: "`none`: the `traceparent` of requests is ignored. Others than `tracecontext` have no effect.",
  },
  OTEL_BSP_SCHEDULE_DELAY: { default: "`5000`", meaning: "Milliseconds until a batch of spans is sent." },
  OTEL_BSP_MAX_QUEUE_SIZE: {
    default: "`2048`",
    meaning: "Spans that wait at most, up to 65536, in each process. Others are dropped.",
  },
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: { default: "`512`", meaning: "Spans of a batch at most." },
  OTEL_SDK_DISABLED: {
    default: "`false`",
    meaning:
      "`true`: no traces, whatever else is set. So it is with `OTEL_TRACES_EXPORTER=none`; `otlp` is the only other value.",
  },
});

/** Where traces go, and which. */
export interface TracingSettings {
  /** Of the collector, complete. */
  readonly url: string;
  readonly protocol: "http/protobuf" | "http/json";
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly compression: "gzip" | "none";
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: { readonly name: SamplerName; readonly isParentBased: boolean; readonly ratio: number };
  /** Whether the trace of the client is continued. */
  readonly continuesTraces: boolean;
  readonly batch: { readonly delayMs: number; readonly maxQueueSize: number; readonly maxBatchSize: number };
}

type SamplerName = "always_on" | "always_off" | "traceidratio";
type Reader = EnvironmentReader<SettingNames<typeof tracingSettings>>;
type ExporterSetting = "ENDPOINT" | "PROTOCOL" | "HEADERS" | "TIMEOUT" | "COMPRESSION";

const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/** Undefined: the server sends no traces. */
export function readTracing(reader: Reader): TracingSettings | undefined {
  const isDisabled = reader.text("OTEL_SDK_DISABLED")?.toLowerCase() === "true";
  const exporter = reader.foreign("OTEL_TRACES_EXPORTER") ?? "otlp";
  const url = isDisabled || exporter === "none" ? undefined : readUrl(reader);
  if (url === undefined) {
    return undefined;
  }
  if (exporter !== "otlp") {
    reader.problems.push(`OTEL_TRACES_EXPORTER must be one of: otlp, none, not "${exporter}"`);
  }
  const serviceName = reader.text("OTEL_SERVICE_NAME");
  const sampler = reader.choice("OTEL_TRACES_SAMPLER", samplers, "parentbased_always_on");
  const maxQueueSize = reader.integer("OTEL_BSP_MAX_QUEUE_SIZE", { default: 2_048, min: 1, max: 65_536 });
  return {
    url,
    protocol: choiceOf(reader, "PROTOCOL", ["http/protobuf", "http/json"]),
    headers: pairsOf(reader, "OTEL_EXPORTER_OTLP_HEADERS", exporterText(reader, "HEADERS")),
    timeoutMs: readTimeout(reader),
    compression: choiceOf(reader, "COMPRESSION", ["none", "gzip"]),
    tls: readTls(reader),
    resourceAttributes: {
      "service.name": "byond",
      ...pairsOf(reader, "OTEL_RESOURCE_ATTRIBUTES", reader.text("OTEL_RESOURCE_ATTRIBUTES")),
      ...(serviceName && { "service.name": serviceName }),
    },
    sampler: {
      name: samplerNameOf(sampler),
      isParentBased: sampler.startsWith("parentbased_"),
      ratio: readRatio(reader),
    },
    continuesTraces: reader.text("OTEL_PROPAGATORS")?.toLowerCase() !== "none",
    batch: {
      delayMs: reader.integer("OTEL_BSP_SCHEDULE_DELAY", { default: 5_000, min: 1, max: 60_000 }),
      maxQueueSize,
      maxBatchSize: Math.min(
        maxQueueSize,
        reader.integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", { default: 512, min: 1, max: 65_536 }),
      ),
    },
  };
}

/** A setting of the exporter: its form for traces, or else the one for all signals. */
function exporterText(reader: Reader, setting: ExporterSetting): string | undefined {
  return reader.foreign(`OTEL_EXPORTER_OTLP_TRACES_${setting}`) ?? reader.text(`OTEL_EXPORTER_OTLP_${setting}`);
}

function readUrl(reader: Reader): string | undefined {
  const exact = reader.foreign("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = reader.text("OTEL_EXPORTER_OTLP_ENDPOINT");
  const url = exact ?? base;
  if (url !== undefined && (!/^https?:\/\//i.test(url) || !URL.canParse(url))) {
    const name = exact === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    reader.problems.push(`${name} must be a URL that begins with http:// or https://`);
  }
  return exact ?? base?.replace(/\/*$/, "/v1/traces");
}

function choiceOf<const T extends string>(
  reader: Reader,
  setting: ExporterSetting,
  choices: readonly [T, ...(readonly T[])],
): T {
  const text = exporterText(reader, setting) ?? choices[0];
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    reader.problems.push(`OTEL_EXPORTER_OTLP_${setting} must be one of: ${choices.join(", ")}, not "${text}"`);
  }
  return choice ?? choices[0];
}

/** `key=value` pairs, as in the header Baggage of W3C. Problems do not repeat them: they may hold a token. */
function pairsOf(reader: Reader, name: string, text: string | undefined): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of (text ?? "").split(",").filter((part) => part.trim() !== "")) {
    const [key, ...rest] = pair.split("=");
    const value = decoded(rest.join("=").trim());
    if (!key?.trim() || rest.length === 0 || value === undefined) {
      reader.problems.push(`${name} must be comma-separated pairs key=value, with values percent-encoded`);
      return {};
    }
    pairs[key.trim()] = value;
  }
  return pairs;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function readTimeout(reader: Reader): number {
  const text = exporterText(reader, "TIMEOUT") ?? "10000";
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 60_000) {
    reader.problems.push(`OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number between 1 and 60000, not "${text}"`);
  }
  return Number(text);
}

function readTls(reader: Reader): TracingSettings["tls"] {
  const client = reader.group(["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"]);
  const ca = reader.text("OTEL_EXPORTER_OTLP_CERTIFICATE");
  return {
    ...(ca === undefined ? {} : { ca: readPem(reader, "OTEL_EXPORTER_OTLP_CERTIFICATE", ca) }),
    ...(client && {
      cert: readPem(reader, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", client.OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE),
      key: readPem(reader, "OTEL_EXPORTER_OTLP_CLIENT_KEY", client.OTEL_EXPORTER_OTLP_CLIENT_KEY),
    }),
  };
}

function readPem(reader: Reader, name: string, path: string): Buffer {
  try {
    return readSettingFile(path);
  } catch (error) {
    reader.problems.push(`${name} cannot be read: ${error instanceof Error ? error.message : error}`);
    return Buffer.alloc(0);
  }
}

function samplerNameOf(sampler: (typeof samplers)[number]): SamplerName {
  if (sampler.endsWith("traceidratio")) {
    return "traceidratio";
  }
  return sampler.endsWith("always_off") ? "always_off" : "always_on";
}

function readRatio(reader: Reader): number {
  const text = reader.text("OTEL_TRACES_SAMPLER_ARG") ?? "1";
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) {
    reader.problems.push(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "${text}"`);
  }
  return ratio;
}
