/** A JSON document as it was received: with numbers of any size, duplicate keys and white space. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
