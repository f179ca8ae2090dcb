// The build context of the base image: the box, and the directories, links and files of a small system. Made up here, so
// that modes and owners are the same wherever the image is built.

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
`;
const GROUP = `root:x:0:
daemon:x:1:
tty:x:5:
users:x:100:
nogroup:x:65534:
`;
const OS_RELEASE = `NAME="wctr base"
ID=wctr
PRETTY_NAME="wctr base"
`;
const PROFILE = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
`;

/** Path to mode. */
const DIRECTORIES = {
  bin: 0o755,
  etc: 0o755,
  home: 0o755,
  mnt: 0o755,
  opt: 0o755,
  root: 0o700,
  run: 0o755,
  sbin: 0o755,
  srv: 0o755,
  tmp: 0o1777,
  usr: 0o755,
  'usr/bin': 0o755,
  'usr/lib': 0o755,
  'usr/local': 0o755,
  'usr/local/bin': 0o755,
  'usr/local/lib': 0o755,
  'usr/local/sbin': 0o755,
  'usr/local/share': 0o755,
  'usr/sbin': 0o755,
  'usr/share': 0o755,
  var: 0o755,
  'var/cache': 0o755,
  'var/lib': 0o755,
  'var/log': 0o755,
  'var/tmp': 0o1777,
};

/** As the builder's FileTree. `names`: what the box can be called. */
export function rootTree(box, names) {
  const entries = new Map();
  const add = (path, entry) => void entries.set(path, { uid: 0, gid: 0, size: 0, ...entry });
  const file = (path, content, mode) => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const read = async function* () {
      yield bytes;
    };
    add(path, { kind: 'file', mode, size: bytes.length, read });
  };
  add('', { kind: 'directory', mode: 0o755 });
  add('root', { kind: 'directory', mode: 0o755 });
  for (const [path, mode] of Object.entries(DIRECTORIES)) add(`root/${path}`, { kind: 'directory', mode });
  file('box.wasm', box, 0o755);
  file('root/etc/passwd', PASSWD, 0o644);
  file('root/etc/group', GROUP, 0o644);
  file('root/etc/os-release', OS_RELEASE, 0o644);
  file('root/etc/profile', PROFILE, 0o644);
  for (const name of names) {
    add(`root/bin/${name}`, { kind: 'symlink', mode: 0o777, target: 'box' });
    add(`root/usr/bin/${name}`, { kind: 'symlink', mode: 0o777, target: '../../bin/box' });
  }
  return {
    what: 'the files of the base image',
    lstat: async (path) => entries.get(path),
    list: async (path) => {
      const prefix = path === '' ? '' : `${path}/`;
      const inside = [...entries.keys()].filter((key) => key !== '' && key.startsWith(prefix));
      return inside
        .map((key) => key.slice(prefix.length))
        .filter((key) => key !== '' && !key.includes('/'))
        .sort();
    },
  };
}
