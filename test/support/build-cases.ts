// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** Builds that buildah and we can both do: from nothing, without a program. */

/** A text; `-> target` a link; anything for a name that ends in a slash, a directory; with a mode where it matters. */
export type CaseFile = string | { readonly mode: number; readonly text?: string };

export interface BuildCase {
  readonly name: string;
  /** After `FROM scratch`, unless it has a FROM itself. */
  readonly text: string;
  /** Default SOME_FILES. */
  readonly files?: Readonly<Record<string, CaseFile>>;
  readonly ignore?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Both refuse it. */
  readonly fails?: true;
  /** Where BuildKit, whose rules are ours, does otherwise than buildah: what it does. Nothing is compared but that both build. */
  readonly buildkit?: string;
  /** Why we refuse it, as docker does, where buildah takes it. */
  readonly stricter?: string;
}

export const SOME_FILES: Readonly<Record<string, CaseFile>> = {
  a: 'a\n',
  b: 'b\n',
  'run.sh': { mode: 0o755, text: '#!/bin/sh\n' },
  'secret.txt': { mode: 0o600, text: 's' },
  'dir/one': '1',
  'dir/two.txt': '22',
  'dir/sub/three.txt': '333',
  'dir/sub/deep/four': '4444',
  'other/one': 'another one',
  'other/five.md': '5',
  'empty/': '',
  link: '-> a',
  'dir/up': '-> ../a',
  linkdir: '-> dir',
  dangling: '-> nowhere',
  'a b': 'with a space',
  'odd/[x].txt': 'brackets',
};

const copies: BuildCase[] = [
  { name: 'a file to a name', text: 'COPY a /x' },
  { name: 'a file to a deep name', text: 'COPY a /p/q/r' },
  { name: 'a file into a directory', text: 'COPY a /p/' },
  { name: 'a file to the root', text: 'COPY a /' },
  { name: 'two files', text: 'COPY a b /p/' },
  { name: 'two files without a slash', text: 'COPY a b /p', stricter: 'a destination of several has to end with one' },
  { name: 'relative to the root', text: 'COPY a x' },
  { name: 'relative to the working directory', text: 'WORKDIR /w\nCOPY a x\nCOPY b .\nCOPY dir ./d' },
  { name: 'to the working directory itself', text: 'WORKDIR /w/v\nCOPY dir .' },
  { name: 'a directory is its contents', text: 'COPY dir /p' },
  { name: 'a directory with a slash', text: 'COPY dir/ /p/' },
  { name: 'everything', text: 'COPY . /src' },
  { name: 'everything to the root', text: 'COPY . /' },
  { name: 'an empty directory', text: 'COPY empty /e' },
  { name: 'two directories into one', text: 'COPY dir other /p/' },
  { name: 'over what is there', text: 'COPY dir /p\nCOPY other /p' },
  { name: 'a file over a file', text: 'COPY a /x\nCOPY b /x' },
  { name: 'a file over a file, with another mode', text: 'COPY a /x\nCOPY run.sh /x' },
  { name: 'modes are kept', text: 'COPY run.sh secret.txt /p/' },
  { name: 'a link named is followed', text: 'COPY link /x' },
  { name: 'links inside stay', text: 'COPY dir /p' },
  { name: 'a link to a directory named', text: 'COPY linkdir /p' },
  { name: 'through a link to a directory', text: 'COPY linkdir/one /x' },
  { name: 'a name with a space', text: 'COPY ["a b", "/x y"]' },
  { name: 'the JSON form', text: 'COPY ["a", "b", "/p/"]' },
  { name: 'a star', text: 'COPY d*/one /p/' },
  { name: 'a star for files', text: 'COPY dir/*.txt /p/' },
  { name: 'a question mark', text: 'COPY ? /p/' },
  { name: 'a class', text: 'COPY [ab] /p/' },
  { name: 'brackets escaped', text: 'COPY ["odd/[[]x].txt", "/p/"]', buildkit: 'a class of one bracket' },
  { name: 'directories by a star', text: 'COPY di* /p/' },
  { name: 'nothing there', text: 'COPY nothing /x', fails: true },
  { name: 'out of the context', text: 'COPY ../a /x' },
  { name: 'dots inside', text: 'COPY dir/../a /x' },
  { name: 'a slash at the beginning', text: 'COPY /a /x' },
  { name: 'a slash doubled', text: 'COPY dir//one //p//x' },
  { name: 'a dot at the end', text: 'COPY dir/. /p/.' },
  { name: 'from a variable', text: 'ENV src=dir dst=/p\nCOPY ${src}/one $dst/x' },
  { name: 'chown by numbers', text: 'COPY --chown=12:34 dir /p' },
  { name: 'chown of one number', text: 'COPY --chown=12 a /x' },
  { name: 'chmod', text: 'COPY --chmod=640 a /x' },
  {
    name: 'chmod of directories',
    text: 'COPY --chmod=750 dir /p',
  },
  { name: 'chown and chmod', text: 'COPY --chown=1:2 --chmod=600 a /x' },
  {
    name: 'to where a link leads',
    text: 'COPY links /\nCOPY a /door/x',
    files: { a: 'a', 'links/real/y': 'y', 'links/door': '-> real' },
  },
  { name: 'an archive by COPY stays one', text: 'COPY pack.tar /x/', files: { 'pack.tar': 'no archive really' } },
  {
    name: 'a file with setuid',
    text: 'COPY su /x',
    files: { su: { mode: 0o4755, text: '' } },
    buildkit: 'setuid stays',
  },
  { name: 'a sticky directory', text: 'COPY t /x', files: { 't/': { mode: 0o1777 }, 't/f': '' } },
  { name: 'a directory only its owner reads', text: 'COPY t /x', files: { 't/': { mode: 0o700 }, 't/f': '1' } },
  { name: 'many levels', text: 'COPY . /', files: { 'a/b/c/d/e/f/g/h/i/j': 'deep' } },
  { name: 'names beyond ASCII', text: 'COPY . /', files: { 'ä/ö': 'ü', 日本: '語', '😀': '' } },
  { name: 'a long name', text: 'COPY . /', files: { [`${'n'.repeat(120)}/${'m'.repeat(120)}`]: 'long' } },
  { name: 'a long link', text: 'COPY d /d', files: { 'd/l': `-> ${'x'.repeat(150)}` } },
  { name: 'a directory where a file is', text: 'COPY a /x\nCOPY dir /x', fails: true },
];

