/** What else a session is asked for: logins, secrets, a context that came by standard input, a place for what was built. */
import { WctrError } from '../../../errors.ts';
import { quote } from '../../../images/quote.ts';
import type { CredentialSource, Credentials } from '../../../images/registry/credentials.ts';
import { asWctrError, GrpcError, NOT_FOUND, UNIMPLEMENTED } from '../grpc/status.ts';
import { BYTES, CREDENTIALS_REQUEST, CREDENTIALS_RESPONSE, SECRET_REQUEST, SECRET_RESPONSE } from '../proto/session.ts';
import type { Session } from './session.ts';

const CREDENTIALS = '/moby.filesync.v1.Auth/Credentials';
const GET_SECRET = '/moby.buildkit.secrets.v1.Secrets/GetSecret';
const PULL = '/moby.upload.v1.Upload/Pull';
export const FILE_SEND = '/moby.filesync.v1.FileSend/DiffCopy';
const CHUNK_BYTES = 256 << 10;

/** Logins of the client; undefined where it has none to show. */
export function credentialsOf(session: Session, signal: AbortSignal): CredentialSource | undefined {
  if (!session.methods.has(CREDENTIALS)) return undefined;
  return async (Host) => {
    const call = session.client.unary(CREDENTIALS, CREDENTIALS_REQUEST, CREDENTIALS_RESPONSE, { Host }, signal);
    const { Username, Secret } = await call.catch((error: unknown) => {
      throw asWctrError(error, `the client gave no credentials for ${quote(Host)}`);
    });
    return credentials(Username, Secret);
  };
}

/** A secret without a user is an identity token: docker's own convention. */
function credentials(username: string, secret: string): Credentials | undefined {
  if (secret === '') return undefined;
  return username === '' ? { identityToken: secret } : { username, password: secret };
}

export function secretsOf(session: Session, signal: AbortSignal): (id: string) => Promise<Uint8Array | undefined> {
  return async (ID) => {
    if (!session.methods.has(GET_SECRET)) return undefined;
    try {
      const { data } = await session.client.unary(GET_SECRET, SECRET_REQUEST, SECRET_RESPONSE, { ID }, signal);
      // The message it is a view of goes.
      return data.slice();
    } catch (error) {
      if (error instanceof GrpcError && (error.code === NOT_FOUND || error.code === UNIMPLEMENTED)) return undefined;
      throw asWctrError(error, `the client gave no secret ${quote(ID)}`);
    }
  };
}

/** What `http://buildkit-session/<id>` stands for: a tar the client has read from its standard input. */
export async function* pullUpload(session: Session, address: URL, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!session.methods.has(PULL)) throw new WctrError('invalid-argument', 'the client uploads nothing');
  const metadata = { urlpath: address.pathname, urlhost: address.host };
  const stream = session.client.stream(PULL, BYTES, BYTES, metadata, signal);
  try {
    for await (const { data } of stream.messages) if (data.length > 0) yield data;
  } catch (error) {
    throw asWctrError(error, 'failed to read the build context');
  }
}

/** Hands the client what it wants to write to a file: its output number `exporter`. */
export async function sendFile(
  session: Session,
  exporter: number,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const stream = session.client.stream(FILE_SEND, BYTES, BYTES, exporterMetadata(session, exporter), signal);
  // It says nothing but how it ended.
  const ended = (async () => {
    for await (const _ of stream.messages);
  })();
  let failure: unknown;
  ended.catch((error: unknown) => {
    failure = error;
  });
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length && failure === undefined; at += CHUNK_BYTES) {
        await stream.send({ data: chunk.subarray(at, at + CHUNK_BYTES) });
      }
      if (failure !== undefined) break;
    }
    stream.end();
    await ended;
  } catch (error) {
    stream.cancel();
    throw asWctrError(error, 'failed to send what was built');
  }
}

export function exporterMetadata(session: Session, exporter: number): Record<string, string> {
  if (!session.methods.has(FILE_SEND)) throw new WctrError('invalid-argument', 'the client takes no files');
  return { 'buildkit-attachable-exporter-id': String(exporter) };
}
