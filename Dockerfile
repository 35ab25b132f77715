# A small image of manifest-tool that runs as nobody in particular; docs/guides/container.md says how to build, use and extend it.
# Nothing in it needs BuildKit: docker 20.10's own builder, buildah and kaniko build it as well.

# What the image stands on: Node 20.20 or newer, found as `node`.
ARG BASE=node:24-slim
# What makes its files: Node with npm, and a shell.
ARG BUILDER=node:24

FROM ${BUILDER} AS files
# `build` makes the program from its sources; `context` takes the one that `npm run build` has made outside, and needs no network.
ARG DIST=build
WORKDIR /src
COPY package.json package-lock.json ./
RUN if [ "$DIST" = build ]; then npm ci --ignore-scripts --no-audit --no-fund; fi
COPY . .
RUN sh scripts/build/image-files.sh "$DIST" /image

FROM ${BASE}
COPY --from=files /image/ /
LABEL org.opencontainers.image.title="manifest-tool" \
      org.opencontainers.image.description="Assembles per-platform container images into one multi-platform image and publishes it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/OWNER/manifest-tool"
# The default of Docker, and where distroless images have Node. HOME is where ~/.docker/config.json is looked for, whoever runs it.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin \
    HOME=/home/nonroot
WORKDIR /work
# A number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 65532:65532
ENTRYPOINT ["node", "/opt/manifest-tool/bin/manifest-tool.cjs"]
CMD ["--help"]
