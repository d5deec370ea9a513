/* What one row says: numbers, names, sessions, kinds, units, times; several problems at once. */
#include <stdio.h>

#include "attendance_cases.h"
#include "lib/test.h"

static void numbers_and_doctors(void **state)
{
    char rows[512];

    (void)snprintf(rows, sizeof(rows),
                   "101,\n,%010ld\n101,%010ld\n101,%010ld\n999,\n999,%010ld\n999,%010ld\n"
                   "x,1\nx,%010ld\n101,1\n104,\n",
                   (long)mamis_no_make(101), (long)mamis_no_make(101), (long)mamis_no_make(102),
                   (long)mamis_no_make(101), (long)mamis_no_make(999), (long)mamis_no_make(101));
    expect(*state, "register_no,mamis_no", rows,
           "posted OPL-S:4 CME-007:3\n"
           "already_posted same_upload =1\n"
           "already_posted same_upload =1\n"
           "unmatched numbers_disagree !numbers_disagree mamis_no=0000001025\n"
           "unmatched doctor_unknown !doctor_unknown register_no=999\n"
           "unmatched numbers_disagree !numbers_disagree mamis_no=0000001017\n"
           "unmatched doctor_unknown !doctor_unknown register_no=999\n"
           "rejected register_no_format !register_no_format register_no=x !mamis_no_format "
           "mamis_no=1\n"
           "rejected register_no_format !register_no_format register_no=x\n"
           "rejected mamis_no_format !mamis_no_format mamis_no=1\n"
           "unmatched doctor_closed !doctor_closed register_no=104\n");
    expect(*state, "register_no,name", ",x\n",
           "rejected number_missing !number_missing register_no=\n");
    expect(*state, "mamis_no,name", " ,x\n",
           "rejected number_missing !number_missing 医籍登録番号=\n");
}

static void kana(void **state)
{
    expect(*state, "register_no,フリ ガナ,氏名",
           "101,ｻﾄｳ ｹﾝｲﾁ,\n"
           "102,スミス-タナカ　リョウコ,\n"
           "107,さとう けんいち,佐?\n"
           "108,サトウ,\n"
           "109,サトウケンイチ・,\n"
           "102,シャルマ　リョウコ,?\n"
           "102,スミスータナカリヨウコ,\n"
           "110, 　,x\n",
           "posted OPL-S:4 CME-007:3\n"
           "posted OPB-K:4 CME-007:3\n"
           "posted OPB-K:4 CME-007:3 ~lost_character\n"
           "unmatched kana_mismatch !kana_mismatch フリ ガナ=サトウ\n"
           "unmatched kana_mismatch !kana_mismatch フリ ガナ=サトウケンイチ・\n"
           "unmatched kana_mismatch !kana_mismatch フリ ガナ=シャルマ　リョウコ ~small_kana\n"
           "unmatched kana_mismatch !kana_mismatch フリ ガナ=スミスータナカリヨウコ ~small_kana\n"
           "posted OPB-K:4 CME-007:3\n");
}

static void seminar_and_session(void **state)
{
    struct fixture *fixture = *state;

    expect(fixture, "seminar_no,session_no,register_no",
           "S2025-0001,1,101\nＳ２０２５－０００１,０１,107\n,,108\nS2025-0002,1,109\n,2,110\n",
           "posted OPL-S:4 CME-007:3\n"
           "posted OPB-K:4 CME-007:3\n"
           "posted OPB-K:4 CME-007:3\n"
           "rejected seminar_mismatch !seminar_mismatch seminar_no=S2025-0002>S2025-0001\n"
           "rejected session_unknown !session_unknown session_no=2>1\n");
    fixture->seminar.count = 3;
    set_session(&fixture->sessions[1], "10", "2025-10-10T16:00:00+09:00",
                "2025-10-10T17:00:00+09:00", "CME-008:1");
    set_session(&fixture->sessions[2], "Ａ", "2025-10-10T18:00:00+09:00",
                "2025-10-10T19:00:00+09:00", "CME-009:1");
    expect(fixture, "session_no,register_no", "010,101\nA,107\na,108\n,109\n１０,110\n-1,111\n",
           "posted CME-008:2\n"
           "posted CME-009:2\n"
           "rejected session_unknown !session_unknown session_no=a>1, 10, Ａ\n"
           "rejected session_missing !session_missing session_no=>1, 10, Ａ\n"
           "posted CME-008:2\n"
           "rejected session_unknown !session_unknown session_no=-1>1, 10, Ａ\n");
}

