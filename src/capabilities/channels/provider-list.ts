import { type Dsn, parseDsn } from "./dsn.ts";
import type { ProviderChannel, ProviderConfiguration, ProviderContext, ProviderKind } from "./provider-kind.ts";
import { providerKinds } from "./provider-kinds.ts";

/** A provider as the settings have it. */
export interface ConfiguredProvider extends ProviderConfiguration {
  readonly name: string;
  readonly kind: ProviderKind;
  readonly channel: ProviderChannel;
  /** Messages that a server sends over it at the same time. */
  readonly concurrency: number;
}

const defaultConcurrency = 20;

/** Reads a list of DSNs, separated by white space or commas. What is wrong with it joins `problems`, without secrets. */
export function readProviderList(text: string, context: ProviderContext, problems: string[]): ConfiguredProvider[] {
  const dsns = text.split(/[\s,]+/).filter((dsn) => dsn !== "");
  const providers = dsns.flatMap((dsn, index) => {
    try {
      return [readProvider(dsn, context)];
    } catch (error) {
      if (!(error instanceof TypeError)) {
        throw error;
      }
      problems.push(dsns.length === 1 ? error.message : `of provider ${index + 1}, ${error.message}`);
      return [];
    }
  });
  const names = providers.map(({ name }) => name);
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    problems.push(`it has two providers called ${name}: give one another name with ?name=`);
  }
  return providers;
}

function readProvider(text: string, context: ProviderContext): ConfiguredProvider {
  const dsn = parseDsn(text);
  const kind = providerKinds.find(({ schemes }) => schemes.includes(dsn.scheme));
  if (kind?.channels.includes(context.channel) !== true) {
    throw new TypeError(`its scheme must be one of ${schemesOf(context.channel).join(", ")}`);
  }
  const common = readCommon(dsn);
  const configuration = kind.configure(dsn, context);
  if (kind.isWebAddress !== true) {
    dsn.parameters.refuseOthers();
  }
  return {
    ...configuration,
    name: common.name ?? kind.name,
    kind,
    channel: context.channel,
    concurrency: common.concurrency ?? configuration.concurrency ?? defaultConcurrency,
  };
}

function readCommon({ parameters }: Dsn) {
  return {
    name: parameters.takeForm("name", /^[a-z][a-z0-9-]{0,31}$/, "lower-case letters, digits and hyphens"),
    concurrency: parameters.takeInteger("concurrency", { min: 1, max: 1_000 }),
  };
}

function schemesOf(channel: ProviderChannel): string[] {
  return providerKinds.filter(({ channels }) => channels.includes(channel)).flatMap(({ schemes }) => schemes);
}
