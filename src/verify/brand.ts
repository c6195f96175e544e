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
