/** What to do about an error, by who is to blame and its status. */
export const advice = (source: string | null, status: number | null): string => {
  const isTheirs = source === "upstream"
  if (isTheirs && status === 401) return "The provider refuses Percept's key: set a valid one and restart."
  if (isTheirs && (status === 429 || (status ?? 0) >= 500))
    return "Send it again later, or route the model elsewhere."
  if (source === "router") return "This is Percept's own fault; its log has the details under this id."
  return OWN.get(isTheirs ? null : status) ?? "The request was not taken; the message says why."
}

const OWN: ReadonlyMap<number | null, string> = new Map([
  [401, "Send a key of this router: Authorization: Bearer …"],
  [404, "Ask for a model of /v1/models, or map the name (MODEL_MAP)."],
  [422, "A medium could not be had: see below which, and why."],
  [429, "Wait as long as the answer's Retry-After says."],
  [499, "The client hung up before the end. Look at its timeout."]
])
