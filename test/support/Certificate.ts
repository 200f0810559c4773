import { generateKeyPairSync, sign } from "node:crypto"

/** A key and a certificate that vouches for itself, for these names. */
export const selfSigned = (...names: readonly [string, ...ReadonlyArray<string>]) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const subject = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(names[0])))))
  const alternatives = sequence(...names.map((name) => der(0x82, Buffer.from(name))))
  const content = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ECDSA_SHA256,
    subject,
    sequence(date("20200101000000Z"), date("20991231235959Z")),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        sequence(BASIC_CONSTRAINTS, der(0x04, sequence(der(0x01, Buffer.of(0xff))))),
        sequence(ALTERNATIVE_NAMES, der(0x04, alternatives))
      )
    )
  )
  const signature = der(0x03, Buffer.concat([Buffer.of(0), sign("sha256", content, privateKey)]))
  const certificate = sequence(content, ECDSA_SHA256, signature).toString("base64")
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`
  }
}

/** Every value in a certificate is its kind, its length and its bytes. */
const der = (kind: number, ...content: ReadonlyArray<Uint8Array>): Buffer => {
  const bytes = Buffer.concat(content)
  const length =
    bytes.length < 128 ? Buffer.of(bytes.length) : Buffer.of(0x82, bytes.length >> 8, bytes.length & 0xff)
  return Buffer.concat([Buffer.of(kind), length, bytes])
}
const sequence = (...content: ReadonlyArray<Uint8Array>) => der(0x30, ...content)
const integer = (value: number) => der(0x02, Buffer.of(value))
const date = (text: string) => der(0x18, Buffer.from(text))
const identifier = (hex: string) => der(0x06, Buffer.from(hex, "hex"))

const COMMON_NAME = identifier("550403")
const ALTERNATIVE_NAMES = identifier("551d11")
const BASIC_CONSTRAINTS = identifier("551d13")
const ECDSA_SHA256 = sequence(identifier("2a8648ce3d040302"))
