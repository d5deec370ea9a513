// Sign-up without a postcard: loaded with its pages.
import { textsOf, type Entry } from './messages';

export const ts = textsOf({
  title: ['利用者登録の申し込み（はがきをお持ちでない方）', 'Sign up without a postcard'],
  lead: [
    '医師会の会員でない医師の方など、はがきが届いていない方のための申し込みです。医師免許証をお手元にご用意ください。',
    'For doctors who were sent no postcard, such as those who are no members of an association. Have your medical licence at hand.',
  ],
  step_1: ['申し込み内容を入力すると、確認のメールが届きます', 'Enter your data; a mail comes to confirm the address'],
  step_2: ['メールのリンクを開き、医師免許証の写しを送ります', 'Open its link and send a copy of your licence'],
  step_3: ['事務局が確認し、登録を始めるためのリンクをメールでお送りします', 'We look at it and mail you a link to begin your registration'],
  register_no: ['医籍登録番号', 'Medical register number'],
  register_no_hint: ['医師免許証に書かれた番号（数字1～7桁）', 'The number on your licence (1 to 7 digits)'],
  register_no_wrong: ['医籍登録番号を数字1～7桁で入力してください。', 'Enter the register number, 1 to 7 digits.'],
  licensed_on: ['医籍登録年月日', 'Date of registration'],
  licensed_on_hint: ['例: 平成18年4月20日、2006-04-20', 'e.g. 2006-04-20'],
  licensed_on_wrong: ['医籍登録年月日を「2006-04-20」や「平成18年4月20日」のように入力してください。', 'Enter the date such as 2006-04-20.'],
  sex_must: ['性別を選んでください。', 'Choose one.'],
  send: ['申し込む', 'Sign up'],
  sent: ['メールをご確認ください', 'Please check your mail'],
  sent_detail: [
    '{email} に確認のメールをお送りしました。24時間以内にメールのリンクを開いて、医師免許証の写しをお送りください。届かないときは、アドレスの誤りや迷惑メールのフォルダーをご確認ください。',
    'A mail is on its way to {email}. Open its link within 24 hours and send the copy of your licence. If nothing arrives, check the address and your spam folder.',
  ],
  licence_title: ['医師免許証の写しの送付', 'Send a copy of your licence'],
  licence_lead: [
    'メールアドレスを確認しました。医師免許証の写しを送ると、申し込みが完了します。',
    'Your address is confirmed. Send a copy of your licence to complete the sign-up.',
  ],
  licence: ['医師免許証の写し', 'Copy of your licence'],
  licence_hint: ['PDF・JPEG・PNG、10MBまで。スマートフォンで撮った写真でも構いません。', 'PDF, JPEG or PNG, at most 10 MB. A photo will do.'],
  licence_must: ['ファイルを選んでください。', 'Choose a file.'],
  licence_large: ['ファイルは10MBまでです。', 'The file may have at most 10 MB.'],
  licence_send: ['送って申し込みを完了する', 'Send and complete'],
  done: ['申し込みを受け付けました', 'Your sign-up is received'],
  done_detail: [
    '事務局が内容を確認し、結果をメールでお知らせします。数日かかることがあります。',
    'We will look at it and tell you by mail. It may take some days.',
  ],
} as const satisfies Record<string, Entry>);
