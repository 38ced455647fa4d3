#!/usr/bin/env bash
# Builds the native part for Linux: x64 and arm64, glibc and musl, on any Linux.
#
#   scripts/build-cross.sh [-o DIR] [TRIPLE …]     all four unless said, into artifacts/
#
# Needs the targets (`rustup target add …`) and zig as a linker (`pip install cargo-zigbuild`).
# macOS and Windows are built on their own systems: see .github/workflows/release.yml.
set -euo pipefail
cd "$(dirname "$0")/.."

out=artifacts
if [ "${1:-}" = -o ]; then out=$2; shift 2; fi
if [ "$#" -eq 0 ]; then set -- linux-x64-gnu linux-x64-musl linux-arm64-gnu linux-arm64-musl; fi

# The oldest glibc that Node 18 and later run on; what the linker finds here would be newer.
glibc=2.28
target_dir=${CARGO_TARGET_DIR:-target}

command -v cargo-zigbuild >/dev/null || { echo 'cargo-zigbuild is missing: pip install cargo-zigbuild' >&2; exit 1; }
mkdir -p "$out"

for triple; do
  version= flags=
  case $triple in
    linux-x64-gnu) target=x86_64-unknown-linux-gnu version=.$glibc ;;
    linux-arm64-gnu) target=aarch64-unknown-linux-gnu version=.$glibc ;;
    # A library for Node has to use Node's own libc, not bring one.
    linux-x64-musl) target=x86_64-unknown-linux-musl flags='-C target-feature=-crt-static' ;;
    linux-arm64-musl) target=aarch64-unknown-linux-musl flags='-C target-feature=-crt-static' ;;
    *) echo "not built here: $triple" >&2; exit 1 ;;
  esac
  RUSTFLAGS="$(node scripts/rust-flags.js) $flags" cargo zigbuild --release --lib --locked --target "$target$version"
  cp "$target_dir/$target/release/libsocket_io_redis_native.so" "$out/socket-io-redis-native.$triple.node"
  ls -l "$out/socket-io-redis-native.$triple.node"
done
