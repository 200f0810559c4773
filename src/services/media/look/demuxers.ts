/** Which demuxers may read a file whose first bytes say what it is; the first of them does. */
export const DEMUXERS: Readonly<Record<string, string>> = {
  mp4: "mov,mp4,m4a,3gp,3g2,mj2",
  webm: "matroska,webm",
  ts: "mpegts",
  mpeg: "mpeg,mpegvideo"
}
