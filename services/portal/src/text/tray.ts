// Dry runs that are posted, and rows that are mended where they are.
import type { Entry } from './messages';

export const tray = {
  dry_run_only: ['まず確認だけする', 'Only check it first'],
  dry_run_only_hint: [
    '単位は登録されません。結果を見てから、同じ内容をそのまま登録できます。',
    'Nothing is posted. You can post the same file after looking at the result.',
  ],
  dry_run_title: ['確認だけの結果です。まだ何も登録していません。', 'This was only checked. Nothing is posted yet.'],
  dry_run_lead: [
    'この内容でよければ登録してください。登録のときの状態で、もう一度判定されます。',
    'If this is right, post it. It is judged again by what stands then.',
  ],
  dry_run_post: ['この内容で登録する', 'Post this'],
  fix_next: ['直す行が{n}行あります', 'Rows to correct: {n}'],
  fix_ways: [
    '少しなら、下の一覧の「直す」で1行ずつ直せます。多いときは、直す行だけをダウンロードし、直してからそのファイルを送ってください。',
    'For a few rows use Mend in the list below. For many, download the rows to correct, correct them and send that file.',
  ],
  fix_row: ['直す', 'Mend'],
  fix_row_n: ['{n}番目の行を直す', 'Mend row {n}'],
  fix_lead: [
    '書き直した欄だけが変わり、この行がもう一度判定されます。問題がなければすぐに登録されます。送ったファイルはそのまま残ります。',
    'Only the cells you write over change; the row is judged again and posts at once if nothing is wrong. The file stays as it was sent.',
  ],
  fix_others: ['ほかの欄も直す', 'Other cells'],
  fix_send: ['直してもう一度判定する', 'Mend and judge again'],
  fix_whole: [
    'この行は欄の数か文字が正しく読めないため、必要な欄をすべて入力してください。',
    'The cells of this row could not be read: please enter all that are needed.',
  ],
  fix_done: ['直した行: {outcome}', 'Mended: {outcome}'],
  fix_said: ['{n}番目の行は「{outcome}」になりました', 'Row {n} is now: {outcome}'],
  waits_until: [
    '{at} まで待ちます。それまでに登録が終わると、自動で計上されます。',
    'Waits until {at}. Posts by itself if My Page is complete by then.',
  ],
  notes_of_row: ['お知らせ', 'Notes'],
  suggestion: ['もしかして: {number}（{kana}）', 'Did you mean {number} ({kana})?'],
  suggestion_take: ['{number} に直す', 'Use {number}'],
  fixed_at: ['{at} に直しました', 'Mended at {at}'],
  cell_register_no: ['医籍登録番号', 'Register number'],
  cell_mamis_no: ['MAMIS番号', 'MAMIS number'],
  cell_name_kana: ['氏名カナ', 'Kana name'],
  cell_session_no: ['回（セッション番号）', 'Session'],
  cell_kind: ['単位種別', 'Kind'],
  cell_kind_hint: [
    '複数の種別を計上する行では、すべてを「/」でつないで書いてください。空欄にすると、セッションのすべての制度の単位を計上します。',
    'Where a row is for several kinds, write all of them, joined with "/". Left empty, it is for all programmes of the session.',
  ],
  cell_units: ['単位数', 'Units'],
  cell_entered_at: ['入室時刻', 'Entered at'],
  cell_left_at: ['退室時刻', 'Left at'],
  cell_attended: ['出欠', 'Attended'],
  cell_seminar_no: ['研修会番号', 'Seminar'],
} as const satisfies Record<string, Entry>;
