#!/usr/bin/env bash
# Registries from both sides: one of our own, and everything wctr does with any of them.
# In a checkout: npm ci && examples/registry.sh          (needs no network)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wctr() { node "$here/../dist/bin/wctr.cjs" "$@"; }
work=$(mktemp -d)
export WCTR_DATA_ROOT="$work/store" WCTR_CONFIG_DIR="$work/config" DOCKER_CONFIG="$work/docker"

echo '== a registry with a password'
echo 'user:$2b$04$IXb9iq9z1miUglehjYzJ4uf8i5OIQw08YhMDRnDuJvMNIL1SRWgqm' > "$work/users" # htpasswd -B: secret
: > "$work/log"
node "$here/../dist/bin/wctr.cjs" registry serve --listen 127.0.0.1:0 --root "$work/registry" --htpasswd "$work/users" 2> "$work/log" &
server=$!
trap 'kill $server; wait $server 2> /dev/null; rm -rf "$work"' EXIT
until grep -q 'listens on' "$work/log"; do sleep 0.1; done
registry=$(sed -n 's,.*listens on http://,,p' "$work/log")
echo secret | wctr login --username user --password-stdin "$registry" 2> /dev/null

echo '== push what is here, run it elsewhere'
wctr run --rm hello > /dev/null
wctr tag hello "$registry/team/hello:1"
wctr push --quiet "$registry/team/hello:1" | sed "s,$registry,REGISTRY,"
WCTR_DATA_ROOT="$work/elsewhere" wctr run --rm "$registry/team/hello:1" 2> /dev/null | sed -n 2p

echo '== from registry to registry, layout or archive, digests kept'
digest=$(wctr image copy --quiet "docker://$registry/team/hello:1" "oci:$work/layout:1")
test "$(wctr image copy --quiet "oci:$work/layout:1" "docker://$registry/mirror/hello:1")" = "$digest" && echo same
test "$(wctr image copy --quiet "docker://$registry/mirror/hello:1" "docker-archive:$work/hello.tar:hello:1")" = "$digest" && echo same

echo '== a .wasm file as an artifact, and back'
app=$(node -e "import('$here/guest.mjs').then(async (m) => console.log(await m.buildGuest()))")
wctr artifact push --quiet "$registry/tools/upper:1" "$app" > /dev/null
echo 'straight from the registry' | wctr run --rm -i "$registry/tools/upper:1" 2> /dev/null
wctr artifact pull --quiet --output "$work/upper.wasm" "$registry/tools/upper:1" > /dev/null
cmp "$app" "$work/upper.wasm" && echo 'the same file'

echo '== what is known about an image lies beside it'
echo '{"spdxVersion":"SPDX-2.3"}' > "$work/sbom.json"
wctr artifact attach --quiet --type application/spdx+json "$registry/team/hello:1" "$work/sbom.json" > /dev/null
wctr artifact referrers --format '{{.ArtifactType}}' "$registry/team/hello:1"

echo '== one name for several platforms'
wctr manifest create "$registry/team/all:1" "$registry/team/hello:1" > /dev/null
wctr manifest push --purge --quiet "$registry/team/all:1" > /dev/null
wctr manifest inspect "$registry/team/all:1" | grep -c '"wasip1"'

echo '== a policy decides what may be pulled and run'
mkdir -p "$work/config"
echo '{"default": [{"type": "insecureAcceptAnything"}],
  "transports": {"docker": {"'"$registry/mirror"'": [{"type": "reject"}]}}}' > "$work/config/policy.json"
wctr pull --quiet "$registry/mirror/hello:1" 2>&1 | head -n 1 | sed "s,$registry,REGISTRY," || true
wctr logout "$registry" | sed "s,$registry,REGISTRY,"
