// Invented answers for the pages' own development; the stories run against the real stack.
const id = (n) => `0195f2f0-6c1e-7b52-9a38-0c2f4b7d${String(n).padStart(4, '0')}`;
const doctor = { mamis_no: '6423876638', register_no: '460190', name: '濱田　正樹', name_kana: 'ハマダ　マサキ' };
export const accounts = {
  doctor: { id: id(1), login_id: '6423876638', role: 'doctor', name: '濱田　正樹', email: 'd460190@example.jp', organiser_code: null, l1_code: null, l2_code: null },
  temp: { id: id(2), login_id: 'T7KD-Q2MX', role: 'doctor', name: '濱田　正樹', email: null, organiser_code: null, l1_code: null, l2_code: null },
  organiser: { id: id(3), login_id: 'organiser', role: 'organiser', name: '見本 主催者', email: 'o@example.jp', organiser_code: 'P40', l1_code: null, l2_code: null },
  office_l2: { id: id(4), login_id: 'office_l2', role: 'office_l2', name: '福岡県医師会（見本）', email: 'l2@example.jp', organiser_code: null, l1_code: null, l2_code: '40' },
  office_l3: { id: id(5), login_id: 'office_l3', role: 'office_l3', name: '全国医師会（見本）', email: 'l3@example.jp', organiser_code: null, l1_code: null, l2_code: null },
  admin: { id: id(6), login_id: 'admin', role: 'admin', name: '管理者', email: 'a@example.jp', organiser_code: null, l1_code: null, l2_code: null },
};
export const doctorOf = (account) => ({ ...doctor, status: account.role === 'doctor' && account.login_id.startsWith('T') ? 'temp_issued' : 'active' });

export const site = {
  name: 'MAMIS 見本',
  disclaimer: 'この画面は見本です。実在の医師会・団体とは関係がありません。表示される人物・団体・番号はすべて架空のものです。',
  helpline: { phone: '0120-000-000', hours: '平日10:00～18:00（土・日・祝日を除く）', email: 'help@example.jp' },
  maintenance: [],
  notices: [
    { title: '認定産業医・認定健康スポーツ医の更新申請について', body: '更新に必要な単位がそろった方は、マイページから申請してください。手帳の原本は、申請のあと都道府県医師会へ郵送してください。', published_on: '2026-11-10' },
    { title: 'システムの点検', body: '12月6日（日）2:00～5:00は、点検のためご利用いただけません。', published_on: '2026-11-01' },
  ],
  terms: { version: '2025-04-01', text: Array.from({ length: 12 }, (_, i) => `第${i + 1}条\n利用者は、登録した情報が正確であることに責任を負い、ログインIDとパスワードを他人に知らせてはなりません。\n`).join('\n') },
};

export const profile = {
  ...doctor, former_name: '', former_name_kana: '', sex: 'M', birth_on: '1975-12-18', workplace_name: '見本診療所',
  workplace_postcode: '812-0001', workplace_address: '福岡県福岡市博多区見本1-2-3', residence_prefecture: '', residence_municipality: '', phone: '092-000-0000',
  email: 'd460190@example.jp', pending_email: null, l1_code: '40016', l2_code: '40', l3_category: 'B', status: 'active',
};

