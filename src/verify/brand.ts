const maxLength = 40;
const forbidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;
/** A scheme, `www.`, or a host name with a path or a port. A bare `Booking.com` is a name like any other. */
const webAddress = /:\/\/|\bwww\.|\.[\p{L}]{2,}[/:]/iu;

/** What is wrong with a brand, in the house's words; undefined if nothing. Its length is checked elsewhere. */
export function brandProblem(brand: string): string | undefined {
  if (forbidden.test(brand)) {
    return "must not contain control characters";
  }
  if (webAddress.test(brand)) {
    return "must not contain a web address";
  }
  return brand.trim() === "" ? "must not be blank" : undefined;
}

const partsOfWebAddresses = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\s:/]+|\bwww\./giu;

/**
 * The brand of a message whose caller gave none: the account's name. It may be longer than a brand, and anything: what a
 * brand must not contain is left out of it.
 */
export function brandOfAccount(name: string): string {
  const isBrand = brandProblem(name) === undefined;
  const text = isBrand ? name : name.replace(partsOfWebAddresses, " ").replace(/ {2,}/g, " ");
  const brand = [...text.trim()].slice(0, maxLength).join("").trim();
  return brand === "" ? "Byond" : brand;
}
