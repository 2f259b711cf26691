import type { AdfDocument, AdfNode } from './adf';
import { codeBlock, doc, documentLength, link, paragraph, paragraphs, strong, TEXT_LIMIT, text, truncate } from './adf';

export interface VerificationComment {
  /** The short number: 12 for F-12. */
  readonly findingNumber: number;
  readonly findingUrl?: string | undefined;
  /** Who or what decided: a person's name, or "the report of ...". */
  readonly decidedBy: string;
  readonly decidedAt: Date;
  readonly note?: string | null | undefined;
  /** What was looked at, in one sentence; the proof of a pass. */
  readonly proof?: string | undefined;
  /** What was seen instead, for a failure. */
  readonly failure?: string | undefined;
}

/** The comment on an issue whose finding passed its re-run. */
export function passedComment(input: VerificationComment): AdfDocument {
  return comment('Re-run passed: the fix is verified. ', input);
}

/** The comment on an issue whose finding failed its re-run; `reopened` says whether the issue was moved back. */
export function failedComment(input: VerificationComment & { readonly reopened?: boolean }): AdfDocument {
  const next = input.reopened ? 'The issue was reopened. ' : 'The finding stays flagged until a re-run passes. ';
  return comment(`Re-run failed: the problem is still there. ${next}`, input);
}

function comment(headline: string, input: VerificationComment): AdfDocument {
  const { findingNumber, findingUrl, decidedBy, decidedAt, note, proof, failure } = input;
  const name = `F-${findingNumber}`;
  const at = `${decidedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const build = (scale: number): AdfDocument => {
    const cut = (value: string) => truncate(value, Math.floor(8_000 * scale));
    const blocks: AdfNode[] = [
      paragraph(strong(headline), findingUrl ? link(name, findingUrl) : text(name)),
      paragraph(text(`Decided by ${truncate(decidedBy, 200)} on ${at}.`)),
      ...paragraphs(cut(proof ?? '')),
      ...(failure ? [codeBlock(cut(failure))] : []),
      ...paragraphs(cut(note ?? '')),
    ];
    return doc(blocks);
  };
  const roomy = build(1);
  return documentLength(roomy) <= TEXT_LIMIT ? roomy : build(0.1);
}
