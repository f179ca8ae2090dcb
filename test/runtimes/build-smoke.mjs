// One build for every runtime: stages, files of all kinds, RUN with mounts, a fixed clock, packed layers. Plain JavaScript of the web's standards.

const DOCKERFILE = `FROM scratch AS made
COPY step /bin/step
WORKDIR /work
RUN --mount=type=bind,target=/context --mount=type=cache,target=/cache --mount=type=secret,id=word \\
    ["/bin/step", "time", ",", "dice", ",", "cat", "/run/secrets/word", ",", "cat", "/context/src/a.txt", ",", \\
     "write", "/work/out", "made", ",", "mkdir", "/work/deep", ",", "symlink", "../out", "/work/deep/link", ",", \\
     "append", "/cache/log", "x"]
RUN --mount=type=cache,target=/cache ["/bin/step", "cat", "/cache/log", ",", "rm", "/work/deep/link"]
FROM scratch
COPY --from=made --chmod=755 /bin/step /bin/step
COPY --from=made --chown=7:8 /work /srv
ARG WHO=everybody
ENV GREETING="hello $WHO"
LABEL org.opencontainers.image.title="the same everywhere"
COPY . /context/
ADD <<one <<two /here/
first: $GREETING
one
second
two
WORKDIR /srv/deeper
EXPOSE 8080
ENTRYPOINT ["/bin/step", "cat", "/srv/out"]
`;

/**
 * @param {object} wctr an open Wctr
 * @param {Uint8Array} step the program test/support/guests/step.c
 * @returns {Promise<{ digest: string, imageId: string, log: string, ran: string }>}
 */
export async function buildSmoke(wctr, step) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let log = '';
  const { digest, imageId } = await wctr.build(
    {
      files: {
        step,
        '.dockerignore': '*.log\n!keep.log\n',
        'src/a.txt': 'from the context\n',
        'deep/er/text': 'some text\n'.repeat(10_000),
        'noise.bin': noise(300_000),
        'left-out.log': '',
        'keep.log': 'kept',
        'ünïcode 😀': 'a name beyond ASCII',
      },
    },
    {
      dockerfile: { text: DOCKERFILE, name: 'Dockerfile' },
      tags: ['made:1'],
      reproducible: true,
      buildArgs: { SOURCE_DATE_EPOCH: '1700000000' },
      secret: async (id) => (id === 'word' ? encoder.encode('hush\n') : undefined),
      onStatus: ({ logs = [] }) => {
        for (const { data } of logs) log += decoder.decode(data);
      },
    },
  );
  const { stdout } = await (await wctr.run('made:1')).output();
  return { digest, imageId, log, ran: stdout };
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
