# smallnet in a container, from a release binary:
#
#   cargo build --release --locked
#   docker build --tag smallnet:0.1.0 --file Dockerfile "${CARGO_TARGET_DIR:-target}/release"
#
# The binary must have been built with the glibc of this Debian or an older one. MNIST is in it.
FROM debian:13-slim
RUN useradd --uid 1000 --create-home smallnet
COPY --chmod=755 smallnet /usr/local/bin/smallnet
USER 1000
WORKDIR /home/smallnet
ENTRYPOINT ["smallnet"]
