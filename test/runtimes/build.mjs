// One build for every runtime. Plain JavaScript of the web's standards, so that each runtime loads this very file.

const DOCKERFILE = `FROM scratch AS tools
COPY guest.wasm /bin/busybox
RUN ["/bin/busybox", "write", "/made", "by a program"]
RUN ["/bin/busybox", "write", "/time", "whatever the clock says"]

FROM scratch
ARG WHO=everybody
ENV GREETING="hello $WHO"
LABEL org.opencontainers.image.title="the same everywhere"
COPY --from=tools --chmod=755 /bin/busybox /bin/busybox
COPY --from=tools /made /time /from/
COPY --chown=7:8 . /src/
ADD <<one <<two /made/
first: $GREETING
one
second
two
WORKDIR /src/deep
EXPOSE 8080
ENTRYPOINT ["/bin/busybox"]
CMD ["read", "/from/made"]
`;

/** Twice: the second time nothing is made anew. */
export async function buildHere(wctr, guest) {
  const files = {
    Dockerfile: DOCKERFILE,
    '.dockerignore': '*.log\n!keep.log\nguest.wasm\n!guest.wasm\n',
    'guest.wasm': guest,
    'deep/er/text': 'some text\n'.repeat(10_000),
    'deep/skipped.txt': '',
    'noise.bin': noise(300_000),
    'a.log': 'left out',
    'keep.log': 'kept',
    'ünïcode 😀': 'a name beyond ASCII',
  };
  const options = { tags: ['made:1'], compression: 'gzip', reproducible: true };
  const first = await wctr.build({ files }, options);
  const cached = [];
  const onStatus = ({ vertexes = [] }) =>
    cached.push(...vertexes.filter((vertex) => vertex.cached).map(({ name }) => name));
  const again = await wctr.build({ files }, { ...options, onStatus });
  const container = await wctr.run('made:1', { pull: 'never' });
  const { stdout } = await container.output();
  return { digest: first.digest, again: again.digest, cached: [...new Set(cached)].length, stdout };
}

/** Bytes that cannot be packed, the same every time. */
function noise(length) {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}
