/** A little film to look at and listen to: drawn scenes, each with a voice that says what is seen. Needs ffmpeg and espeak-ng. */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import sharp from "sharp"

/** Makes pictures of all scenes, their voice, and the film of both, in a folder. */
export const makeFilm = async (folder) => {
  const at = (name) => path.join(folder, name)
  const pieces = []
  for (const [number, { draw, says }] of SCENES.entries()) {
    const png = at(`scene-${number}.png`)
    writeFileSync(png, await pictureOf(draw))
    const wav = at(`scene-${number}.wav`)
    execFileSync("espeak-ng", ["-v", "en-us", "-s", "140", "-w", wav, says])
    const piece = at(`scene-${number}.mp4`)
    ffmpeg(
      ...["-loop", "1", "-framerate", "10", "-i", png, "-i", wav, "-t", String(SECONDS)],
      ...["-vf", "fps=10,format=yuv420p", "-af", "apad"],
      ...[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-g",
        "20",
        "-c:a",
        "aac",
        "-ar",
        "24000",
        "-ac",
        "1",
        piece
      ]
    )
    pieces.push(piece)
  }
  const list = at("pieces.txt")
  writeFileSync(list, pieces.map((piece) => `file '${piece}'`).join("\n"))
  const film = at("harbour.mp4")
  const title = ["-metadata", "title=A day at the harbour"]
  ffmpeg("-f", "concat", "-safe", "0", "-i", list, "-c", "copy", ...title, "-movflags", "+faststart", film)
  const long = at("week.mp4")
  ffmpeg("-stream_loop", "7", "-i", film, "-c", "copy", "-metadata", "title=A week at the harbour", long)
  const voice = at("voice.mp3")
  ffmpeg("-i", film, "-vn", "-t", "27", "-metadata", "title=Notes from the pier", voice)
  return {
    film: readFileSync(film),
    long: readFileSync(long),
    voice: readFileSync(voice),
    pictures: await Promise.all(
      SCENES.map(({ draw }) => pictureOf(draw).then((png) => sharp(png).jpeg({ quality: 88 }).toBuffer()))
    )
  }
}

/** What is to be seen on a picture of a scene, whatever size it came in. */
export const describe = async (picture) => {
  const own = await signatureOf(picture)
  const known = await (signatures ??= Promise.all(
    SCENES.map(({ draw }) => pictureOf(draw).then(signatureOf))
  ))
  const distances = known.map((one) =>
    one.reduce((sum, value, place) => sum + Math.abs(value - own[place]), 0)
  )
  return SCENES[distances.indexOf(Math.min(...distances))].shows
}

let signatures

const signatureOf = (picture) => sharp(picture).resize(8, 8, { fit: "fill" }).removeAlpha().raw().toBuffer()

const pictureOf = (draw) =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" width="1280" height="720">${draw}</svg>`
    )
  )
    .png()
    .toBuffer()

const ffmpeg = (...args) => execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args])

const sky = (top, bottom) =>
  `<defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient></defs>
   <rect width="1280" height="720" fill="url(#s)"/>`
const sea = (y, ...colours) =>
  colours
    .map((colour, row) => {
      const top = y + row * 60
      const waves = Array.from({ length: 9 }, () => "q40,-16 80,0 t80,0").join(" ")
      return `<path d="M-40,${top} ${waves} V720 H-40z" fill="${colour}"/>`
    })
    .join("")
const hills = (y, colour) =>
  `<path d="M0,${y} C200,${y - 140} 330,${y - 40} 520,${y - 90} S860,${y - 170} 1280,${y - 30} V720 H0z" fill="${colour}"/>`
const boat = (x, y, hull, sail, size = 1) =>
  `<g transform="translate(${x} ${y}) scale(${size})"><path d="M-90,0 H90 L60,44 H-66z" fill="${hull}"/>
   <path d="M-4,-12 V-190 L-84,-12z" fill="${sail}"/><path d="M6,-12 V-160 L70,-12z" fill="${sail}" opacity=".8"/></g>`
const house = (x, width, height, wall, roof) =>
  `<g transform="translate(${x} 560)"><rect y="${-height}" width="${width}" height="${height}" fill="${wall}"/>
   <path d="M-12,${-height} L${width / 2},${-height - 70} L${width + 12},${-height}z" fill="${roof}"/>
   ${[0.2, 0.6].map((at) => `<rect x="${width * at}" y="${-height + 34}" width="${width * 0.2}" height="46" fill="#ffe9b0"/>`).join("")}</g>`
const drops = Array.from(
  { length: 90 },
  (_, at) =>
    `<path d="M${(at * 137) % 1300},${(at * 71) % 700} l-8,30" stroke="#dbe7f3" stroke-width="3" opacity=".55"/>`
).join("")
const stars = Array.from(
  { length: 70 },
  (_, at) =>
    `<circle cx="${(at * 193) % 1280}" cy="${(at * 57) % 340}" r="${1 + (at % 3)}" fill="#fff" opacity=".8"/>`
).join("")

const SECONDS = 9

