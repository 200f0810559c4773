import { createHmac } from "node:crypto"

/**
 * The tag of a block's fence: the same on every replica and in every turn, and yet unknown to whoever made the
 * medium, so that nothing in it can end the block.
 */
export const fenceTag = (secret: Uint8Array, id: string): string => {
  const bits = createHmac("sha256", secret).update("fence").update(id).digest().readBigUInt64BE() >> 14n
  return Array.from(
    { length: LENGTH },
    (_, place) => ALPHABET[Number((bits >> BigInt(5 * place)) & 31n)]
  ).join("")
}

const LENGTH = 10

/** Without letters that are taken for digits. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
