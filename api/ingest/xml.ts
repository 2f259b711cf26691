import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { errorCode, ReportError } from './report-error';

/** What a reader of XML elements gets; `wantsText` switches character data on where it is of use. */
export type XmlHandler = {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  close(name: string): void;
  text(text: string): void;
  wantsText(): boolean;
};

const MAX_DEPTH = 100;
/** Input without a single tag: one text, such as the captured output of a suite. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
const predefined = { amp: '&', gt: '>', lt: '<', quot: '"', apos: "'" };

/**
 * Reads XML as it arrives. Document types and entities of one's own are refused: no report needs them, and attacks do.
 * Throws `ReportError`: `truncated`, `invalid_xml`, `entities_refused`, `too_deep`, `text_too_long`, `wrong_encoding`.
 */
export async function readXml(chunks: AsyncIterable<Uint8Array>, handler: XmlHandler): Promise<void> {
  const parser = new SaxesParser({ xmlns: false, position: false });
  // Without a prototype: "&constructor;" must not find what every object inherits.
  parser.ENTITIES = Object.assign(Object.create(null), predefined);
  const guard = { depth: 0, bytes: 0, ended: false };
  const onText = (text: string) => handler.text(text);
  let listening = false;
  const listen = () => {
    if (handler.wantsText() === listening) return;
    listening = !listening;
    if (listening) parser.on('text', onText);
    else parser.off('text');
  };
  parser.on('error', (error) => {
    throw xmlError(error, guard.ended);
  });
  parser.on('doctype', () => {
    throw new ReportError(
      'entities_refused',
      'The XML has a document type (<!DOCTYPE ...>). Reports need none: remove it.',
    );
  });
  parser.on('opentag', (tag: SaxesTagPlain) => {
    guard.bytes = 0;
    guard.depth += 1;
    if (guard.depth > MAX_DEPTH)
      throw new ReportError('too_deep', `The XML is nested deeper than ${MAX_DEPTH} levels; no report is.`);
    handler.open(tag.name, tag.attributes);
    listen();
  });
  parser.on('closetag', (tag: SaxesTagPlain) => {
    guard.bytes = 0;
    guard.depth -= 1;
    handler.close(tag.name);
    listen();
  });
  parser.on('cdata', (text) => {
    if (handler.wantsText()) onText(text);
  });
  for await (const text of decoded(chunks)) {
    guard.bytes += text.length;
    if (guard.bytes - text.length > MAX_TEXT_BYTES) throw textTooLong();
    parser.write(text);
  }
  guard.ended = true;
  parser.close();
}

async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (errorCode(error) !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    const message = 'The file is not UTF-8. Save it as UTF-8 and send it again.';
    throw new ReportError('wrong_encoding', message, { cause: error });
  }
}

function xmlError(error: Error, ended: boolean): ReportError {
  // saxes prefixes its messages with the position where it has one.
  const reason = error.message.replace(/^(?:undefined:)?\d*:?\d*:?\s*/, '').slice(0, 160);
  if (ended) return new ReportError('truncated', `The XML ends in the middle (${reason}). Send the whole file again.`);
  if (/entity/.test(reason)) {
    const message = `The XML uses an entity that it may not (${reason}). Only &amp; &lt; &gt; &quot; &apos; and numbers are taken.`;
    return new ReportError('entities_refused', message);
  }
  return new ReportError('invalid_xml', `The file is not valid XML (${reason}). Send what the tool wrote, unchanged.`);
}

function textTooLong(): ReportError {
  const megabytes = MAX_TEXT_BYTES / 1_048_576;
  const message = `The file holds one text longer than ${megabytes} MB. Leave captured output out of the report.`;
  return new ReportError('text_too_long', message);
}
