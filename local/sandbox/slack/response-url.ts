import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { Context } from './context';
import { APP } from './directory';
import { checkContent } from './methods/chat';
import { SlackError } from './methods/method';
import type { ResponseTarget } from './triggers';

const answerSchema = z.looseObject({
  text: z.string().optional(),
  blocks: z.unknown().optional(),
  attachments: z.unknown().optional(),
  metadata: z.unknown().optional(),
  response_type: z.enum(['ephemeral', 'in_channel']).default('ephemeral'),
  replace_original: z.boolean().default(false),
  delete_original: z.boolean().default(false),
  thread_ts: z.string().optional(),
});
type ResponseAnswer = z.infer<typeof answerSchema>;

/** The router of `/response/<id>`: 30 minutes, 5 uses, then 404 `used_url`. */
export function createResponseUrls(context: Context): Router {
  const router = Router();
  router.post('/:id', express.json({ type: '*/*' }), async (request: Request, response: Response) => {
    const target = await context.triggers.useResponseUrl(String(request.params.id));
    if (!target) return void response.status(404).send({ ok: false, error: 'used_url' });
    const parsed = answerSchema.safeParse(request.body);
    if (!parsed.success) return void response.status(400).send({ ok: false, error: 'invalid_payload' });
    try {
      await respond(context, target, parsed.data);
      response.send({ ok: true });
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      response.status(400).send({ ok: false, error: error.message, ...error.details });
    }
  });
  return router;
}

/** Does what a message given as an answer to an interaction says: replace or delete the original, or post a new one. */
export async function respond(context: Context, target: ResponseTarget, answer: ResponseAnswer): Promise<void> {
  const original = target.ts ? await context.messages.find({ channel: target.channel, ts: target.ts }) : null;
  if (answer.delete_original) {
    if (original) await context.messages.remove(original);
    return;
  }
  const content = checkContent(answer);
  if (answer.replace_original && original) {
    await context.messages.replace({ ...original, ...content, extra: { ...original.extra, ...content.extra } });
    return;
  }
  await context.messages.add({
    channel: target.channel,
    author: APP.userId,
    ...content,
    threadTs: answer.thread_ts ?? null,
    ephemeralFor: answer.response_type === 'ephemeral' ? target.userId : null,
  });
}

/** Shows the body of a command's 200: text or a message, ephemeral unless it says `in_channel`; an empty one nothing. */
export async function showCommandAnswer(
  context: Context,
  { target, body, typed }: { target: ResponseTarget; body: unknown; typed: string },
): Promise<void> {
  if (body === '' || body === null || body === undefined) return;
  const parsed = answerSchema.safeParse(typeof body === 'object' ? body : { text: String(body) });
  if (!parsed.success) return;
  const answer = parsed.data;
  if (answer.response_type === 'in_channel') {
    await context.messages.add({ channel: target.channel, author: target.userId, text: typed });
    if (answer.text === undefined && answer.blocks === undefined) return;
  }
  await respond(context, target, { ...answer, replace_original: false });
}
