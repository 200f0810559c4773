/** Gzips as small as it gets. */
export declare const gzipBest: (bytes: Uint8Array) => Uint8Array
