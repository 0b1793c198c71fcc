import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { query } from '../parameters.ts';
import { Problem } from '../problem.ts';
import { problemResponse } from '../schemas.ts';
import type { Stream } from '../stream/stream.ts';

/** `/stream`: the live side, for clients that upgrade to WebSocket. */
export const streamRoutes =
  ({ stream }: { readonly stream: Stream }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.route({
      method: 'GET',
      url: '/stream',
      schema: {
        summary: 'Live events over WebSocket, subprotocol signalbox.v1',
        tags: ['stream'],
        querystring: query({}),
        response: { 101: Type.Null({ description: 'the connection is a WebSocket from here on' }), ...problemResponse },
      },
      handler: async () => {
        throw new Problem(426, 'this address speaks WebSocket: connect with ws:// or wss://');
      },
      wsHandler: (ws, request) => stream.accept(ws, request.raw.socket),
    });
  };
