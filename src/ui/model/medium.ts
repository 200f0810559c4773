export type MediumKind = "image" | "video" | "audio"

/** The kind of medium that a word names; undefined where it names none. */
export const mediumOf = (word: string | undefined): MediumKind | undefined =>
  word === "image" || word === "video" || word === "audio" ? word : undefined
