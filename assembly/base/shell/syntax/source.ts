/** Where a script's text comes from: all of it at once, or line by line from a stream that its commands read, too. */
export class Source {
  constructor(
    public text: string,
    /** Of the text's first character. */
    public line: i32,
  ) {}

  /** Appends more to `text`; false at the end. */
  more(): bool {
    return false;
  }
}
