/** What a reader answers instead of a value that it refuses. The message is the violation's. */
export class Refusal {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const notAString = new Refusal("must be a string");
export const notAnInteger = new Refusal("must be an integer");
export const notANumber = new Refusal("must be a number");
export const notABoolean = new Refusal("must be true or false");
export const notAnObject = new Refusal("must be an object");
export const notAList = new Refusal("must be a list");
export const notUnicode = new Refusal("must be valid Unicode text");
export const containsNul = new Refusal("must not contain the character U+0000");
export const notBase64 = new Refusal("must be base64");
export const isRepeated = new Refusal("must be given once");