const line = (kind, kind_name, needed, posted, declared, verified, counted) => ({
  kind, kind_name, needed_half_units: needed, posted_half_units: posted, declared_half_units: declared,
  verified_half_units: verified, counted_half_units: counted,
});
const used = (n, held_on, title, kind, kind_name, half, delivery, counted = half, reason = null) => ({
  entry_id: `entry-${n}`, seminar_no: `S2026-00${n}`, seminar_title: title, session_no: '1', held_on, kind, kind_name,
  half_units: half, delivery, counted_half_units: counted, not_counted_reason: reason,
});
const evidence = [
  used(11, '2025-04-12', '産業医生涯研修会（春）', 'OPL-S', '生涯・専門', 6, 'venue'),
  used(12, '2025-04-19', '法令改正の要点', 'OPL-R', '生涯・更新', 4, 'web'),
  used(13, '2025-09-06', '職場のメンタルヘルス', 'OPL-S', '生涯・専門', 8, 'web', 6, 'web_cap'),
  used(14, '2026-02-14', '化学物質の自律的な管理', 'OPL-S', '生涯・専門', 4, 'venue'),
  used(15, '2022-04-10', '旧年度の補講', 'OPL-S', '生涯・専門', 2, 'venue', 0, 'before_period'),
];
export const standings = {
  items: [
    {
      programme: 'OP', rule_set: 'op-renewal-2025', certificate: { number: '0000025', valid_from: '2022-04-15', valid_to: '2027-04-14' },
      needed_half_units: 40, counted_half_units: 36,
      lines: [line('OPL-R', '生涯・更新', 2, 4, 0, null, 4), line('OPL-J', '生涯・実地', 2, 0, 0, null, 0), line('OPL-S', '生涯・専門', 2, 16, 16, null, 32)],
      credits: evidence, missing: [{ kind: null, half_units: 4 }, { kind: 'OPL-J', kind_name: '生涯・実地', half_units: 2 }],
      eligible: false, depends_on_declared: false, can_apply: false, why_not: 'requirement_not_met',
      opens_on: '2026-12-14', closes_on: '2027-10-14', open_application_id: null, as_of: '2026-11-22T12:00:00+09:00',
    },
    {
      programme: 'SP', rule_set: 'sp-renewal-2025', certificate: { number: '0000038', valid_from: '2022-02-01', valid_to: '2027-01-31' },
      needed_half_units: 10, counted_half_units: 10, lines: [line('SPR', '再研修', 0, 8, 2, null, 10)],
      credits: [used(16, '2025-06-01', '健康スポーツ医再研修会', 'SPR', '再研修', 8, 'venue')], missing: [], eligible: true,
      depends_on_declared: true, can_apply: true, why_not: null, opens_on: '2026-10-01', closes_on: '2027-01-31',
      open_application_id: null, as_of: '2026-11-22T12:00:00+09:00',
    },
  ],
};
export const credits = [
  ['OP', 'OPL-S', '生涯・専門', 6, '2025-04-12', '産業医生涯研修会（春）'],
  ['OP', 'OPL-R', '生涯・更新', 4, '2025-04-19', '法令改正の要点'],
  ['CME', 'CME-007', '医療の質と安全', 3, '2025-04-19', '法令改正の要点'],
  ['SP', 'SPR', '再研修', 8, '2025-06-01', '健康スポーツ医再研修会'],
  ['OP', 'OPL-S', '生涯・専門', 8, '2025-09-06', '職場のメンタルヘルス'],
  ['CSL', 'CSL-A1', '共通講習 医療安全', 2, '2025-09-06', '職場のメンタルヘルス'],
  ['OP', 'OPL-S', '生涯・専門', 4, '2026-02-14', '化学物質の自律的な管理'],
].map(([programme, kind, kind_name, half_units, held_on, seminar_title], n) => ({
  entry_id: `c${n}`, seminar_no: `S2026-00${11 + n}`, seminar_title, session_no: '1', session_title: '第一会場', held_on, programme, kind,
  kind_name, half_units, delivery: n === 1 ? 'web' : 'venue', posted_at: `${held_on}T18:00:00+09:00`, status: n === 6 ? 'cancelled' : 'posted',
})).reverse();

export const certificates = {
  items: [
    { programme: 'OP', number: '0000025', first_from: '2017-04-15', valid_from: '2022-04-15', valid_to: '2027-04-14', status: 'valid', periods: [{ number: '0000025', valid_from: '2022-04-15', valid_to: '2027-04-14' }, { number: '0000025', valid_from: '2017-04-15', valid_to: '2022-04-14' }] },
    { programme: 'SP', number: '0000038', first_from: '2022-02-01', valid_from: '2022-02-01', valid_to: '2027-01-31', status: 'renewable', periods: [{ number: '0000038', valid_from: '2022-02-01', valid_to: '2027-01-31' }] },
  ],
};
export const handbook = {
  items: [{ programme: 'OP', lines: [{ kind: 'OPL-S', half_units: 16, verified_half_units: null, last_on: '2025-03-08' }], declared_at: '2026-10-01T10:00:00+09:00', verified_at: null }],
};

