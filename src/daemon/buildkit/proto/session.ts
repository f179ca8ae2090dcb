/** What a client's session answers: session/**.proto of github.com/moby/buildkit, types/*.proto of github.com/tonistiigi/fsutil. */
import { bytes, int32, int64, message, one, string, uint32 } from './codec.ts';

/** fsutil.types.Stat: `mode` is Go's os.FileMode. */
export const STAT = message({
  path: string(1),
  mode: uint32(2),
  uid: uint32(3),
  gid: uint32(4),
  size: int64(5),
  /** Nanoseconds since 1970. */
  modTime: int64(6),
  linkname: string(7),
});

export const PACKET_STAT = 0;
export const PACKET_REQ = 1;
export const PACKET_DATA = 2;
export const PACKET_FIN = 3;
export const PACKET_ERR = 4;

/** fsutil.types.Packet */
export const PACKET = message({ type: int32(1), stat: one(2, STAT), ID: uint32(3), data: bytes(4) });

/** moby.filesync.v1.BytesMessage and moby.upload.v1.BytesMessage */
export const BYTES = message({ data: bytes(1) });

/** moby.filesync.v1.Auth */
export const CREDENTIALS_REQUEST = message({ Host: string(1) });
export const CREDENTIALS_RESPONSE = message({ Username: string(1), Secret: string(2) });

/** moby.buildkit.secrets.v1.Secrets */
export const SECRET_REQUEST = message({ ID: string(1) });
export const SECRET_RESPONSE = message({ data: bytes(1) });

/** grpc.health.v1.Health */
export const HEALTH_REQUEST = message({ service: string(1) });
export const HEALTH_RESPONSE = message({ status: int32(1) });

/** FileMode's type bits: https://pkg.go.dev/io/fs#FileMode */
export const GO_MODE_DIR = 0x8000_0000;
export const GO_MODE_SYMLINK = 0x0800_0000;
/** All of them: nothing set is a regular file. */
export const GO_MODE_TYPE = 0x8f28_0000;
export const GO_MODE_SETUID = 0x0080_0000;
export const GO_MODE_SETGID = 0x0040_0000;
export const GO_MODE_STICKY = 0x0010_0000;
