/** What docker has and wctr does not: answered so that clients say something true and go on where they can. */
import type { Api } from '../api.ts';
import { errorReply, json, pageNotFound, refused } from '../reply.ts';

/** There is no swarm: the CLI expects 404 with a JSON message, also below these. */
const SWARM = ['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs'];

export function absentRoutes({ app, buildkit }: Api): void {
  for (const name of SWARM) {
    app.all(`/${name}`, () => pageNotFound());
    app.all(`/${name}/*`, () => pageNotFound());
  }
  app.get('/plugins', () => json([]));

  // Where it is served, what comes here did not ask for a connection of its own.
  const why = buildkit === undefined ? 'BuildKit is not served' : 'BuildKit is served to clients that upgrade to h2c';
  const build = () => errorReply(refused(why, 'build with DOCKER_BUILDKIT=0'));
  app.post('/session', build);
  app.post('/grpc', build);

  app.get('/containers/:id/attach/ws', () => errorReply(refused('attach over WebSocket is not served: use attach')));
}
