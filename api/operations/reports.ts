import type { IngestResult, Stored } from '../../prisma/reports';
import type { SourceRow } from '../../prisma/sources';
import type { ParsedReport } from '../../workflows/rules/report-verdict';
import { parseReport } from '../ingest/parse';
import { createAfterReport } from './after-report';
import type { OperationDeps } from './deps';
import { demand } from './guard';
import { Refusal } from './refusal';
import { reportBytes, type SpooledUpload, withUpload } from './report-upload';
import { sessionById, sessionView } from './sessions';
import { sourceByKey } from './sources';
import type { Caller, Operations, ReportUpload, ReportView } from './types';

type ReportOperations = Pick<Operations, 'ingestReport' | 'sessionReport'>;

/** Reports coming in: for a source, and for a re-run session, whose cases they decide. */
export function createReportOperations(deps: OperationDeps): ReportOperations {
  const { db, engine, log } = deps;
  const after = createAfterReport(deps);

  /** Brings new pictures to issues that are there. The report stands whatever becomes of that: a sweep looks after it. */
  async function attach(organisationId: string, findingIds: string[]): Promise<void> {
    try {
      const lacking = await db.evidence.lacking(organisationId, findingIds);
      await Promise.all(lacking.map((findingId) => engine.attachEvidence({ organisationId, findingId })));
    } catch (error) {
      log.warn({ err: error }, 'pictures are attached to their issues later');
    }
  }

  async function take(input: {
    caller: Caller;
    source: SourceRow;
    upload: ReportUpload;
    spooled: SpooledUpload;
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
      pictures: spooled.pictures,
    });
    if (result.kind === 'conflict') throw usedKey();
    if (result.kind === 'stored') await attach(caller.organisationId, result.picturedFindingIds);
    return result;
  }

  return {
    async ingestReport(caller, sourceKey, upload) {
      demand(caller, 'ingest');
      const source = await sourceByKey(db, caller, sourceKey);
      return await withUpload(upload, async (spooled) => {
        const earlier = await db.reports.earlier(caller.organisationId, {
          sourceId: source.id,
          idempotencyKey: idempotencyKeyOf(upload, spooled),
          bodyHash: spooled.sha256,
        });
        if (earlier?.kind === 'conflict') throw usedKey();
        if (earlier) {
          await after.reported(caller, source, earlier);
          return { repeated: true, report: viewOf(earlier.format, earlier) };
        }
        const report = await parseReport({ path: spooled.path }, hintsOf(upload));
        const result = await take({ caller, source, upload, spooled, report, sessionId: null });
        await after.reported(caller, source, result);
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
      return await withUpload(upload, async (spooled) => {
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
        // It counts for the source like any other report; what it has just said of its own cases is decided.
        await after.reported(caller, source, taken);
        return { ...sessionView(await sessionById(db, caller, id)), ...toldOf(taken) };
      });
    },
  };
}

/** The same body told of another page is another report: pa11y writes the same of every page without problems. */
function idempotencyKeyOf({ idempotencyKey, page }: ReportUpload, { sha256 }: { sha256: string }): string {
  return idempotencyKey ?? (page === undefined ? sha256 : `${sha256} ${page}`);
}

function hintsOf({ startedAt, page, runner, standard }: ReportUpload) {
  return { startedAt, page, runner, standard, limitBytes: reportBytes };
}

function viewOf(format: string, result: Pick<Stored, 'reportId' | 'counts' | 'pictures'>): ReportView {
  const { new: fresh, seen, regressed, absent } = result.counts;
  return { report: result.reportId, format, findings: { new: fresh, seen, regressed, absent }, ...toldOf(result) };
}

function toldOf({ pictures }: Pick<Stored, 'pictures'>) {
  return pictures ? { pictures } : {};
}

function usedKey(): Refusal {
  return new Refusal(
    'conflict',
    'idempotency_key_used',
    'This Idempotency-Key was used for another file. Use a new key for a new file, or send the same file again.',
  );
}
