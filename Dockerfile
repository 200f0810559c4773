# Percept with everything it sees and hears with. docs/operations.md says how it is run.
#
# Images are pinned by digest and downloads by checksum; apt takes the distribution's newest, for its security fixes.

ARG NODE_IMAGE=node:22.23.2-trixie-slim@sha256:7b8a0c89c54499bee567618f96578e1a12a800f062fbdbfd1fb6a443fa6f6284
ARG WHISPER_IMAGE=ghcr.io/ggml-org/whisper.cpp:main@sha256:375cf0e9e4b5598454493878ce09c4de72ed3e4ed8f41e77a25e1acd9b4112b5

# Only its sources are taken, which are the same for every platform.
FROM --platform=linux/amd64 ${WHISPER_IMAGE} AS whisper-image

# The image's own whisper-cli asks for the processor it was compiled on and dies of an illegal instruction on others,
# so its sources are compiled once more, for every processor of the last ten years.
FROM ${NODE_IMAGE} AS whisper
RUN apt-get update \
  && apt-get install --yes --no-install-recommends cmake g++ make \
  && rm -rf /var/lib/apt/lists/*
COPY --from=whisper-image /app /whisper.cpp
RUN rm -rf /whisper.cpp/build \
  && cmake -S /whisper.cpp -B /whisper-build \
    -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=OFF -DWHISPER_BUILD_TESTS=OFF -DWHISPER_SDL2=OFF \
  && cmake --build /whisper-build --parallel --target whisper-cli \
  && strip /whisper-build/bin/whisper-cli

FROM ${NODE_IMAGE} AS build
# better-sqlite3 is compiled where its prebuilt file cannot be had, with the headers that came with Node.
ENV npm_config_nodedir=/usr/local
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY scripts scripts
COPY src src
RUN npm run build && node scripts/image-modules.mjs /image

FROM ${NODE_IMAGE}
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates ffmpeg libgomp1 python3 tini \
  && rm -rf /var/lib/apt/lists/*
ADD --checksum=sha256:1fa6733c37ea6fb51c99ad8fe785e7b7e5f3246c9b980230329d4fb72ed8d4d6 --chmod=755 \
  https://github.com/yt-dlp/yt-dlp/releases/download/2026.08.19/yt-dlp /usr/local/bin/yt-dlp
COPY --from=whisper /whisper-build/bin/whisper-cli /usr/local/bin/whisper-cli
COPY --from=build /image /opt/percept
RUN ln -s /opt/percept/dist/main.js /usr/local/bin/percept \
  && install --directory --owner=1000 --group=1000 --mode=700 /data

ENV NODE_ENV=production LISTEN_HOST=0.0.0.0 LISTEN_PORT=8000 DATA_DIR=/data
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.LISTEN_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "percept"]
CMD ["serve"]
