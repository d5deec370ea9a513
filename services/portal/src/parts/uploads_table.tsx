// A list of uploads, newest first.
import type { Upload } from '../api/progress';
import { rowsToFix } from '../api/progress';
import { numberText, timeText } from '../text/format';
import { codeTitle, t, tOf } from '../text/messages';
import { Tag, type Tone } from './basics';
import { Table, type Column } from './table';

const TONES: Record<Upload['status'], Tone> = {
  received: 'info',
  reading: 'info',
  posting: 'info',
  done: 'good',
  refused: 'bad',
  undone: 'plain',
};

/** What is over may still want somebody's hand. */
export function UploadTag({ upload }: { upload: Upload }) {
  const { status } = upload;
  if (status === 'done' && rowsToFix(upload) > 0) return <Tag tone="warn">{t('upload_to_fix')}</Tag>;
  return <Tag tone={TONES[status]}>{tOf('upload', status)}</Tag>;
}

export function UploadsTable(props: { items: Upload[]; caption: string; hideCaption?: boolean; seminar?: boolean }) {
  const columns: Column<Upload>[] = [
    {
      id: 'file',
      label: t('file_name'),
      head: true,
      cell: (upload) => <a href={`/uploads/${upload.upload_id}`}>{upload.file_name}</a>,
    },
    { id: 'received', label: t('received_at'), kind: 'date', cell: (upload) => timeText(upload.received_at) },
    {
      id: 'rows',
      label: t('rows_total'),
      kind: 'num',
      cell: (upload) => upload.rows_total !== null && numberText(upload.rows_total),
    },
    { id: 'posted', label: codeTitle('posted'), kind: 'num', cell: (upload) => numberText(upload.counts.posted) },
    { id: 'fix', label: t('to_fix'), kind: 'num', cell: (upload) => numberText(rowsToFix(upload)) },
    { id: 'status', label: t('status'), kind: 'tight', cell: (upload) => <UploadTag upload={upload} /> },
  ];
  if (props.seminar)
    columns.splice(1, 0, {
      id: 'seminar',
      label: t('seminar_no'),
      kind: 'tight',
      cell: (upload) => <a href={`/seminars/${upload.seminar_no}`}>{upload.seminar_no}</a>,
    });
  return (
    <Table
      caption={props.caption}
      hideCaption={props.hideCaption}
      columns={columns}
      rows={props.items}
      keyOf={(upload) => upload.upload_id}
      empty={t('uploads_none')}
    />
  );
}
