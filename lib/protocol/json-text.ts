/** A JSON document as the text that it came as: numbers of any size, doubled keys, spaces and all. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
