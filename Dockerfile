# syntax=docker/dockerfile:1
# A small image of the service. It runs without root and stores its data in /var/lib/sallyport.
#
# The base images are pinned by their tags. A release pins them by their digests too:
#   docker build --build-arg RUST_DIGEST=@sha256:… --build-arg DEBIAN_DIGEST=@sha256:… .
ARG RUST_IMAGE=rust:1.95.0-slim-bookworm
ARG RUST_DIGEST=
ARG DEBIAN_IMAGE=debian:12.12-slim
ARG DEBIAN_DIGEST=

FROM ${RUST_IMAGE}${RUST_DIGEST} AS build
# aws-lc-sys and SQLite are written in C.
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake g++ make perl python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin sallyport \
    && cp target/release/sallyport /usr/local/bin/sallyport \
    && tools/sbom /usr/share/doc/sallyport/sbom.cdx.json \
    && tools/notices /usr/share/doc/sallyport/THIRD-PARTY-NOTICES.txt

FROM ${DEBIAN_IMAGE}${DEBIAN_DIGEST}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 sallyport \
    && useradd --system --uid 10001 --gid sallyport --no-create-home --home-dir /var/lib/sallyport \
        --shell /usr/sbin/nologin sallyport \
    && install -d -o sallyport -g sallyport -m 0700 /var/lib/sallyport
COPY --from=build /usr/local/bin/sallyport /usr/local/bin/sallyport
COPY --from=build /usr/share/doc/sallyport/ /usr/share/doc/sallyport/
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/sallyport/

ENV SALLYPORT_LISTEN=0.0.0.0:8080 \
    SALLYPORT_DATA_DIR=/var/lib/sallyport \
    SALLYPORT_LOG_FORMAT=json
EXPOSE 8080
VOLUME /var/lib/sallyport
# A numeric user lets an orchestrator verify that it is not root.
USER 10001:10001
WORKDIR /var/lib/sallyport
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["sallyport", "healthcheck"]
# The service stops gracefully on SIGTERM, Docker's default stop signal.
ENTRYPOINT ["sallyport"]
CMD ["serve"]
