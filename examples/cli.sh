#!/usr/bin/env bash
# wctr on the command line: what docker users type, with nothing but Node installed.
# In a checkout: npm ci && examples/cli.sh          (needs no network; every image here is made on the spot)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wctr() { node "$here/../dist/bin/wctr.cjs" "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export WCTR_DATA_ROOT="$work/store" # default: ~/.local/share/wctr

echo '== an image that ships with wctr'
wctr run --rm hello | head -n 3

echo '== any WASI module, without an image'
app=$(node -e "import('$here/guest.mjs').then(async (m) => console.log(await m.buildGuest()))")
echo 'shout this' | wctr run --rm -i "$app"

echo '== an image made from files'
mkdir -p "$work/rootfs" "$work/data"
cp "$app" "$work/rootfs/app.wasm"
tar -C "$work/rootfs" -cf "$work/rootfs.tar" .
wctr import -c 'ENTRYPOINT ["/app.wasm"]' "$work/rootfs.tar" example/upper:1 > /dev/null
wctr tag example/upper:1 example/upper:latest
wctr images --format '{{.Repository}}:{{.Tag}} {{.Platform}}'

echo '== a host directory, a read-only root, limits'
echo 'to a file' | wctr run --rm -i -v "$work/data":/data --read-only --tmpfs /tmp -m 32m example/upper
cat "$work/data/copy"
code=0
wctr run --rm --timeout 300ms example/upper loop || code=$?
echo "the endless loop ended with $code"
code=0
wctr run --rm -m 32m example/upper grow || code=$?
echo "the greedy one ended with $code"

echo '== to other tools and back: an archive docker, skopeo and podman read'
wctr save -o "$work/upper.tar" example/upper:1
wctr image rm -f example/upper:1 example/upper:latest > /dev/null
wctr load -i "$work/upper.tar"
wctr image inspect -f '{{json .Config.Entrypoint}}' example/upper:1
wctr image prune --all --force | tail -n 1 | sed 's/:.*//'
