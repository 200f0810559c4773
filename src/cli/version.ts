export { version } from "../services/version.ts"
