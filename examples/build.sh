#!/usr/bin/env bash
# A static site: its pages are made by a shell in one stage, and served by a WASI program in the other, which has nothing
# else in it.
# In a checkout: npm ci && examples/build.sh          (needs no network; every image here is made on the spot)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
wctr() { node "$here/../dist/bin/wctr.cjs" "$@"; }
get() { node -e 'fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))' "$1"; } # curl
work=$(mktemp -d)
export WCTR_DATA_ROOT="$work/store" # default: ~/.local/share/wctr
trap 'wctr ps -aq | xargs -r node "$here/../dist/bin/wctr.cjs" rm -f > /dev/null; rm -rf "$work"' EXIT

site="$work/site"
mkdir -p "$site/pages"
cp "$(node -e "import('$here/guest.mjs').then(async (m) => console.log(await m.buildGuest()))")" "$site/server.wasm"
printf 'first page of @VERSION@\n' > "$site/pages/1-first"
printf 'second page of @VERSION@\n' > "$site/pages/2-second"
printf 'a secret that is in no image\n' > "$site/notes"
echo notes > "$site/.dockerignore"
cat > "$site/Dockerfile" <<'EOF'
FROM wctr/base AS pages
ARG VERSION=dev
WORKDIR /pages
COPY pages .
RUN --mount=type=secret,id=signature <<SCRIPT
set -e
for page in *; do
  sed "s/@VERSION@/$VERSION/" "$page" >> /copy
done
if [ -f /run/secrets/signature ]; then
  printf 'signed by %s\n' "$(cut -d: -f1 /run/secrets/signature)" >> /copy
fi
SCRIPT
RUN wc -l < /copy

FROM scratch
LABEL org.opencontainers.image.title="a static site"
COPY server.wasm /server.wasm
COPY --from=pages /copy /data/copy
EXPOSE 80
ENTRYPOINT ["/server.wasm", "serve"]
EOF

echo '== mistakes are found before anything is built'
wctr build --check "$site"
sed 's/^LABEL/LABLE/' "$site/Dockerfile" | wctr build -q -f - "$site" 2>&1 || true

echo '== built, with an argument and a secret'
printf 'ada:password' > "$work/signature"
build() { wctr build --build-arg VERSION=1.0 --secret "id=signature,src=$work/signature" "$@" "$site"; }
first=$(build -q -t example/site)
wctr images --format '{{.Repository}}:{{.Tag}}' | sort

echo '== run'
wctr run -d --name site -p 127.0.0.1::80 example/site > /dev/null
get "http://$(wctr port site 80)/"

echo '== nothing changed: every step is there already, and the image is the same to the bit'
build --progress plain --iidfile "$work/id" 2>&1 | grep -c CACHED
[ "$(cat "$work/id")" = "$first" ] && echo same

echo '== files instead of an image'
wctr build -q --target pages --build-arg VERSION=2.0 -o "$work/files" "$site" > /dev/null
cat "$work/files/copy"
wctr build -q -o - "$site" | tar -t | sort | tr '\n' ' '
echo

echo '== what the cache holds, and its end'
wctr builder du --format '{{.Type}}' | sort | uniq -c | sed 's/^ *//'
wctr builder prune -af | tail -1 | sed 's/:.*//'