const adds: BuildCase[] = [
  { name: 'ADD of a file', text: 'ADD a /x' },
  { name: 'ADD of a directory', text: 'ADD dir /p' },
  { name: 'ADD with chown', text: 'ADD --chown=5:6 a /p/' },
  { name: 'ADD by a star', text: 'ADD dir/*.txt /p/' },
  { name: 'ADD of what is not there', text: 'ADD nothing /x', fails: true },
];

const stages: BuildCase[] = [
  { name: 'from a stage', text: 'FROM scratch AS one\nCOPY a /x\nFROM scratch\nCOPY --from=one /x /y' },
  { name: 'from a stage by number', text: 'FROM scratch\nCOPY a /x\nFROM scratch\nCOPY --from=0 /x /y' },
  { name: 'a directory from a stage', text: 'FROM scratch AS one\nCOPY dir /d\nFROM scratch\nCOPY --from=one /d /e' },
  { name: 'the whole of a stage', text: 'FROM scratch AS one\nCOPY dir /d\nFROM scratch\nCOPY --from=one / /' },
  { name: 'on a stage', text: 'FROM scratch AS one\nCOPY a /x\nENV A=1\nFROM one\nCOPY b /y\nENV B=$A' },
  {
    name: 'owners from a stage',
    text: 'FROM scratch AS one\nCOPY --chown=3:4 dir /d\nFROM scratch\nCOPY --from=one /d /e',
  },
  {
    name: 'owners from a stage changed',
    text: 'FROM scratch AS one\nCOPY --chown=3:4 dir /d\nFROM scratch\nCOPY --from=one --chown=5:6 /d /e',
  },
  {
    name: 'only the target',
    text: 'FROM scratch AS one\nCOPY a /x\nFROM scratch AS two\nCOPY nothing /x',
    target: 'one',
  },
  { name: 'a target that is not there', text: 'FROM scratch AS one\nCOPY a /x', target: 'three', fails: true },
  {
    name: 'stages in capitals',
    text: 'FROM scratch AS One\nCOPY a /x\nFROM scratch\nCOPY --from=ONE /x /y',
    buildkit: 'names of stages are the same in capitals',
  },
  { name: 'a star from a stage', text: 'FROM scratch AS one\nCOPY dir /d\nFROM scratch\nCOPY --from=one /d/*.txt /e/' },
  { name: 'a link from a stage', text: 'FROM scratch AS one\nCOPY dir /d\nFROM scratch\nCOPY --from=one /d/sub /e/' },
  { name: 'three stages', text: 'FROM scratch AS a\nCOPY a /1\nFROM a AS b\nCOPY b /2\nFROM b\nCOPY --from=a /1 /3' },
  { name: 'a stage that is not there', text: 'FROM scratch\nCOPY --from=5 /x /y', fails: true },
  {
    name: 'a directory owned by another stage, merged',
    text: 'FROM scratch AS one\nCOPY dir /d\nCOPY other /d\nFROM scratch\nCOPY a /d/a\nCOPY --from=one /d /d',
  },
];

