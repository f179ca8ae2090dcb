#!/usr/bin/env bash
# wctr daemon under docker's own clients: the docker command, and compose with docker-compose.yml beside this file.
# In a checkout: npm ci && examples/daemon.sh          (needs the docker command and compose; no docker daemon)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wctr() { node "$here/../dist/bin/wctr.cjs" "$@"; }
get() { node -e 'fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))' "$1"; } # curl
compose() { if docker compose version > /dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }
work=$(mktemp -d)
export WCTR_DATA_ROOT="$work/store" DOCKER_HOST="unix://$work/d.sock" COMPOSE_PROJECT_NAME=example
export COMPOSE_FILE="$here/docker-compose.yml"

node "$here/../dist/bin/wctr.cjs" daemon --host "$DOCKER_HOST" 2> "$work/daemon.log" &
daemon=$!
trap 'docker ps -aq | xargs -r docker rm -f > /dev/null; kill $daemon; wait; rm -rf "$work"' EXIT
until grep -q 'listens on' "$work/daemon.log"; do sleep 0.1; done

echo '== the docker command'
docker version --format '{{.Server.Version}}, API {{.Server.APIVersion}}' | sed 's/^[0-9.]*/wctr/'
docker run --rm hello | sed -n '2p'

echo '== an image for it'
app=$(node -e "import('$here/guest.mjs').then(async (m) => console.log(await m.buildGuest()))")
cp "$app" "$work/app.wasm"
tar -C "$work" -cf - app.wasm | docker import -c 'ENTRYPOINT ["/app.wasm"]' - example/upper > /dev/null
docker images --format '{{.Repository}}:{{.Tag}}' example/upper

echo '== compose: up, written into, asked, down'
compose up -d > /dev/null 2>&1
echo 'composed' | docker run --rm -i -v example_page:/data example/upper
get "http://$(compose port web 80)/"
docker ps --format '{{.Image}} {{.Label "com.docker.compose.service"}}'
compose logs --no-color web 2> /dev/null | grep -c 'a request'

echo '== the daemon ends; its containers do not, and the wctr command sees them, too'
kill $daemon && wait $daemon
DOCKER_HOST='' wctr ps --format '{{.Image}} {{.State}}'
node "$here/../dist/bin/wctr.cjs" daemon --host "$DOCKER_HOST" 2> "$work/daemon.log" &
daemon=$!
until grep -q 'listens on' "$work/daemon.log"; do sleep 0.1; done
compose down -v > /dev/null 2>&1
docker ps -aq
docker volume ls -q
