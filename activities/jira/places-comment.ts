import type { AdfDocument } from './adf';
import { bulletList, code, doc, documentLength, link, paragraph, strong, TEXT_LIMIT, text, truncate } from './adf';

export interface PlacesNews {
  /** The short number: 12 for F-12. */
  readonly number: number;
  readonly findingUrl: string;
  /** How many places are new, and how many are gone, by the report. */
  readonly came: number;
  readonly gone: number;
  /** Where it is seen now: the first places, and how many there are. */
  readonly places: ReadonlyArray<{ page: string | null; selector: string | null }>;
  readonly count: number;
  readonly format: string;
  readonly startedAt: Date;
}

/** The comment on a grouped issue whose finding is seen at other places than before; as many of them as Jira takes. */
export function placesComment(news: PlacesNews): AdfDocument {
  for (const most of [50, 25, 12, 6, 3]) {
    const comment = commentOn({ ...news, places: news.places.slice(0, most) });
    if (documentLength(comment) <= TEXT_LIMIT) return comment;
  }
  return commentOn({ ...news, places: [] });
}

function commentOn({ number, findingUrl, came, gone, places, count, format, startedAt }: PlacesNews): AdfDocument {
  const at = `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const changes = [came > 0 ? `${came} new ${plural(came)}` : '', gone > 0 ? `${gone} ${plural(gone)} gone` : ''];
  const headline = `${changes.filter(Boolean).join(', ')}. `;
  const now = count === 0 ? 'The report found it nowhere any more.' : `It is seen at ${count} ${plural(count)} now:`;
  const shown = places.map(({ page, selector }) => [
    ...(page ? link(truncate(page, 300), page.length <= 2_000 ? page : '') : text('a place without an address')),
    ...(selector ? [...text(' '), ...code(truncate(selector, 200))] : []),
  ]);
  return doc([
    paragraph(strong(headline), link(`F-${number}`, findingUrl)),
    paragraph(text(`By the ${format} report of ${at}. ${now}`)),
    ...(shown.length > 0 ? [bulletList(shown)] : []),
    ...(count > places.length ? [paragraph(text(`and ${count - places.length} more, listed in Recheck.`))] : []),
  ]);
}

function plural(count: number): string {
  return count === 1 ? 'place' : 'places';
}
