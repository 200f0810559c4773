import type { TestProject } from "vitest/node"
import { buildIfStale, installIfStale } from "../../scripts/fresh.mjs"
import { provideBrowser } from "./BrowserPrograms.ts"
import { lendPostgres } from "./PostgresLender.ts"
import { providePostgres } from "./PostgresPrograms.ts"
import { fetchWeights } from "./Weights.ts"

/** Tests that start the program start the one the sources say, and listen with a model that is there. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  installIfStale()
  providePostgres()
  provideBrowser()
  buildIfStale()
  await fetchWeights()
  const postgres = await lendPostgres()
  project.provide("postgres", postgres.url)
  return postgres.close
}
