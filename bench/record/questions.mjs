/** What is asked of the record, and how long an answer may take at the 95th percentile. */

/** A few pages of addresses for each kind, so that no answer is asked for twice in a row. */
const filters = [
  "",
  "model=openai%2Fgpt-5-mini",
  "model=nous%2Fhermes-4",
  "routed=minimax%2Fminimax-m2",
  "provider=ollama",
  "endpoint=%2Fv1%2Fcompletions",
  "status=5xx",
  "status=404",
  "source=router",
  "media=video",
  "state=interrupted",
  "state=cancelled",
  "key=key_team",
  "key=(none)",
  "stream=false",
  "kind=describe",
  "ip=10.0.3.7",
  "min_cost=0.02",
  "min_ms=30000",
  "cache=hit",
  "model=openai%2Fgpt-5-mini&state=failed&stream=true",
  "range=24h&status=4xx",
  "range=30d&key=key_alice&media=image"
]

const words = [
  "lighthouse",
  "tungsten",
  "haiku about rivers",
  "quarterly report",
  "rate limit",
  "no-such-words"
]

export const kinds = [
  {
    name: "list, any filter",
    goal: 10,
    paths: filters.map((filter) => `/ui/tracking_data?${filter}`)
  },
  {
    name: "list, sorted by cost",
    goal: 10,
    paths: ["", "range=30d", "provider=ollama", "key=key_bob&status=5xx"].map(
      (filter) => `/ui/tracking_data?sort_by=cost_usd&${filter}`
    )
  },
  ...["stats", "facets", "series"].flatMap((name) =>
    ["24h", "30d"].map((range) => ({
      name: `${name}, ${range}`,
      goal: 50,
      paths: ["", "&provider=openrouter", "&state=failed", "&key=key_alice&stream=true"].map(
        (filter) => `/ui/tracking_${name}?range=${range}${filter}`
      )
    }))
  ),
  {
    name: "search",
    goal: 100,
    paths: [...words, "gen-500000", "zephyr&range=30d", "velvet&provider=openai"].map(
      (word) => `/ui/tracking_data?q=${word.replaceAll(" ", "%20")}`
    )
  }
]
