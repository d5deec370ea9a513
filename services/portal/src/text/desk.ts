// Accounts of others: only the pages of offices and the call centre load these texts.
import { textsOf, type Entry } from './messages';

export const td = textsOf({
  links_title: ['認定医情報の反映を待つ方', 'Certification data to link'],
  links_lead: [
    'マイページの登録から1か月以内に、認定医の情報を反映します。反映すると、ご本人に連絡されます。',
    'Certification data is linked within a month of registration. The doctor is told when it is done.',
  ],
  links_late_only: ['期限を過ぎた方だけを表示する', 'Only those whose day has passed'],
  links_list: ['反映を待つ方の一覧', 'Doctors who wait'],
  links_none: ['待っている方はいません。', 'Nobody waits.'],
  my_page_at: ['マイページの登録', 'Registered'],
  due_on: ['期限', 'Due'],
  late: ['期限超過', 'late'],
  has_data: ['認定証', 'Certificate'],
  has_data_yes: ['あり', 'on record'],
  has_data_no: ['なし', 'none'],
  link: ['反映する', 'Link'],
  link_of: ['{name}さんの情報を反映する', 'Link the data of {name}'],
  linked: ['{name}さんの情報を反映しました。', 'The data of {name} is linked.'],
  reason: ['理由', 'Reason'],
  reason_hint: ['記録に残ります。', 'Kept in the record.'],
  reason_must: ['理由を入力してください。', 'Enter a reason.'],
  cancel: ['やめる', 'Cancel'],
} as const satisfies Record<string, Entry>);
