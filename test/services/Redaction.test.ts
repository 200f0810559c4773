import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fc from "effect/FastCheck"
import { createHash, randomBytes } from "node:crypto"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { Redaction } from "../../src/services/tracking/Redaction.ts"
import { jsonObject } from "../domain/JsonText.ts"

const OURS = {
  plain: "canary-4711-key",
  odd: 'can"ary\\kéy-0815',
  digits: "4711081547",
  upstream: "canary-upstream-9921"
}

const redaction = (env: { readonly [name: string]: string } = {}): Redaction =>
  Effect.runSync(
    Redaction.pipe(Effect.provide(Redaction.Default.pipe(Layer.provide(AppConfig.layer(env)))), Effect.orDie)
  )

const usual = redaction({
  API_KEYS: [OURS.plain, OURS.odd, OURS.digits].join(","),
  OPENROUTER_API_KEY: OURS.upstream
})

const { json, scrub, text } = usual

describe("a secret of the operator", () => {
  const secrets = {
    OPENAI_API_KEY: "canary-openai-01",
    HUGGINGFACE_API_TOKEN: "canary-face-02",
    UPSTREAM_API_KEY: "canary-upstream-03",
    DATABASE_URL: "postgresql://percept:canary-database-04@localhost/percept"
  }
  for (const [name, value] of Object.entries(secrets))
    it(`is never kept: ${name}`, () => {
      const secret = /canary[\w-]+/.exec(value)?.[0] ?? ""
      const { json, scrub } = redaction({ [name]: value })
      assert.notInclude(scrub(`the key ${secret} was refused`), secret)
      assert.notInclude(json(JSON.stringify({ content: `I know ${secret}` })), secret)
    })
})

/** Everything a stored JSON text says, keys and values, with its escapes undone. */
const saidBy = (stored: string): string => {
  assert.notMatch(stored, /[\r\n]/)
  const said: Array<string> = []
  JSON.parse(stored, (key, value: unknown) => {
    if (typeof value === "string") said.push(value)
    said.push(key)
    return value
  })
  return `${stored}\n${said.join("\n")}`
}

const chat = (content: unknown, rest: object = {}) => ({
  model: "a/b",
  messages: [{ role: "user", content, ...rest }]
})

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex")

const mark = (mime: string, bytes: Buffer) => ({ mime, bytes: bytes.length, sha256: sha256(bytes) })

const SHORT = Buffer.from("short bytes of a picture, no more")
const LONG = randomBytes(3000)

