/** What `read_package.py` prints. */
export interface PackageData {
  /** The main region of each calling code first. */
  readonly regionsOfCallingCode: Readonly<Record<string, readonly string[]>>;
  readonly regions: Readonly<Record<string, Plan>>;
  /** The plans of calling codes that no region has, such as 800. */
  readonly international: Readonly<Record<string, Plan>>;
  /** The calling codes whose mobile numbers belong to places. */
  readonly geographicMobile: readonly string[];
  /** What stands before the area code of mobile numbers, by calling code. */
  readonly mobileTokens: Readonly<Record<string, string>>;
  /** By the beginning of a number in E.164 form, without the plus. The longest one counts. */
  readonly timezones: Readonly<Record<string, readonly string[]>>;
  readonly locations: Readonly<Record<string, string>>;
  readonly carriers: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly callingCode: string;
  readonly internationalPrefix: string | null;
  readonly preferredInternationalPrefix: string | null;
  readonly nationalPrefix: string | null;
  readonly nationalPrefixForParsing: string | null;
  readonly nationalPrefixTransformRule: string | null;
  readonly extensionPrefix: string | null;
  readonly leadingDigits: string | null;
  readonly general: NumberDescription;
  /** In the order of libphonenumber-js: fixed line and mobile are the first two. */
  readonly types: readonly (NumberDescription | null)[];
  readonly formats: readonly NumberFormat[];
  /** Empty: all formats are also the international ones. Otherwise formats that are missing here are for use within the region only. */
  readonly internationalFormats: readonly NumberFormat[];
}

export interface NumberDescription {
  readonly pattern: string;
  readonly lengths: readonly number[];
  /** Lengths of numbers that can be dialled within an area only. */
  readonly localLengths: readonly number[];
  readonly example: string | null;
}

export interface NumberFormat {
  readonly pattern: string;
  /** With `\1` for the first group. */
  readonly format: string;
  readonly leadingDigits: readonly string[];
  readonly nationalPrefixRule: string | null;
  readonly nationalPrefixIsOptional: boolean;
}
