/** A module with what is used once put where it is used. */
export declare const inlined: (code: string) => string