export function application(n, status, extra = {}) {
  return {
    application_id: id(100 + n), programme: n % 2 ? 'OP' : 'SP', status, cycle: 'OP-2027-01', submitted_at: '2026-11-20T09:12:00+09:00',
    handbook: 'awaited', fee: 'awaited', fee_yen: 10000, l2_code: '40', eligible: true, depends_on_declared: true, doctor,
    certificate: { number: '0000025', valid_from: '2022-04-15', valid_to: '2027-04-14' }, total: { needed_half_units: 40, counted_half_units: 42 },
    return_reason: null, return_until: null, new_period: null,
    lines: [line('OPL-R', '生涯・更新', 2, 4, 2, null, 6), line('OPL-J', '生涯・実地', 2, 0, 4, null, 4), line('OPL-S', '生涯・専門', 2, 16, 16, null, 32)],
    missing: [], credits: evidence.map((credit) => ({ ...credit, status: 'posted' })),
    history: [{ at: '2026-11-20T09:12:00+09:00', action: 'submit', actor_role: 'doctor', reason: null }], ...extra,
  };
}
export const seminars = Array.from({ length: 8 }, (_, n) => ({
  seminar_no: `S2026-000${n + 1}`, title: ['産業医生涯研修会', '職場巡視の実際', '健康スポーツ医再研修会', '医療安全の基本'][n % 4], organiser_code: 'P40', organiser_name: '福岡県医師会（見本）',
  status: n === 5 ? 'cancelled' : 'published', held_from: `2026-11-${String(20 - n).padStart(2, '0')}`, held_to: `2026-11-${String(20 - (n % 3 ? n : n - 1)).padStart(2, '0')}`, sessions_total: 1 + (n % 3),
}));
export const sessionsOf = (seminar) => Array.from({ length: seminar.sessions_total }, (_, n) => ({
  session_no: String(n + 1), title: ['総論', '実地', '事例検討'][n], starts_at: `${seminar.held_from}T13:00:00+09:00`, ends_at: `${seminar.held_from}T15:00:00+09:00`,
  held_on: seminar.held_from, delivery: 'venue', grace_minutes: 10, capacity: 100,
  offers: [{ programme: 'OP', kinds: [{ kind: 'OPB-K', kind_name: '基礎・後期', half_units: 4 }, { kind: 'OPL-S', kind_name: '生涯・専門', half_units: 4 }] }, { programme: 'CME', kinds: [{ kind: 'CME-007', kind_name: '医療の質と安全', half_units: 4 }] }],
}));

const bad = (code, column, value, detail, cure) => ({ code, column, value, detail, cure });
const PROBLEMS = [
  bad('units_differ', '単位数', '3', '単位数「3」は、この回で得られる単位（2単位）と違います。', '研修会の単位に合わせて直すか、空欄にしてください。'),
  bad('register_no_format', '医籍登録番号', '3.62E+05', '医籍登録番号「3.62E+05」は番号として読めません。', '表計算ソフトで列を「文字列」にしてから、番号を入れ直してください。'),
  bad('time_format', '入室時刻', '午後1時', '入室時刻「午後1時」は時刻として読めません。', '13:00 のように書いてください。'),
];
export function rowsOf(upload, outcome) {
  const list = [];
  for (let n = 1; n <= upload.counts[outcome]; n++) {
    const fix = outcome === 'rejected' || outcome === 'unmatched';
    const problem = outcome === 'unmatched' ? bad('kana_mismatch', '氏名カナ', 'サトウ　ケンイチ', '番号の医師の氏名カナ（現在・旧姓）は「サトウ　ケンイチ」ではありません。', '番号と氏名カナが同じ医師のものか確かめてください。') : PROBLEMS[n % 3];
    list.push({
      row_no: n * 2, line_no: n * 2 + 1, outcome, reason: fix ? problem.code : outcome === 'waiting' ? 'no_my_page' : outcome === 'already_posted' ? 'same_upload' : null,
      problems: fix ? (n === 2 ? [problem, PROBLEMS[0]] : [problem]) : [], register_no: String(384411 + n), name_kana: 'サトウ　ケンイチ', same_as_row: outcome === 'already_posted' ? 3 : null, suggestion: null, fixed: null,
      notes: outcome === 'posted' && n === 2 ? [bad('lost_character', '氏名', '?藤　健一', '氏名「?藤　健一」に、保存のとき失われた文字（?）があるようです。計上には影響しません。', '次からは「CSV UTF-8」形式で保存すると失われません。')] : [],
      waits_until: outcome === 'waiting' ? '2027-02-20T12:00:00+09:00' : null,
    });
  }
  return list;
}
const allRows = (upload) => Object.keys(upload.counts).flatMap((outcome) => rowsOf(upload, outcome));
export function foundRows(upload, query) {
  const [outcome, reason, q] = ['outcome', 'reason', 'q'].map((name) => query.get(name));
  const rows = outcome ? rowsOf(upload, outcome) : allRows(upload);
  return rows.filter((row) => (!reason || row.reason === reason) && (!q || String(row.row_no) === q || row.register_no.includes(q) || row.name_kana.includes(q)));
}
export function reasonsOf(upload) {
  const groups = new Map();
  for (const { outcome, reason, problems } of allRows(upload).filter((row) => row.reason)) {
    const group = groups.get(outcome + reason) ?? { outcome, reason, rows: 0, title: reason, cure: problems[0]?.cure ?? '直す必要はありません。' };
    groups.set(outcome + reason, { ...group, rows: group.rows + 1 });
  }
  return [...groups.values()].sort((a, b) => b.rows - a.rows);
}
export { id };
