import type { IngestResult } from '../../prisma/reports';
import type { SourceRow } from '../../prisma/sources';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { parseReport } from '../ingest/parse';
import { ReportError } from '../ingest/report-error';
import { type Spooled, spoolReport } from '../ingest/spool';
import type { OperationDeps } from './deps';
import { demand } from './guard';
import { Refusal } from './refusal';
import { sessionById, sessionView } from './sessions';
import { sourceByKey } from './sources';
import type { Caller, Operations, ReportUpload } from './types';

type ReportOperations = Pick<Operations, 'ingestReport' | 'sessionReport'>;

const limitBytes = 100 * 1024 * 1024;

/** Reports coming in: for a source, and for a re-run session, whose cases they decide. */
export function createReportOperations({ db, engine }: OperationDeps): ReportOperations {
  async function take(input: {
    caller: Caller;
    source: SourceRow;
    upload: ReportUpload;
    spooled: Spooled;
    report: ParsedReport;
    sessionId: string | null;
  }): Promise<Exclude<IngestResult, { kind: 'conflict' }>> {
    const { caller, source, upload, spooled, report } = input;
    const result = await db.reports.ingest(caller.organisationId, {
      sourceId: source.id,
      idempotencyKey: idempotencyKeyOf(upload, spooled),
      bodyHash: spooled.sha256,
      format: report.format,
      startedAt: report.startedAt,
      scope: upload.scope ?? 'full',
      uploadedById: caller.memberId,
      sessionId: input.sessionId,
      grouping: source.rule.grouping,
      findings: report.findings,
      coverage: report.coverage,
    });
    if (result.kind === 'conflict') throw usedKey();
    return result;
  }

  return {
    async ingestReport(caller, sourceKey, upload) {
      demand(caller, 'ingest');
      const source = await sourceByKey(db, caller, sourceKey);
      return await spooledReport(upload, async (spooled) => {
        const earlier = await db.reports.earlier(caller.organisationId, {
          sourceId: source.id,
          idempotencyKey: idempotencyKeyOf(upload, spooled),
          bodyHash: spooled.sha256,
        });
        if (earlier?.kind === 'conflict') throw usedKey();
        if (earlier) return { repeated: true, report: viewOf(earlier.format, earlier) };
        const report = await parseReport({ path: spooled.path }, hintsOf(upload));
        const result = await take({ caller, source, upload, spooled, report, sessionId: null });
        return { repeated: result.kind === 'repeated', report: viewOf(report.format, result) };
      });
    },

    async sessionReport(caller, id, upload) {
      demand(caller, 'verdict');
      const session = await sessionById(db, caller, id);
      if (session.status === 'completed' || session.status === 'cancelled') {
        throw new Refusal(
          'conflict',
          'session_ended',
          `The session is ${session.status}. Send the report to the source, or make a new session.`,
        );
      }
      const source = await sourceByKey(db, caller, session.sourceKey);
      return await spooledReport(upload, async (spooled) => {
        const report = await parseReport({ path: spooled.path }, hintsOf(upload));
        const undecided = session.cases.filter((each) => each.verdict === null).map((each) => each.findingId);
        // Asked before the ingest changes what is known of the places where the findings were.
        const said = await db.reports.verdicts(caller.organisationId, undecided, {
          ...report,
          scope: upload.scope ?? 'full',
        });
        const taken = await take({ caller, source, upload, spooled, report, sessionId: session.id });
        const verdicts = [...said].flatMap(([findingId, verdict]) =>
          verdict === 'inconclusive' ? [] : [{ findingId, verdict }],
        );
        const ref = { organisationId: caller.organisationId, sessionId: session.id };
        if (verdicts.length > 0) await engine.verdicts(ref, { verdicts, memberId: null, reportId: taken.reportId });
        return sessionView(await sessionById(db, caller, id));
      });
    },
  };
}

/** The same body told of another page is another report: pa11y writes the same of every page without problems. */
function idempotencyKeyOf({ idempotencyKey, page }: ReportUpload, { sha256 }: Spooled): string {
  return idempotencyKey ?? (page === undefined ? sha256 : `${sha256} ${page}`);
}

function hintsOf({ startedAt, page, runner, standard }: ReportUpload) {
  return { startedAt, page, runner, standard, limitBytes };
}

async function spooledReport<T>(upload: ReportUpload, work: (spooled: Spooled) => Promise<T>): Promise<T> {
  let spooled: Spooled | null = null;
  try {
    spooled = await spoolReport(upload.body, { limitBytes, gzip: upload.gzip });
    return await work(spooled);
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    throw new Refusal(error.code === 'too_large' ? 'too_large' : 'invalid', error.code, error.message, {
      cause: error,
    });
  } finally {
    await spooled?.dispose();
  }
}

function viewOf(
  format: string,
  result: { reportId: string; counts: { new: number; seen: number; regressed: number; absent: number } },
) {
  const { new: fresh, seen, regressed, absent } = result.counts;
  return { report: result.reportId, format, findings: { new: fresh, seen, regressed, absent } };
}

function usedKey(): Refusal {
  return new Refusal(
    'conflict',
    'idempotency_key_used',
    'This Idempotency-Key was used for another file. Use a new key for a new file, or send the same file again.',
  );
}