static void days(void **state)
{
    struct fixture *fixture = *state;

    fixture->received_us = fixture->sessions[0].ends_us;
    expect(fixture, "register_no", "101", "posted OPL-S:4 CME-007:3\n");
    fixture->received_us--;
    expect(fixture, "register_no", "101", "rejected session_not_ended !session_not_ended\n");
    set_session(&fixture->sessions[0], "1", "2025-03-31T23:00:00+09:00",
                "2025-03-31T23:59:00+09:00", "OPL-S:2");
    expect(fixture, "register_no", "101", "rejected held_before_cutover !held_before_cutover\n");
}

static void kinds_and_units(void **state)
{
    expect(*state, "register_no,単位種別,単位",
           "101,,\n"
           "107,opb-k,2\n"
           "108,生涯専門/ＣＭＥ－００７,\n"
           "109,CME-007/OPL-S,\n"
           "110,CME-007,１．５\n"
           "111,CME-007,1\n"
           "112,CME-007/OPL-S,2\n"
           "113,,2\n"
           "114,,x\n"
           "115,OPB-K/OPL-S,\n"
           "116,OPL-R,2\n"
           "117,応用研修,1\n"
           "118,OPX-1/KKJ,1\n"
           "119,OPL-S/OPL-S/CME-007,9\n",
           "posted OPL-S:4 CME-007:3\n"
           "posted OPB-K:4\n"
           "posted OPL-S:4 CME-007:3\n"
           "posted OPL-S:4 CME-007:3\n"
           "posted CME-007:3\n"
           "rejected units_differ !units_differ 単位=1>1.5\n"
           "rejected units_differ !units_differ 単位=2\n"
           "rejected units_differ !units_differ 単位=2\n"
           "rejected units_format !units_format 単位=x\n"
           "rejected kind_twice_in_programme !kind_twice_in_programme 単位種別=OPB-K/OPL-S\n"
           "rejected kind_not_offered !kind_not_offered 単位種別=OPL-R>OPB-K, OPL-S, CME-007\n"
           "rejected kind_unknown !kind_unknown 単位種別=応用研修>OPB-K, OPL-S, CME-007\n"
           "rejected kind_unknown !kind_unknown 単位種別=OPX-1/KKJ>OPB-K, OPL-S, CME-007 "
           "!kind_not_offered 単位種別=KKJ>OPB-K, OPL-S, CME-007\n"
           "rejected kind_twice_in_programme !kind_twice_in_programme "
           "単位種別=OPL-S/OPL-S/CME-007\n");
}

