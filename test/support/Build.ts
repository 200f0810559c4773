import { buildIfStale, installIfStale } from "../../scripts/fresh.mjs"

/** Tests that start the program start the one the sources say. */
export const setup = (): void => {
  installIfStale()
  buildIfStale()
}
