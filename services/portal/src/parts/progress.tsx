// How far an upload is: a bar to see, and a word now and then to hear.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isOver, rowsJudged, rowsToFix, type Upload } from '../api/progress';
import { numberText } from '../text/format';
import { t } from '../text/messages';
import { Announce } from './basics';

const SAY_EVERY_PERCENT = 25;

export function ProgressBar({ upload, lost }: { upload: Upload; lost: boolean }) {
  const said = useSaid(upload);
  const over = isOver(upload);
  const total = upload.rows_total;
  const known = total !== null && total > 0;
  return (
    <>
      {!over && (
        <section class="card stack tight" aria-labelledby="progress">
          <h2 id="progress">{t('progress')}</h2>
          <progress
            class="tall"
            aria-labelledby="progress"
            {...(known ? { max: total, value: rowsJudged(upload) } : {})}
          />
          <p class="num">
            {known
              ? t('progress_rows', { done: numberText(rowsJudged(upload)), total: numberText(total) })
              : t('progress_reading')}
          </p>
          {lost && <p class="soft">{t('progress_lost')}</p>}
        </section>
      )}
      <Announce text={said} />
    </>
  );
}

/** What a screen reader hears: every quarter of the way, and the end once. */
function useSaid(upload: Upload): string {
  const [said, setSaid] = useState('');
  const lastStep = useRef(0);
  // An upload that was over long ago is not news; one just sent is, however quick it was.
  const watched = useRef(!isOver(upload) || history.state === 'sent');
  useEffect(() => {
    if (!watched.current) return;
    if (upload.status === 'refused') {
      setSaid(t('said_refused'));
    } else if (isOver(upload)) {
      setSaid(t('said_done', { posted: numberText(upload.counts.posted), fix: numberText(rowsToFix(upload)) }));
    } else if (upload.rows_total) {
      const percent = Math.floor((rowsJudged(upload) / upload.rows_total) * 100);
      const step = percent - (percent % SAY_EVERY_PERCENT);
      if (step > lastStep.current) {
        lastStep.current = step;
        setSaid(t('said_percent', { n: step }));
      }
    }
  }, [upload]);
  return said;
}
