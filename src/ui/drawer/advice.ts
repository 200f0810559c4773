/** What to do about an error, by who is to blame and its status. */
export const advice = (source: string | null, status: number | null): string => {
  const isTheirs = source === "upstream"
  if (isTheirs && status === 401) return "The provider refuses Percept's key: set a valid one."
  if (isTheirs && (status === 429 || (status ?? 0) >= 500)) return "Try again later, or route it elsewhere."
  if (source === "router") return "Percept's own fault: see its log for this id."
  return OWN[isTheirs ? 0 : (status ?? 0)] ?? "The message says why."
}

const OWN: { readonly [status: number]: string } = {
  401: "Send a key of this router: Authorization: Bearer …",
  404: "Ask for one of /v1/models, or map it (MODEL_MAP).",
  422: "A medium could not be had: see below.",
  429: "Wait as long as Retry-After says.",
  499: "The client hung up: look at its timeout."
}
