import { Context } from "effect"

/** A file of weights, and what it must be byte for byte. */
export interface ModelFile {
  readonly file: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** The models there are, by whisper.cpp's names, from the smallest to the largest. */
export class ModelTable extends Context.Reference<ModelTable>()("percept/ModelTable", {
  defaultValue: (): ReadonlyMap<string, ModelFile> => official()
}) {}

export const modelFile = (name: string): ModelFile | undefined => official().get(name)

const official = (): ReadonlyMap<string, ModelFile> =>
  new Map(
    Object.entries(OFFICIAL).map(([name, [bytes, sha256]]) => [
      name,
      { file: `ggml-${name}.bin`, bytes, sha256 }
    ])
  )

const OFFICIAL: Readonly<Record<string, readonly [bytes: number, sha256: string]>> = {
  tiny: [77_691_713, "be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21"],
  "tiny.en": [77_704_715, "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f"],
  "base.en-q8_0": [81_781_811, "a4d4a0768075e13cfd7e19df3ae2dbc4a68d37d36a7dad45e8410c9a34f8c87e"],
  base: [147_951_465, "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe"],
  "base.en": [147_964_211, "a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002"],
  "small-q5_1": [190_085_487, "ae85e4a935d7a567bd102fe55afc16bb595bdb618e11b2fc7591bc08120411bb"],
  small: [487_601_967, "1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b"],
  "small.en": [487_614_201, "c6138d6d58ecc8322097e0f987c32f1be8bb0a18532a3f88f734d1bbf9c41e5d"],
  "medium-q5_0": [539_212_467, "19fea4b380c3a618ec4723c3eef2eb785ffba0d0538cf43f8f235e7b3b34220f"],
  "large-v3-turbo-q5_0": [574_041_195, "394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2"],
  "large-v3-q5_0": [1_081_140_203, "d75795ecff3f83b5faa89d1900604ad8c780abd5739fae406de19f23ecd98ad1"],
  medium: [1_533_763_059, "6c14d5adee5f86394037b4e4e8b59f1673b6cee10e3cf0b11bbdbee79c156208"],
  "medium.en": [1_533_774_781, "cc37e93478338ec7700281a7ac30a10128929eb8f427dda2e865faa8f6da4356"],
  "large-v3-turbo": [1_624_555_275, "1fc70f774d38eb169993ac391eea357ef47c88757ef72ee5943879b7e8e2bc69"],
  "large-v3": [3_095_033_483, "64d182b440b98d5203c4f9bd541544d84c605196c4f7b845dfa11fb23594d1e2"]
}
