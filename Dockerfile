# The service as an image: one binary, its migrations inside it, no shell, not root.
# The build needs a C compiler (ring and the bundled SQLite) and make (jemalloc) from the system.
#
# /data holds the SQLite file and the keys. `serve` makes no new database by accident, so a new
# volume is prepared once: docker run --rm -v keylend:/data keylend migrate

FROM rust:1.95-bookworm AS build
WORKDIR /keylend
# The dependencies by themselves: a change of Keylend's own sources does not build them again.
# Cargo wants the declared targets to exist; none of the tests is built.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/it benches \
    && echo 'fn main() {}' | tee src/main.rs tests/it/main.rs benches/pure.rs > /dev/null \
    && touch src/lib.rs \
    && cargo build --locked --profile dist --features jemalloc \
    && rm -r src
COPY . .
# The sources may be older than the placeholders built above.
RUN find src -name '*.rs' -exec touch {} + \
    && cargo build --locked --profile dist --features jemalloc \
    && mkdir /data

# glibc, libgcc and the certificates of the public authorities; "nonroot" is user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /keylend/target/dist/keylend /usr/local/bin/keylend
COPY --from=build --chown=nonroot:nonroot /data /data
COPY LICENSE /usr/share/doc/keylend/LICENSE
USER nonroot
WORKDIR /data
VOLUME /data
ENV KEYLEND_LISTEN=0.0.0.0:8080 \
    KEYLEND_KEY_FILE=/data/keylend.keys
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/keylend"]
CMD ["serve"]