const configs: BuildCase[] = [
  { name: 'ENV', text: 'ENV A=1 B="two words" C=three\\ words\nENV D four five' },
  { name: 'ENV of ENV', text: 'ENV A=1\nENV A=2 B=$A\nENV C=$A' },
  { name: 'ENV with defaults', text: 'ENV A=${X:-d} B=${X:+y} C=${A:+z} D=${X-e}', buildkit: 'all forms are known' },
  { name: 'ENV quoted', text: `ENV A='$B' B="q\\"q" C=a\\$b` },
  { name: 'ENV empty', text: 'ENV A= B=""' },
  { name: 'LABEL', text: 'LABEL a=1 b="two words" "c d"=3\nLABEL a=2' },
  { name: 'LABEL of a variable', text: 'ARG V=9\nLABEL v=$V w="$V-x"' },
  { name: 'EXPOSE', text: 'EXPOSE 80 443/tcp 53/udp' },
  { name: 'EXPOSE of a range', text: 'EXPOSE 8000-8002', buildkit: 'a port each' },
  { name: 'EXPOSE of a variable', text: 'ENV P=99\nEXPOSE $P' },
  { name: 'VOLUME', text: 'VOLUME /a /b', buildkit: 'no directory is made for it' },
  { name: 'VOLUME as JSON', text: 'VOLUME ["/a", "/b c"]', buildkit: 'no directory is made for it' },
  { name: 'USER', text: 'USER 7:8' },
  { name: 'USER by name', text: 'USER app' },
  { name: 'WORKDIR', text: 'WORKDIR /a/b' },
  { name: 'WORKDIR relative', text: 'WORKDIR /a\nWORKDIR b\nWORKDIR ./c/../d' },
  { name: 'WORKDIR of a variable', text: 'ENV D=/x\nWORKDIR $D/y' },
  { name: 'WORKDIR of a user', text: 'USER 7:8\nWORKDIR /home/u' },
  { name: 'WORKDIR twice', text: 'WORKDIR /a/b\nWORKDIR /a' },
  { name: 'WORKDIR with a slash', text: 'WORKDIR /a/', buildkit: 'no slash at the end' },
  { name: 'WORKDIR over a copied one', text: 'COPY --chown=9:9 dir /p\nWORKDIR /p/sub' },
  { name: 'CMD as JSON', text: 'CMD ["/x", "y z"]' },
  { name: 'CMD of a shell', text: 'CMD echo $HOME' },
  { name: 'CMD twice', text: 'CMD ["1"]\nCMD ["2"]' },
  { name: 'ENTRYPOINT as JSON', text: 'ENTRYPOINT ["/x"]\nCMD ["y"]' },
  { name: 'ENTRYPOINT of a shell', text: 'ENTRYPOINT exec /x' },
  {
    name: 'ENTRYPOINT after CMD of a base',
    text: 'FROM scratch AS one\nCMD ["y"]\nFROM one\nENTRYPOINT ["/x"]',
  },
  { name: 'SHELL', text: 'SHELL ["/bin/x", "-c"]\nCMD hello', buildkit: 'an OCI image keeps it as well' },
  { name: 'STOPSIGNAL', text: 'STOPSIGNAL SIGQUIT' },
  { name: 'STOPSIGNAL by number', text: 'STOPSIGNAL 9' },
  {
    name: 'HEALTHCHECK',
    text: 'HEALTHCHECK --interval=5s --timeout=3s --retries=2 --start-period=1m CMD ["/check"]',
    buildkit: 'an OCI image keeps it as well',
  },
  { name: 'HEALTHCHECK NONE', text: 'HEALTHCHECK NONE', buildkit: 'an OCI image keeps it as well' },
  { name: 'MAINTAINER', text: 'MAINTAINER somebody <s@example.org>' },
  { name: 'ONBUILD', text: 'ONBUILD COPY a /x\nONBUILD ENV A=1', buildkit: 'an OCI image keeps it as well' },
  { name: 'ARG', text: 'ARG A=1\nENV B=$A' },
  { name: 'ARG given', text: 'ARG A=1\nARG B\nENV C=$A$B', args: { A: '2', B: '3' } },
  { name: 'ARG before FROM', text: 'ARG V=9\nFROM scratch\nARG V\nENV X=$V' },
  { name: 'ARG before FROM, not asked for', text: 'ARG V=9\nFROM scratch\nENV X=$V' },
  { name: 'ARG of a base', text: 'ARG base=scratch\nFROM $base\nENV X=1' },
  { name: 'ARG under ENV', text: 'ARG A=1\nENV A=2\nENV B=$A', args: { A: '3' } },
  { name: 'ARG of ARG', text: 'ARG A=1\nARG B=${A}2\nENV C=$B' },
  {
    name: 'inherited config',
    text: 'FROM scratch AS one\nENV A=1\nUSER 5\nWORKDIR /w\nEXPOSE 1\nLABEL l=1\nCMD ["c"]\nFROM one\nLABEL m=2',
  },
  { name: 'comments and lines that go on', text: '# a comment\nENV A=1 \\\n  # inside\n  B=2 \\\n\n  C=3' },
  {
    name: 'another escape',
    text: '# escape=`\nFROM scratch\nENV A=1 `\n B=c:\\x\nCOPY a /x',
    buildkit: 'the backslash is a character then',
  },
  { name: 'small letters', text: 'from scratch\ncopy a /x\nenv A=1' },
  { name: 'an instruction there is not', text: 'NONSENSE x', fails: true },
  { name: 'ENV without a value', text: 'ENV A', fails: true },
];

