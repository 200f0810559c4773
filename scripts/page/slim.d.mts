/** The pieces of a template without what nobody sees. */
export declare const slimMarkup: (
  pieces: ReadonlyArray<string>,
  kind?: "html" | "svg"
) => ReadonlyArray<string>
