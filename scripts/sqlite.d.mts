import type Sqlite from "better-sqlite3"

export declare const driver: "better-sqlite3" | "better-sqlite3-next"
export declare const sqlite: () => typeof Sqlite