static void times(void **state)
{
    struct fixture *fixture = *state;

    fixture->sessions[0].grace_minutes = 10;
    set_offers(&fixture->sessions[0], "CME-007:2");
    expect(fixture, "register_no,entered_at,left_at",
           "107,13:10,14:50\n"
           "108,13:10:01,15:00\n"
           "109,13:00,14:49:59\n"
           "110,2025-10-09 13:00,2025-10-11 9:00\n"
           "111,13:00,\n"
           "112,,14:00\n"
           "113,x,y\n"
           "114,x,\n"
           "115,13:30,13:30\n"
           "116,13:20,x\n",
           "posted CME-007:4\n"
           "rejected late_arrival !late_arrival entered_at=13:10:01>2025-10-10 13:10\n"
           "rejected early_leave !early_leave left_at=14:49:59>2025-10-10 14:50\n"
           "posted CME-007:4\n"
           "rejected time_incomplete !time_incomplete left_at=\n"
           "rejected time_incomplete !time_incomplete entered_at= !early_leave "
           "left_at=14:00>2025-10-10 14:50\n"
           "rejected time_format !time_format entered_at=x\n"
           "rejected time_format !time_format entered_at=x !time_incomplete left_at=\n"
           "rejected time_order !time_order left_at=13:30>13:30 !late_arrival "
           "entered_at=13:30>2025-10-10 13:10 !early_leave left_at=13:30>2025-10-10 14:50\n"
           "rejected time_format !time_format left_at=x !late_arrival "
           "entered_at=13:20>2025-10-10 13:10\n");
    expect(fixture, "register_no,入室時刻", "107,13:00\n108,\n",
           "rejected time_incomplete !time_incomplete 退室時刻=\n"
           "posted CME-007:4\n");
}

static void over_midnight(void **state)
{
    struct fixture *fixture = *state;

    set_session(&fixture->sessions[0], "1", "2025-10-10T22:30:00+09:00",
                "2025-10-11T00:30:00+09:00", "CME-007:2");
    expect(
        fixture, "register_no,entered_at,left_at",
        "107,22:25,00:35\n108,22:30,00:29\n109,00:05,00:30\n110,2025-10-10 22:00,2025-10-11 1:00\n",
        "posted CME-007:4\n"
        "rejected early_leave !early_leave left_at=00:29>2025-10-11 00:30\n"
        "rejected late_arrival !late_arrival entered_at=00:05>2025-10-10 22:30\n"
        "posted CME-007:4\n");
}

static void shape_and_absence_end_the_judging(void **state)
{
    expect(*state, "register_no,kind,attended",
           "101,x\n"
           "101,x,1,2\n"
           "\x8E\x81,x,1\n"
           "\x8E\x81,x\n"
           "nobody,x,×\n"
           "101,,no\n"
           "101,,\n"
           "nobody,x,△\n",
           "rejected field_count !field_count>3\n"
           "rejected field_count !field_count>3\n"
           "rejected bad_encoding !bad_encoding>UTF-8\n"
           "rejected field_count !field_count>3 !bad_encoding>UTF-8\n"
           "absent\n"
           "absent\n"
           "posted OPL-S:4 CME-007:3\n"
           "rejected register_no_format !register_no_format register_no=nobody !kind_unknown "
           "kind=x>OPB-K, OPL-S, CME-007 !attended_format attended=△\n");
}

static void problems_stand_in_their_order(void **state)
{
    struct fixture *fixture = *state;

    fixture->sessions[0].leader_register_no = 104;
    fixture->received_us = us("2025-10-10T12:00:00+09:00");
    expect(fixture, "attended,left_at,entered_at,units,kind,seminar_no,name_kana,register_no",
           "?,12:00,14:00,1.2,OPL-R,X,カトウ,104\n",
           "unmatched kana_mismatch !kana_mismatch name_kana=カトウ !doctor_closed register_no=104"
           " !seminar_mismatch seminar_no=X>S2025-0001"
           " !kind_not_offered kind=OPL-R>OPB-K, OPL-S, CME-007 !units_format units=1.2"
           " !attended_format attended=? !time_order left_at=12:00>14:00"
           " !late_arrival entered_at=14:00>2025-10-10 13:00"
           " !early_leave left_at=12:00>2025-10-10 15:00 !session_not_ended !leader_excluded\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_and_doctors),
        CASE(kana),
        CASE(seminar_and_session),
        CASE(days),
        CASE(kinds_and_units),
        CASE(times),
        CASE(over_midnight),
        CASE(shape_and_absence_end_the_judging),
        CASE(problems_stand_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
