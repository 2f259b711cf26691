import { z } from 'zod';
import { APP } from '../directory';
import { newId } from '../views';
import { args, getJoinedChannel, type Method, method, SlackError } from './method';

export const LARGEST_FILE = 20_000_000;
const images: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif' };

export const fileMethods: Record<string, Method> = {
  'files.getUploadURLExternal': method({ filename: args.name, length: args.count }, async (context, asked) => {
    if (!asked.filename) throw new SlackError('invalid_arguments');
    if (asked.length > LARGEST_FILE) throw new SlackError('file_upload_size_restricted');
    const id = newId('F');
    await context.db.query('insert into slack.files (id, name, title) values ($1, $2, $2)', [id, asked.filename]);
    return { file_id: id, upload_url: `${context.settings.baseUrl}/upload/${id}` };
  }),
  'files.completeUploadExternal': method(
    {
      files: z.array(z.looseObject({ id: z.string(), title: z.string().optional() })).min(1),
      channel_id: args.text,
      thread_ts: args.text,
      initial_comment: args.text,
    },
    async (context, asked) => {
      const files: Record<string, unknown>[] = [];
      for (const { id, title } of asked.files) {
        const { rows } = await context.db.query<{ id: string; name: string; title: string }>(
          'update slack.files set title = coalesce($2, title) where id = $1 and bytes is not null returning id, name, title',
          [id, title ?? null],
        );
        if (!rows[0]) throw new SlackError('file_not_found');
        files.push(fileObject(context.settings.baseUrl, rows[0]));
      }
      if (asked.channel_id) {
        const channel = await getJoinedChannel(context, asked.channel_id);
        await context.messages.add({
          channel: channel.id,
          author: APP.userId,
          threadTs: asked.thread_ts ?? null,
          text: asked.initial_comment ?? '',
          extra: { files },
        });
      }
      return { files };
    },
  ),
  'files.info': method({ file: args.name }, async (context, { file }) => {
    const { rows } = await context.db.query<{ id: string; name: string; title: string }>(
      'select id, name, title from slack.files where id = $1',
      [file],
    );
    if (!rows[0]) throw new SlackError('file_not_found');
    return { file: fileObject(context.settings.baseUrl, rows[0]) };
  }),
};

/** The media type of an uploaded file, by its name. */
export function mediaType(name: string): string {
  return images[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

function fileObject(baseUrl: string, file: { id: string; name: string; title: string }) {
  return {
    id: file.id,
    name: file.name,
    title: file.title,
    mimetype: mediaType(file.name),
    user: APP.userId,
    url_private: `${baseUrl}/files/${file.id}`,
    permalink: `${baseUrl}/files/${file.id}`,
  };
}