/** What must not be kept: a text, and the part of it that gives it away. */
const secrets: ReadonlyArray<readonly [name: string, text: string, canary: string]> = [
  ["a client's key of ours", OURS.plain, OURS.plain],
  ["a key with quotes, backslashes and accents", OURS.odd, OURS.odd],
  ["a key of digits", OURS.digits, OURS.digits],
  ["the provider's key", OURS.upstream, OURS.upstream],
  ["a key in the middle of a word", `x${OURS.plain}y`, OURS.plain],
  ["an OpenAI key", "sk-proj-Zq81canary_WmX0pL5rT", "canary"],
  ["an OpenRouter key", "sk-or-v1-0123456789canary0123456789", "canary"],
  ["a Hugging Face token", "hf_canaryABCDEFGHIJKLMNOP", "canary"],
  ["a Groq key", "gsk_canaryABCDEFGHIJKLMNOP", "canary"],
  ["an xAI key", "xai-canaryABCDEFGHIJKLMNOP", "canary"],
  ["a Google key", "AIzacanary-BCDEFGHIJKLMNOPQRSTUV", "canary"],
  ["a bearer token", "Authorization: Bearer canary0123456789.abc_def", "canary"],
  ["a bearer token in lower case", "authorization: bearer canary0123456789", "canary"],
  ["basic credentials", "Authorization: Basic Y2FuYXJ5OmNhbmFyeQ==", "Y2FuYXJ5"],
  [
    "a web token",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl-of_it",
    "eyJzdWIiOiJjYW5hcnkifQ"
  ],
  [
    "a web token without a signature",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.",
    "eyJzdWIiOiJjYW5hcnkifQ"
  ],
  ["a password in a link", "https://me:canary@example.com/a.png", "canary"],
  ["a password with an at sign in a link", "https://me:p@canary@example.com/a.png", "canary"],
  ["a user alone in a link", "https://canary@example.com/", "canary"],
  ["a password in a database's address", "postgresql://me:canary@db.example.com:5432/x", "canary"],
  ...[
    ...["key", "api_key", "apikey", "token", "access_token", "auth", "password", "passwd", "pwd", "secret"],
    ...["client_secret", "sig", "signature", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"],
    ...["X-Goog-Signature", "session.token", "KEY"]
  ].flatMap((name): ReadonlyArray<readonly [string, string, string]> => [
    [`the parameter ${name}`, `https://example.com/a.mp4?${name}=canary`, "canary"],
    [
      `the parameter ${name} among others`,
      `see https://example.com/a.mp4?v=1&${name}=canary&w=2, please`,
      "canary"
    ]
  ]),
  ["a parameter in a fragment", "https://example.com/back#access_token=canary&state=1", "canary"],
  ["a parameter in HTML", "https://example.com/a.mp4?v=1&amp;token=canary", "canary"]
]

/** The same words as clients of other languages write them. */
const spellings: ReadonlyArray<readonly [name: string, spell: (value: unknown) => string]> = [
  ["JavaScript", (value) => JSON.stringify(value)],
  ["pretty-printed", (value) => JSON.stringify(value, null, 2)],
  ["PHP", (value) => JSON.stringify(value).replaceAll("/", "\\/")],
  ["Go", (value) => JSON.stringify(value).replace(/[<>&]/g, (letter) => unicode(letter))],
  ["Python", (value) => JSON.stringify(value).replace(/[^\0-~]/g, (letter) => unicode(letter))]
]

const unicode = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`

describe("a secret", () => {
  for (const [name, secret, canary] of secrets) {
    const sentence = `Look at this: ${secret} and say what it is.`

    it(`is not kept: ${name}`, () => {
      assert.notInclude(scrub(sentence), canary)
      assert.notInclude(saidBy(text(sentence)), canary)
      assert.include(scrub(sentence), "[redacted]")
    })

    it(`is not kept in a request: ${name}`, () => {
      for (const [client, spell] of spellings)
        for (const body of [
          chat(sentence),
          chat([{ type: "text", text: sentence }]),
          chat([{ type: "image_url", image_url: { url: secret } }]),
          chat("", { tool_calls: [{ function: { arguments: JSON.stringify({ url: sentence }) } }] }),
          { [secret]: 1, messages: [] }
        ]) {
          const spelled = spell(body)
          const kept = json(spelled)
          assert.notInclude(saidBy(kept), canary, client)
        }
    })
  }

  it("is not kept where its beginning is all that fits", () => {
    const small = redaction({ API_KEYS: OURS.plain, LOG_BODY_KB: "4" })
    const most = OURS.plain.slice(0, -1)
    for (let before = 4096 - OURS.plain.length; before <= 4096; before++) {
      const long = ".".repeat(before) + OURS.plain + " and on".repeat(2000)
      assert.notInclude(small.text(long), most)
      assert.notInclude(small.json(JSON.stringify(chat(long))), most)
    }
  })

  it("of three letters is no secret", () => {
    assert.strictEqual(redaction({ API_KEYS: "abc" }).scrub("abcdef"), "abcdef")
  })

  it("that is a number leaves the numbers of a request JSON", () => {
    const kept = json(JSON.stringify({ seed: 4_711_081_547, messages: [] }))
    assert.property(JSON.parse(kept), "messages")
  })
})

describe("ordinary words", () => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ["a question", "What is the capital of France? And of Türkiye? 😀"],
    [
      "words that look like schemes of authorization",
      "Explain the basic principles and the bearer instruments."
    ],
    ["a risk assessment", "The task-oriented risk-assessment-of-everything is a desk-based-undertaking."],
    ["a link of YouTube", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s"],
    ["a playlist of YouTube", "https://youtube.com/watch?v=dQw4w9WgXcQ&list=PLabcdefghijklmnop&index=3"],
    ["a short link of YouTube", "https://youtu.be/dQw4w9WgXcQ?si=abcdefghijklmnop&t=1"],
    ["a link with a port and a fragment", "http://localhost:8000/a/b.mp4?start=10#t=20"],
    ["a mail address", "Write to someone@example.com or mailto:other@example.com."],
    ["an at sign in a path", "https://example.com/@user/video/123 and https://example.com/a?to=b@c.de"],
    ["code", "for (let i = 0; i < n; i++) { a[i] = b?.key ?? token; } // data: x, http://x"],
    ["a regular expression", String.raw`/^data:([\w.+-]+)?;base64,(?=[A-Z]*$)/`],
    ["a hash", "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ["a file name", "C:\\Users\\me\\a.png and /usr/share/doc/x_y-z/README.md"],
    ["a table", `| a | b |\n|${"-".repeat(80)}|${"-".repeat(80)}|\n| 1 | 2 |`],
    ["a thought about base64", "aGVsbG8= is 'hello', and ;base64, stands in data: links"],
    ["a short name", "sk-learn, hf_hub, eyJ, Bearer, Basic"]
  ]
  for (const [name, words] of table)
    it(`stay as they are: ${name}`, () => {
      assert.strictEqual(scrub(words), words)
      // Of what is no JSON, whatever looks like bytes at all is taken for bytes.
      if (!/[\w+/-]{24}/.test(words)) assert.strictEqual(JSON.parse(text(words)), words)
      const body = chat([{ type: "text", text: words }], { name: words })
      assert.deepStrictEqual(JSON.parse(json(JSON.stringify(body))), body)
    })

  it.prop("stay as they are, whatever the object", [jsonObject], ([{ text }]) => {
    const value: unknown = JSON.parse(text)
    const kept = json(text)
    assert.notMatch(kept, /[\r\n]/)
    assert.strictEqual(JSON.stringify(JSON.parse(kept)), JSON.stringify(value))
  })

  it("keep their numbers, nulls and truths", () => {
    const body = { ...chat("Hi"), seed: 4711, top_p: 0.1, stop: null, stream: false, tools: [], metadata: {} }
    assert.deepStrictEqual(JSON.parse(json(JSON.stringify(body, null, 2))), body)
  })
})

describe("a payload", () => {
  const wrapped = (bytes: Buffer) => bytes.toString("base64").replace(/.{76}/g, "$&\n")

  for (const bytes of [SHORT, LONG]) {
    const base64 = bytes.toString("base64")
    const url = `data:image/png;base64,${base64}`

    it(`of ${bytes.length} bytes becomes its kind, its size and its hash`, () => {
      const body = chat([
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url, detail: "low" } },
        { type: "input_audio", input_audio: { data: base64, format: "wav" } },
        { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${base64}` } }
      ])
      assert.deepStrictEqual(
        JSON.parse(json(JSON.stringify(body))),
        chat([
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: mark("image/png", bytes), detail: "low" } },
          {
            type: "input_audio",
            input_audio: { data: mark("application/octet-stream", bytes), format: "wav" }
          },
          { type: "file", file: { filename: "a.pdf", file_data: mark("application/pdf", bytes) } }
        ])
      )
    })

    it(`of ${bytes.length} bytes is marked in a list of images, as Ollama has them`, () => {
      const body = {
        model: "a",
        messages: [{ role: "user", content: "?", images: [base64, url] }],
        images: [base64]
      }
      assert.deepStrictEqual(JSON.parse(json(JSON.stringify(body))), {
        model: "a",
        messages: [
          {
            role: "user",
            content: "?",
            images: [mark("application/octet-stream", bytes), mark("image/png", bytes)]
          }
        ],
        images: [mark("application/octet-stream", bytes)]
      })
    })

    it(`of ${bytes.length} bytes is marked in an answer`, () => {
      const answer = { data: [{ b64_json: base64 }], choices: [{ message: { audio: { data: base64 } } }] }
      assert.deepStrictEqual(JSON.parse(json(JSON.stringify(answer))), {
        data: [{ b64_json: mark("application/octet-stream", bytes) }],
        choices: [{ message: { audio: { data: mark("application/octet-stream", bytes) } } }]
      })
    })

    const links: ReadonlyArray<readonly [string, string]> = [
      ["in the middle of a text", `Look: ![x](${url}) nice?`],
      ["twice in a text", `${url} and ${url}`],
      ["of base64 for the web", `data:image/png;base64,${bytes.toString("base64url")}`],
      ["without a type", `data:;base64,${base64}`],
      ["with parameters", `data:text/plain;charset=utf-8;base64,${base64}`],
      ["with a file name", `data:application/pdf;name=my%20file.pdf;base64,${base64}`],
      ["in capitals", `DATA:image/png;BASE64,${base64}`],
      ["in lines", `data:image/png;base64,${wrapped(bytes)}`]
    ]
    for (const [name, said] of links)
      it(`of ${bytes.length} bytes is not kept as a data link ${name}`, () => {
        for (const [client, spell] of spellings)
          for (const body of [
            chat(said),
            chat([{ type: "text", text: said }]),
            chat([{ image_url: { url: said } }])
          ]) {
            const spelled = spell(body)
            assertGone(json(spelled), bytes, client)
          }
      })

    it(`of ${bytes.length} bytes is not kept where base64 comes in lines`, () => {
      const body = chat([{ type: "input_audio", input_audio: { data: wrapped(bytes), format: "wav" } }])
      assertGone(json(JSON.stringify(body)), bytes, "lines")
    })

    it(`of ${bytes.length} bytes is not kept of a body that is no JSON`, () => {
      assertGone(text(`{"url": "${url}`), bytes, "text")
    })
  }

  it("that stands bare in a text is not kept, wherever it is", () => {
    const base64 = LONG.toString("base64")
    for (const said of [base64, `Decode ${base64} for me`, `"${base64}"`, `x: ${LONG.toString("base64url")}`])
      for (const [client, spell] of spellings)
        for (const body of [chat(said), { anything: { else: [said] } }])
          assertGone(json(spell(body)), LONG, client)
  })

  it("inside a text names its kind, its size and its hash", () => {
    const said = `See data:image/gif;base64,${SHORT.toString("base64")}!`
    const kept: unknown = JSON.parse(json(JSON.stringify({ said })))
    assert.deepStrictEqual(kept, { said: `See ${JSON.stringify(mark("image/gif", SHORT))}!` })
  })
})

