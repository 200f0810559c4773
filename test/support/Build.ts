import { buildIfStale, installIfStale } from "../../scripts/fresh.mjs"
import { fetchWeights } from "./Weights.ts"

/** Tests that start the program start the one the sources say, and listen with a model that is there. */
export const setup = async (): Promise<void> => {
  installIfStale()
  buildIfStale()
  await fetchWeights()
}
