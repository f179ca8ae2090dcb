/**
 * Bearer tokens: https://distribution.github.io/distribution/spec/auth/token/. The registry has a token endpoint of its own
 * (`/token`), or believes the tokens of another one by its public key.
 */
import { importSPKI, importX509, jwtVerify, SignJWT } from 'jose';
import { WctrError } from '../../errors.ts';
import { jsonReply, type RegistryRequest, type Reply, readBody } from '../http.ts';
import { Refusal } from '../refusal.ts';
import { isRepository } from '../route.ts';
import { type Access, type Action, type Authenticator, basicCredentials } from './access.ts';
import type { Passwords } from './passwords.ts';

interface Grant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface OwnTokensOptions {
  readonly passwords: Passwords;
  readonly anonymousPull: boolean;
  /** Signs tokens; several registries of one bucket share it. 32 bytes or more. */
  readonly secret: Uint8Array;
  /** `https://registry.example`, where clients reach this registry; default, what they called it. */
  readonly publicUrl?: string;
  readonly isSecure: boolean;
  readonly service?: string;
}

const ISSUER = 'wctr registry';
const SERVICE = 'wctr-registry';
const LIFETIME_S = 300;
const MAX_SCOPES = 64;
const MAX_FORM_BYTES = 64 * 1024;
const HOST = /^(?:[a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/;

export function ownTokens(options: OwnTokensOptions): Authenticator {
  const { passwords, anonymousPull, secret, publicUrl, isSecure, service = SERVICE } = options;
  if (secret.length < 32) throw new WctrError('invalid-argument', 'the key of tokens is shorter than 32 bytes');
  const verify = (token: string) =>
    jwtVerify(token, secret, { issuer: ISSUER, audience: service, algorithms: ['HS256'] });

  const issue = async (user: string | undefined, scopes: readonly string[]): Promise<Reply> => {
    const access = scopes.slice(0, MAX_SCOPES).flatMap((scope) => grantFor(scope, user !== undefined, anonymousPull));
    const issued = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({ access })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(service)
      .setSubject(user ?? '')
      .setIssuedAt(issued)
      .setNotBefore(issued - 5)
      .setExpirationTime(issued + LIFETIME_S)
      .setJti(crypto.randomUUID())
      .sign(secret);
    const body = {
      token,
      access_token: token,
      expires_in: LIFETIME_S,
      issued_at: new Date(issued * 1000).toISOString(),
    };
    return jsonReply(200, body, { 'cache-control': 'no-store' });
  };

  const endpoint = async (request: RegistryRequest): Promise<Reply> => {
    if (request.method === 'GET') {
      const query = new URLSearchParams(request.query);
      const header = request.header('authorization');
      const shown = basicCredentials(header);
      if (header !== undefined && (shown === undefined || !(await passwords.check(shown.user, shown.password)))) {
        throw wrongPassword();
      }
      if (shown === undefined && !anonymousPull) throw wrongPassword();
      return issue(
        shown?.user,
        query.getAll('scope').flatMap((scope) => scope.split(' ')),
      );
    }
    if (request.method !== 'POST') throw new Refusal('unsupported', 'tokens are asked for by GET or POST');
    const bytes = await readBody(request, MAX_FORM_BYTES);
    if (bytes === undefined) throw new Refusal('denied', 'the form is too long', { status: 413 });
    const form = new URLSearchParams(new TextDecoder().decode(bytes));
    if (form.get('grant_type') !== 'password') throw new Refusal('unsupported', 'unknown grant_type', { status: 400 });
    const user = form.get('username') ?? '';
    if (!(await passwords.check(user, form.get('password') ?? ''))) throw wrongPassword();
    return issue(user, (form.get('scope') ?? '').split(' '));
  };

  return {
    ...bearer(async (token) => (await verify(token)).payload),
    challenge: (request, scope, isTokenShown) => {
      const host = request.header('host') ?? '';
      // What the client calls us goes back to it, so it must not be able to end the quoted string.
      const base = publicUrl ?? `${isSecure ? 'https' : 'http'}://${HOST.test(host) ? host : 'localhost'}`;
      return challengeOf(`${base}/token`, service, scope, isTokenShown);
    },
    endpoint: (request) => (request.path === '/token' ? endpoint(request) : undefined),
  };
}

function wrongPassword(): Refusal {
  const headers = { 'www-authenticate': 'Basic realm="wctr registry", charset="UTF-8"' };
  return new Refusal('unauthorized', 'incorrect username or password', { headers });
}

export interface ForeignTokensOptions {
  /** The other's token endpoint. */
  readonly realm: string;
  readonly service: string;
  readonly issuer?: string;
  /** PEM: a certificate or a public key, and what it signs with: `RS256`, `ES256`, `EdDSA` ... */
  readonly publicKey: string;
  readonly algorithm: string;
}

export async function foreignTokens(options: ForeignTokensOptions): Promise<Authenticator> {
  const { realm, service, issuer, publicKey, algorithm } = options;
  if (!/^(RS|PS|ES)(256|384|512)$|^EdDSA$/.test(algorithm)) {
    throw new WctrError('invalid-argument', `unknown signature algorithm ${algorithm}`, {
      hint: 'RS256, ES256, EdDSA ...',
    });
  }
  const isCertificate = publicKey.includes('BEGIN CERTIFICATE');
  const key = await (isCertificate ? importX509(publicKey, algorithm) : importSPKI(publicKey, algorithm)).catch(
    (cause) => {
      throw new WctrError('invalid-argument', `the key of tokens cannot be read as ${algorithm}`, { cause });
    },
  );
  const rules = { audience: service, algorithms: [algorithm], ...(issuer === undefined ? {} : { issuer }) };
  return {
    ...bearer(async (token) => (await jwtVerify(token, key, rules)).payload),
    challenge: (_, scope, isTokenShown) => challengeOf(realm, service, scope, isTokenShown),
  };
}

function bearer(
  verified: (token: string) => Promise<{ sub?: string; access?: unknown }>,
): Pick<Authenticator, 'identify'> {
  return {
    async identify(request): Promise<Access | undefined> {
      const header = request.header('authorization');
      if (header === undefined) return { user: undefined, may: () => false };
      const [, token] = /^bearer +([\w.~+/=-]{1,16384})$/i.exec(header) ?? [];
      if (token === undefined) return undefined;
      try {
        const { sub, access } = await verified(token);
        const grants = Array.isArray(access) ? access.filter(isGrant) : [];
        return {
          // Also of a token for everyone: whoever has one has asked, and /v2/ says yes.
          user: sub ?? '',
          may: (repository, action) =>
            grants.some(
              ({ type, name, actions }) =>
                type === 'repository' && name === repository && (actions.includes(action) || actions.includes('*')),
            ),
        };
      } catch {
        return undefined;
      }
    },
  };
}

function isGrant(value: unknown): value is Grant {
  const { type, name, actions } = (value ?? {}) as Partial<Record<keyof Grant, unknown>>;
  return typeof type === 'string' && typeof name === 'string' && Array.isArray(actions);
}

/** `repository:a/b:pull,push` as far as it is granted. */
function grantFor(scope: string, isUser: boolean, anonymousPull: boolean): Grant[] {
  const [, name, actions] = /^repository(?:\([a-z0-9]+\))?:([^:]{1,255}):([a-z,*]{1,64})$/.exec(scope) ?? [];
  if (name === undefined || actions === undefined || !isRepository(name)) return [];
  const asked = actions.includes('*') ? ['pull', 'push', 'delete'] : actions.split(',');
  const granted = asked.filter((action) => isAction(action) && (isUser || (anonymousPull && action === 'pull')));
  return granted.length === 0 ? [] : [{ type: 'repository', name, actions: granted }];
}

function isAction(text: string): text is Action {
  return text === 'pull' || text === 'push' || text === 'delete';
}

function challengeOf(realm: string, service: string, scope: string | undefined, isTokenShown: boolean): string {
  const wanted = scope === undefined ? '' : `,scope="${scope}"`;
  const error = !isTokenShown ? '' : `,error="${scope === undefined ? 'invalid_token' : 'insufficient_scope'}"`;
  return `Bearer realm="${realm}",service="${service}"${wanted}${error}`;
}
