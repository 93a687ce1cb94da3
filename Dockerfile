# smallnet in a container. The last argument of `docker build` is a folder with the Linux binary. One of cargo:
#
#   cargo build --release --locked
#   docker build --tag smallnet:0.1.0 --file Dockerfile "${CARGO_TARGET_DIR:-target}/release"
#
# Or one of a release:
#
#   tar xzf smallnet-0.1.0-x86_64-unknown-linux-gnu.tar.gz
#   docker build --tag smallnet:0.1.0 --file Dockerfile smallnet-0.1.0-x86_64-unknown-linux-gnu
#
# A binary of cargo needs the glibc of the machine that built it or a newer one; here is glibc 2.41. The archives and
# wheels of a release need glibc 2.17. MNIST is in the binary.
#
# The user is not root and has a number, so Kubernetes' `runAsNonRoot: true` accepts the image. smallnet writes into its
# working directory (`artifacts/`), for downloaded data sets into ~/.cache/smallnet, and for PyTorch's files into /tmp.
# With `readOnlyRootFilesystem: true` or `docker run --read-only`, /home/smallnet and /tmp must be volumes.
FROM debian:13-slim
RUN useradd --uid 1000 --user-group --create-home smallnet
COPY --chmod=755 smallnet /usr/local/bin/smallnet
USER 1000:1000
WORKDIR /home/smallnet
ENTRYPOINT ["smallnet"]
