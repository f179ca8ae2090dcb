import type { EndpointSettings, NetworkCreateRequest } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { json, nothing } from '../reply.ts';
import { body, filters } from '../request.ts';
import { CONNECT_NETWORK, CREATE_NETWORK, DISCONNECT_NETWORK } from '../schemas.ts';

export function networkRoutes({ app, engine }: Api): void {
  const { networks } = engine;
  app.get('/networks', async ({ req }) => json(await networks.list(filters(new URL(req.url)))));
  app.post('/networks/create', async ({ req }) => {
    return json(await networks.create((await body(req.raw, CREATE_NETWORK)) as NetworkCreateRequest), 201);
  });
  app.post('/networks/prune', async ({ req }) => json(await networks.prune(filters(new URL(req.url)))));
  app.get('/networks/:name', async ({ req }) => json(await networks.inspect(req.param('name'))));
  app.delete('/networks/:name', async ({ req }) => {
    await networks.remove(req.param('name'));
    return nothing();
  });
  app.post('/networks/:name/connect', async ({ req }) => {
    const { Container, EndpointConfig } = await body(req.raw, CONNECT_NETWORK);
    await networks.connect(
      req.param('name'),
      Container,
      ...(EndpointConfig == null ? [] : [EndpointConfig as EndpointSettings]),
    );
    return nothing(200);
  });
  app.post('/networks/:name/disconnect', async ({ req }) => {
    const { Container, Force } = await body(req.raw, DISCONNECT_NETWORK);
    await networks.disconnect(req.param('name'), Container, { force: Force === true });
    return nothing(200);
  });
}
