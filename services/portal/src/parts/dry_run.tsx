// A dry run: says that nothing is posted yet, and posts the same bytes by one button.
import { command } from '../api/client';
import type { Upload } from '../api/progress';
import { may } from '../gen/access';
import { session } from '../session';
import { t } from '../text/messages';
import { Notice } from './basics';
import { SendButton } from './fields';
import { FormBox, useForm } from './form';

export function DryRun({ upload, onPosted }: { upload: Upload; onPosted: (next: Upload) => void }) {
  const form = useForm({});
  if (!upload.dry_run) return null;
  const ready = upload.status === 'done' && may(session()?.account.role ?? '', 'attendance_post');
  return (
    <Notice tone="info" title={t('dry_run_title')}>
      {ready && (
        <FormBox
          form={form}
          label={t('dry_run_post')}
          send={async () => {
            const path = { upload_id: upload.upload_id };
            const next = await command('post', '/api/v1/uploads/{upload_id}/post', { path, body: {} });
            // Answered at once, or followed to its end: both are the upload.
            if ('upload_id' in next) onPosted(next);
          }}
        >
          <p>{t('dry_run_lead')}</p>
          <div>
            <SendButton busy={form.busy}>{t('dry_run_post')}</SendButton>
          </div>
        </FormBox>
      )}
    </Notice>
  );
}
