/** An archive as tar writes it, from names and contents. */
export const tarOf = (files: ReadonlyArray<readonly [name: string, content: Uint8Array]>): Buffer =>
  Buffer.concat([...files.flatMap(([name, content]) => entry(name, content)), Buffer.alloc(1024)])

const entry = (name: string, content: Uint8Array): ReadonlyArray<Uint8Array> => {
  const head = Buffer.alloc(512)
  head.write(name, 0, 100)
  head.write("0000644\0", 100)
  head.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124)
  head.write("        ", 148)
  head.write("0", 156)
  head.write("ustar\x0000", 257)
  const sum = head.reduce((sum, byte) => sum + byte, 0)
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  return [head, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
}
