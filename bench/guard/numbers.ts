/** Numbers for the traffic of the simulation. An `x` stands for any digit. */

/** The mobile numbers of the country where most users are: those that come first have the most. */
export const home: readonly string[] = [
  "+491512xxxxxxx",
  "+491605xxxxxx",
  "+491701xxxxxx",
  "+491755xxxxxx",
  "+491762xxxxxxx",
  "+491573xxxxxxx",
  "+491520xxxxxxx",
  "+491783xxxxxx",
  "+491590xxxxxxx",
];

export const abroad: readonly string[] = [
  "+436641xxxxxx",
  "+4179123xxxx",
  "+31612xxxxxx",
  "+33612xxxxxx",
  "+447946xxxxxx",
  "+346123xxxxx",
  "+393331xxxxxx",
  "+1202555xxxx",
  "+1415555xxxx",
  "+6591xxxxxx",
  "+8525123xxxx",
  "+48501xxxxxx",
];

/** A country that a campaign goes to. */
export const newCountry: readonly string[] = ["+48601xxxxxx", "+48691xxxxxx", "+48501xxxxxx", "+48781xxxxxx"];

/** A range whose operator shares what messages cost. */
export const oneRange: readonly string[] = ["+9929381xxxxx"];

export const manyRangesOfOneCountry: readonly string[] = Array.from(
  { length: 80 },
  (_, index) => `+6281${20 + index}xxxxxxx`,
);

export const manyCountries: readonly string[] = [
  "+992935xxxxxx",
  "+994502xxxxxx",
  "+996555xxxxxx",
  "+998901xxxxxx",
  "+8801712xxxxxx",
  "+94711xxxxxx",
  "+923001xxxxxx",
  "+95942xxxxxxx",
  "+6281212xxxxxx",
  "+639171xxxxxx",
  "+84912xxxxxx",
  "+251911xxxxxx",
  "+2348031xxxxxx",
  "+22507071xxxxx",
  "+22670xxxxxx",
  "+22177123xxxx",
  "+21620xxxxxx",
  "+21355123xxxx",
  "+21261123xxxx",
  "+24991123xxxx",
  "+26377123xxxx",
  "+26097123xxxx",
  "+25575123xxxx",
  "+25677123xxxx",
  "+25471123xxxx",
  "+26132123xxxx",
  "+24381123xxxx",
  "+24206612xxxx",
  "+23767123xxxx",
  "+23324123xxxx",
  "+97059912xxxx",
  "+96477012xxxxx",
  "+96771123xxxx",
  "+96171xxxxxx",
  "+96393123xxxx",
  "+59399123xxxx",
  "+59171xxxxxx",
  "+5093712xxxx",
  "+5025512xxxx",
  "+5037123xxxx",
];

let made = 0;

/** A number that was not made before, unless the pattern is one. */
export function numberOf(pattern: string): string {
  made += 1;
  const begins = pattern.replaceAll("x", "");
  const digits = pattern.length - begins.length;
  return digits === 0 ? pattern : begins + String((made * 7_919) % 10 ** digits).padStart(digits, "0");
}
