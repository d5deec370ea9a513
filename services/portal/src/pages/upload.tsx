// One upload: its progress while it runs, then what became of every row.
import { useEffect } from 'preact/hooks';
import { call } from '../api/client';
import { isOver, rowsToFix, useProgress, type Upload } from '../api/progress';
import { Facts, LinkButton, Notice, PageTitle } from '../parts/basics';
import { UndoNotice, UndoPart } from '../parts/corrections';
import { DryRun } from '../parts/dry_run';
import { DownIcon } from '../parts/icons';
import { LoadBox, useLoad } from '../parts/load';
import { ReasonGroups, useReasons } from '../parts/reasons';
import { canFix } from '../parts/row_fix';
import { rowWish } from '../parts/row_search';
import { OUTCOMES, OutcomeTiles, RowList, type Outcome } from '../parts/rows';
import { ProgressBar } from '../parts/progress';
import { UploadTag } from '../parts/uploads_table';
import { here } from '../router';
import { bytesText, numberText, timeText } from '../text/format';
import { t } from '../text/messages';

/** While an undo runs, which sends no progress. */
const ASK_EVERY_MS = 2000;

export function UploadPage({ id }: { id: string }) {
  const path = { upload_id: id };
  const loaded = useLoad((signal) => call('get', '/api/v1/uploads/{upload_id}', { path, signal }), [id]);
  return (
    <div class="stack wide">
      <LoadBox titled from={loaded}>
        {(upload) => (
          <UploadView key={`${upload.upload_id} ${upload.dry_run}`} first={upload} onPosted={loaded.put} />
        )}
      </LoadBox>
    </div>
  );
}

function UploadView({ first, onPosted }: { first: Upload; onPosted: (next: Upload) => void }) {
  const { upload, lost, refresh } = useProgress(first);
  const over = isOver(upload);
  const undoing = upload.undo !== null && upload.undo?.done_at === null;
  useEffect(() => {
    const timer = undoing ? window.setInterval(refresh, ASK_EVERY_MS) : 0;
    return () => clearInterval(timer);
  }, [undoing]);
  return (
    <>
      <div class="stack tight">
        <PageTitle tag={<UploadTag upload={upload} />}>{upload.file_name}</PageTitle>
        <p>
          <a href={`/seminars/${upload.seminar_no}`}>
            {t('seminar')} {upload.seminar_no}
          </a>
        </p>
      </div>
      <DryRun upload={upload} onPosted={onPosted} />
      {upload.undo && <UndoNotice undo={upload.undo} />}
      <ProgressBar upload={upload} lost={lost} />
      {upload.problem && <Refusal problem={upload.problem} status={upload.status} seminarNo={upload.seminar_no} />}
      {upload.status !== 'refused' && <Outcomes upload={upload} over={over} onFixed={refresh} />}
      <section class="stack" aria-labelledby="file">
        <h2 id="file">{t('details')}</h2>
        <Facts rows={factsOf(upload)} />
      </section>
      <UndoPart upload={upload} done={refresh} />
    </>
  );
}

function factsOf(upload: Upload): [string, string | null][] {
  return [
    [t('received_at'), timeText(upload.received_at)],
    [t('done_at'), timeText(upload.done_at)],
    [t('rows_total'), upload.rows_total === null ? null : t('rows_n', { n: numberText(upload.rows_total) })],
    [t('file_size'), bytesText(upload.bytes)],
    [t('encoding'), upload.encoding === 'cp932' ? t('encoding_cp932') : (upload.encoding?.toUpperCase() ?? null)],
    [t('ignored_columns'), upload.ignored_columns.join(t('comma'))],
    ['SHA-256', upload.sha256],
  ];
}

type Problem = NonNullable<Upload['problem']>;

function Refusal(props: { problem: Problem; status: Upload['status']; seminarNo: string }) {
  const { problem } = props;
  return (
    <Notice tone="bad" title={problem.title}>
      <p>{problem.detail}</p>
      {problem.cure && <p>{problem.cure}</p>}
      {props.status === 'refused' && (
        <>
          <p>{t('nothing_posted')}</p>
          <div>
            <LinkButton href={`/seminars/${props.seminarNo}`}>{t('send_again')}</LinkButton>
          </div>
        </>
      )}
    </Notice>
  );
}

function Outcomes({ upload, over, onFixed }: { upload: Upload; over: boolean; onFixed: () => void }) {
  const asked = here().query.get('outcome');
  const { counts } = upload;
  const shown: Outcome =
    OUTCOMES.find((outcome) => outcome === asked) ??
    (['rejected', 'unmatched', 'waiting', 'posted'] as const).find((outcome) => counts[outcome] > 0) ??
    'posted';
  return (
    <>
      <section class="stack" aria-labelledby="outcomes">
        <h2 id="outcomes">{t('outcomes')}</h2>
        {over && upload.status === 'done' && rowsToFix(upload) === 0 && (
          <Notice tone="good">
            <p>{t('all_good')}</p>
          </Notice>
        )}
        {over && canFix(upload) && rowsToFix(upload) > 0 && (
          <Notice tone="warn" title={t('fix_next', { n: numberText(rowsToFix(upload)) })}>
            <p>{t('fix_ways')}</p>
          </Notice>
        )}
        <OutcomeTiles counts={counts} shown={over ? shown : undefined} searching={rowWish().q !== ''} />
        {upload.status === 'done' && <Downloads upload={upload} />}
      </section>
      {over && <Rows upload={upload} outcome={shown} onFixed={onFixed} />}
    </>
  );
}

function Rows({ upload, outcome, onFixed }: { upload: Upload; outcome: Outcome; onFixed: () => void }) {
  const wish = rowWish();
  const groups = useReasons(upload).data?.items ?? [];
  return (
    <>
      <ReasonGroups groups={groups} reason={wish.q ? '' : wish.reason} outcome={outcome} />
      <RowList
        upload={upload}
        outcome={outcome}
        wish={wish}
        group={groups.find((item) => item.outcome === outcome && item.reason === wish.reason)}
        onFixed={onFixed}
      />
    </>
  );
}

function Downloads({ upload }: { upload: Upload }) {
  const href = `/api/v1/uploads/${upload.upload_id}/result.csv`;
  const fix = rowsToFix(upload) > 0;
  return (
    <div class="stack tight">
      <div class="row">
        {fix && (
          <LinkButton look="main" href={`${href}?only=fix`} download>
            <DownIcon />
            {t('download_fix')}
          </LinkButton>
        )}
        <LinkButton href={href} download>
          <DownIcon />
          {t('download_all')}
        </LinkButton>
        {fix && <a href={`/seminars/${upload.seminar_no}`}>{t('send_again')}</a>}
      </div>
    </div>
  );
}