const ignores: BuildCase[] = [
  { name: 'a name', text: 'COPY . /', ignore: 'a\n' },
  { name: 'a directory', text: 'COPY . /', ignore: 'dir\n' },
  { name: 'a star', text: 'COPY . /', ignore: '*.txt\n' },
  { name: 'a star one level down', text: 'COPY . /', ignore: '*/*.txt\n' },
  { name: 'two stars', text: 'COPY . /', ignore: '**/*.txt\n' },
  { name: 'an exception', text: 'COPY . /', ignore: '*\n!dir\n' },
  { name: 'an exception below', text: 'COPY . /', ignore: 'dir\n!dir/sub/three.txt\n' },
  { name: 'the last one counts', text: 'COPY . /', ignore: '!a\na\n' },
  { name: 'comments and blanks', text: 'COPY . /', ignore: '# a\n\n  b  \n' },
  { name: 'a slash at the beginning', text: 'COPY . /', ignore: '/a\n/dir/one\n' },
  { name: 'a slash at the end', text: 'COPY . /', ignore: 'dir/\n' },
  { name: 'dots', text: 'COPY . /', ignore: './dir/../a\n' },
  { name: 'a question mark', text: 'COPY . /', ignore: '?\n' },
  { name: 'what is asked for is left out', text: 'COPY a /x', ignore: 'a\n', fails: true },
  { name: 'the Dockerfile itself', text: 'COPY . /', ignore: 'Dockerfile\n.dockerignore\n' },
  { name: 'a class', text: 'COPY . /', ignore: '[ab]\n' },
];

export const BUILD_CASES: Readonly<Record<string, readonly BuildCase[]>> = {
  COPY: copies,
  ADD: adds,
  stages,
  'the config': configs,
  '.dockerignore': ignores,
};