/** Nothing of the payload that could be decoded is left. */
const assertGone = (kept: string, bytes: Buffer, hint: string) => {
  const said = saidBy(kept)
    .replaceAll("\\/", "/")
    .replace(/\s|\\n/g, "")
  for (const base64 of [bytes.toString("base64"), bytes.toString("base64url")])
    for (let at = 0; at + 24 <= base64.length; at += 24)
      assert.notInclude(said, base64.slice(at, at + 24), hint)
}

describe("what is kept", () => {
  it.prop(
    "is one line of JSON, whatever came in",
    [fc.jsonValue({ maxDepth: 5, stringUnit: "binary" }), fc.constantFrom(0, 1, 2)],
    ([value, indent]) => {
      const spelled = JSON.stringify(value, null, indent)
      saidBy(json(spelled))
      saidBy(json(spelled))
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.prop("of a text is one line of JSON", [fc.string({ unit: "binary", maxLength: 300 })], ([said]) => {
    saidBy(text(said))
  })

  it.prop(
    "is one line of JSON though it is full of secrets",
    [
      fc.array(fc.constantFrom(...secrets.map(([, text]) => text), '"', "\\", "\n", "}", ","), {
        maxLength: 8
      })
    ],
    ([words]) => {
      saidBy(json(JSON.stringify(chat(words.join("")))))
      saidBy(text(words.join("")))
    }
  )

  const kilobyte = redaction({ LOG_BODY_KB: "1" })
  const large: ReadonlyArray<readonly [string, unknown]> = [
    ["one long text", chat("word ".repeat(10_000))],
    [
      "many messages",
      { messages: Array.from({ length: 500 }, (_, at) => ({ role: "user", content: `Hi ${at}` })) }
    ],
    [
      "a thousand short members",
      Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`key${at}`, at]))
    ],
    ["one long name", { ["name ".repeat(10_000)]: 1 }],
    ["letters of four bytes", chat("😀".repeat(5000))],
    ["quotes", chat('"'.repeat(5000))]
  ]
  for (const [name, body] of large)
    it(`is not much longer than LOG_BODY_KB: ${name}`, () => {
      const kept = kilobyte.json(JSON.stringify(body))
      saidBy(kept)
      assert.isAtMost(kept.length, 2 * 1024)
      assert.isAbove(kept.length, 10)
    })

  it("of a text too long is its beginning, and how much is missing", () => {
    const kept: unknown = JSON.parse(kilobyte.json(JSON.stringify({ said: "word ".repeat(10_000) })))
    assert.match(JSON.stringify(kept), /^\{"said":"(word ){10,}.*\[\d+ more characters\]"\}$/)
  })

  it("of a body that is no JSON is no more than 4096 letters", () => {
    assert.isAtMost(String(JSON.parse(text("word ".repeat(10_000)))).length, 4096)
    assert.isAtMost(String(JSON.parse(kilobyte.text("word ".repeat(10_000)))).length, 1024)
  })

  it("is nothing of the words with LOG_BODY_KB=0", () => {
    const { json } = redaction({ LOG_BODY_KB: "0" })
    assert.notInclude(saidBy(json(JSON.stringify(chat("a secret thought")))), "secret thought")
  })

  it("of what is nested beyond reason is its upper part", () => {
    const depth = 3000
    const deep = `${'{"a":['.repeat(depth)}"data:image/png;base64,${SHORT.toString("base64")}"${"]}".repeat(depth)}`
    const kept = json(deep)
    assertGone(kept, SHORT, "deep")
    assert.isTrue(kept.startsWith('{"a":[{"a":['))
  })
})

