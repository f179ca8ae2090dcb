#!/usr/bin/env bash
# Containers that stay: in the background, published, looked into, paused, kept and restarted, without a daemon.
# In a checkout: npm ci && examples/containers.sh          (needs no network; every image here is made on the spot)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wctr() { node "$here/../dist/bin/wctr.cjs" "$@"; }
get() { node -e 'fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))' "$1"; } # curl
work=$(mktemp -d)
export WCTR_DATA_ROOT="$work/store" # default: ~/.local/share/wctr
trap 'wctr ps -aq | xargs -r node "$here/../dist/bin/wctr.cjs" rm -f > /dev/null; rm -rf "$work"' EXIT

app=$(node -e "import('$here/guest.mjs').then(async (m) => console.log(await m.buildGuest()))")
mkdir "$work/rootfs"
cp "$app" "$work/rootfs/app.wasm"
tar -C "$work/rootfs" -cf - . | wctr import -c 'ENTRYPOINT ["/app.wasm"]' - example/upper > /dev/null

echo '== in the background: a web server, on a volume and a published port'
wctr run -d --name web -p 127.0.0.1::80 -v site:/data example/upper serve > /dev/null
wctr ps --format '{{.Names}} {{.Image}} {{.State}}'
address=$(wctr port web 80)
get "http://$address/"

echo '== another program in the same container: it writes the file that is served'
echo 'hello from inside' | wctr exec -i web /app.wasm
get "http://$address/"

echo '== its log; a second one follows it until the container stops'
wctr logs web
wctr logs -f --tail 1 web > "$work/followed" &

echo '== files in and out, and what changed'
echo 'copied in' > "$work/note"
wctr cp "$work/note" web:/note
wctr cp web:/note "$work/back" && cat "$work/back"
wctr diff web

echo '== paused: it uses no processor time'
wctr pause web
wctr stats --no-stream --format '{{.Name}} {{.CPUPerc}}' web
wctr unpause web

echo '== kept as an image'
wctr commit --change 'LABEL kept=yes' web example/kept > /dev/null
wctr image inspect -f '{{json .Config.Labels}}' example/kept

echo '== a network of its own; containers on it know each other by name'
wctr network create backstage > /dev/null
wctr network connect --alias www backstage web
wctr network inspect -f '{{range .Containers}}{{.Name}}{{end}}' backstage
wctr network disconnect backstage web
wctr network rm backstage

echo '== stopped and started: what it wrote is still there'
wctr stop -t 1 web
wctr inspect -f '{{.State.Status}} {{.State.ExitCode}}' web
wait && cat "$work/followed"
wctr start web
get "http://$(wctr port web 80)/"

echo '== a program that fails is started again, twice'
code=0
wctr run --name greedy --restart on-failure:2 -m 32m example/upper grow 2> /dev/null || code=$?
echo "it ended with $code"
wctr wait greedy
wctr inspect -f 'restarted {{.RestartCount}} times' greedy

echo '== the end'
wctr rm -f web greedy
wctr volume ls --format '{{.Name}}'
wctr volume rm site
wctr events --since 1h --until 0s --filter container=web --format '{{.Action}}' | sed 's/:.*//' | sort -u | tr '\n' ' '
echo
