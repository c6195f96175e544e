/** A value of `/metrics`. */
export interface Sample {
  readonly series: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads `/metrics` of a server. */
export async function metricsOf({ url }: { readonly url: string }): Promise<Sample[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Array.from(text.matchAll(/^([a-z_]+)(\{.*\})? (\S+)$/gm), ([line, name = "", labels = "", value]) => ({
    series: line.slice(0, line.lastIndexOf(" ")),
    name,
    labels: Object.fromEntries(
      Array.from(labels.matchAll(/(\w+)="([^"]*)"/g), ([, key = "", text = ""]) => [key, text]),
    ),
    value: Number(value),
  }));
}