describe("hostile texts", () => {
  const repeated =
    (piece: string) =>
    (length: number): string =>
      piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
  const hostile: ReadonlyArray<readonly [string, (length: number) => string]> = [
    ...[
      "a",
      "eyJ-",
      "?key",
      "://",
      "data:",
      "sk-",
      "a.",
      "&a",
      "=",
      "?",
      "@",
      "a@",
      ";a",
      "%",
      "_-",
      " "
    ].map((piece) => [`"${piece}" again and again`, repeated(piece)] as const),
    ...[
      "a://b",
      "eyJaaaaaaaa.",
      "bearer ",
      "Basic Basic",
      "&keykeykey",
      "data:a/b;c",
      ";base64,",
      "data:a/",
      '"'
    ].map((piece) => [`"${piece}" again and again`, repeated(piece)] as const),
    ["runs of 511 letters", repeated(`${"a".repeat(511)} `)],
    ["runs of 511 letters, and a dot", repeated(`${"Ab9_".repeat(127)}xyz.`)],
    ["runs of 512 letters", repeated(`${"a".repeat(512)} `)],
    ["a scheme that never ends", (length) => `://${repeated("a.")(length)}`],
    ["a link that never ends", (length) => `http://${"a".repeat(length)}`],
    ["a link that never ends, with colons", (length) => `http://${repeated("a:")(length)}`],
    ["a parameter that never ends", (length) => `?${"key".repeat(length / 3)}`],
    ["a web token that never ends", (length) => `eyJ${"a".repeat(300)}.${repeated("eyJ-")(length)}`],
    ["a bearer that never ends", (length) => `Bearer ${repeated("a-")(length)}`],
    ["a type that never ends", (length) => `data:${"a".repeat(length)}`],
    ["parameters that never end", (length) => `data:a/b${repeated(";a=b")(length)}`],
    ["payload keys that never end", (length) => `"data"${" ".repeat(length)}`],
    ["line breaks", repeated("\r\n")]
  ]

  // Either limit leads small and large texts the same way.
  const wide = redaction({ API_KEYS: OURS.plain, LOG_BODY_KB: "4096" })
  const narrow = redaction({ API_KEYS: OURS.plain, LOG_BODY_KB: "8" })

  const timeOf = (work: () => void): number => {
    const from = performance.now()
    work()
    return performance.now() - from
  }

  /**
   * How much dearer one text of 256 KB is than eight of 32 KB; 1 is to be expected, and 8 where the cost grows
   * with the square. Whatever else this machine does only adds to a time, so the shortest ones count.
   */
  const growth = (small: string, large: string, way: (said: string) => unknown): number => {
    let one = Infinity
    let eight = Infinity
    const from = performance.now()
    for (let round = 0; round < 30 && (round < 3 || one > 2 * eight); round++) {
      if (performance.now() - from > 2000) break
      one = Math.min(
        one,
        timeOf(() => way(large))
      )
      eight = Math.min(
        eight,
        timeOf(() => {
          for (let time = 0; time < 8; time++) way(small)
        })
      )
    }
    return one / eight
  }

  for (const [name, make] of hostile)
    it(`cost no more than their length: ${name}`, () => {
      const small = make(32 * 1024)
      const large = make(256 * 1024)
      const ways: ReadonlyArray<(said: string) => unknown> = [
        scrub,
        (said) => wide.json(JSON.stringify({ said })),
        (said) => wide.json(JSON.stringify({ data: said, images: [said] })),
        (said) => narrow.json(JSON.stringify({ said }))
      ]
      for (const way of ways) assert.isBelow(growth(small, large, way), 2.5)
    })
})
