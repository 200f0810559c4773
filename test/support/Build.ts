import { buildIfStale, installIfStale } from "../../scripts/fresh.mjs"
import { providePostgres } from "./PostgresPrograms.ts"
import { fetchWeights } from "./Weights.ts"

/** Tests that start the program start the one the sources say, and listen with a model that is there. */
export const setup = async (): Promise<void> => {
  installIfStale()
  providePostgres()
  buildIfStale()
  await fetchWeights()
}