const SCENES = [
  {
    says: "The sun comes up behind the hills, and the first boat leaves the harbour.",
    shows: "Sunrise over low hills; a white sailing boat on a calm, orange sea.",
    draw: `${sky("#f7a26b", "#fde3b4")}<circle cx="860" cy="330" r="88" fill="#fff3d0"/>${hills(430, "#b5696a")}${sea(440, "#e98f6d", "#c96f68", "#9c5468")}${boat(420, 470, "#5b2f3f", "#fff8ec")}`
  },
  {
    says: "By ten o'clock three more have followed. The lighthouse stands on its rock as it always has.",
    shows: "A red and white lighthouse on a dark rock, three sailing boats in bright blue water.",
    draw: `${sky("#6db9ea", "#d6f0fb")}${sea(430, "#3f8fca", "#2f76b3", "#235f97")}<path d="M900,560 Q1010,400 1130,470 T1280,560 V720 H880z" fill="#44505c"/>
      <path d="M1000,440 L1020,160 H1080 L1100,440z" fill="#fff"/><path d="M1007,350 H1094 L1089,280 H1012z M1015,230 H1085 L1080,170 H1020z" fill="#d33f3f"/><rect x="1016" y="112" width="68" height="52" fill="#ffe27a"/><path d="M1006,114 L1050,74 L1094,114z" fill="#7c2626"/>
      ${boat(240, 470, "#20415f", "#fff", 0.7)}${boat(520, 500, "#7a3b2e", "#ffe9c9")}${boat(760, 455, "#20415f", "#ffd6d6", 0.5)}`
  },
  {
    says: "The fish market opens at noon. Everything is sold within an hour.",
    shows: "A row of colourful market houses with lit windows on a quay, awnings over the stalls.",
    draw: `${sky("#a7d7f0", "#f2f7f4")}${house(60, 180, 250, "#e7b24c", "#8a4a2b")}${house(260, 150, 310, "#d96d4f", "#6d2f2a")}${house(430, 200, 220, "#5aa39a", "#2d5c5a")}${house(650, 160, 290, "#c8798f", "#6a3346")}${house(830, 190, 240, "#7f8fc9", "#3e4a7c")}${house(1040, 180, 300, "#dcc16a", "#7c5b22")}
      <rect y="560" width="1280" height="160" fill="#8b8f94"/>${[120, 420, 720, 1020].map((x, at) => `<path d="M${x},500 h170 l24,50 h-218z" fill="${["#d33f3f", "#2f76b3", "#2b8a60", "#c26a1b"][at]}"/><rect x="${x}" y="550" width="170" height="70" fill="#6b4f35"/>`).join("")}`
  },
  {
    says: "In the afternoon the old train crosses the bridge with the mail.",
    shows: "A dark green steam train with three wagons on a stone bridge above the water.",
    draw: `${sky("#cfe3ee", "#f5ecd7")}${hills(470, "#89a878")}${sea(560, "#7fb0bf", "#64919f")}<rect y="400" width="1280" height="34" fill="#8d7b68"/>${[0, 1, 2, 3, 4].map((at) => `<path d="M${at * 280 - 40},720 V434 h60 q110,-10 160,110 v176z" fill="#a4917b" opacity=".9"/>`).join("")}
      <g fill="#2f4f3e"><rect x="700" y="310" width="200" height="84" rx="10"/><rect x="840" y="250" width="70" height="80"/><rect x="720" y="262" width="34" height="60"/></g>${[420, 180, -60].map((x) => `<rect x="${x + 20}" y="316" width="220" height="78" rx="6" fill="#7b3b34"/>${[0, 1, 2, 3].map((at) => `<rect x="${x + 40 + at * 50}" y="332" width="32" height="30" fill="#ffe9b0"/>`).join("")}`).join("")}<g fill="#d9dde0" opacity=".85"><circle cx="730" cy="220" r="34"/><circle cx="690" cy="180" r="46"/><circle cx="620" cy="140" r="60"/></g>`
  },
  {
    says: "Then the rain begins, and everybody runs for shelter.",
    shows: "Heavy rain over grey houses; two people under red and yellow umbrellas.",
    draw: `${sky("#66727f", "#9aa7b2")}${house(120, 190, 260, "#77808c", "#4a515c")}${house(360, 170, 320, "#868d97", "#50565f")}${house(820, 200, 280, "#747d88", "#474e58")}<rect y="560" width="1280" height="160" fill="#55606b"/>
      ${[
        [560, "#d33f3f"],
        [690, "#e8b931"]
      ]
        .map(
          ([x, colour]) =>
            `<path d="M${x - 70},470 a70,66 0 0 1 140,0z" fill="${colour}"/><path d="M${x},470 v70" stroke="#333" stroke-width="5"/><path d="M${x - 22},620 v-90 q22,-34 44,0 v90z" fill="#2d3640"/>`
        )
        .join("")}${drops}`
  },
  {
    says: "At night the harbour is quiet. Only the lamp of the lighthouse turns.",
    shows: "A starry night above a dark sea; a beam of light from the right, a small boat at anchor.",
    draw: `${sky("#0d1430", "#2b3766")}${stars}<path d="M1080,250 L0,90 V330z" fill="#ffe9a8" opacity=".22"/><path d="M1050,520 L1066,230 H1096 L1112,520z" fill="#2a3050"/><circle cx="1081" cy="250" r="22" fill="#ffe9a8"/>${sea(480, "#1b2750", "#16203f", "#101831")}${boat(380, 520, "#0b1022", "#39446e", 0.8)}`
  }
]
