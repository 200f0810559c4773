export declare const MOST: { readonly all: number; readonly first: number }
