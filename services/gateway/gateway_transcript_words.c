/* gateway_transcript_words: a transcript's words in Japanese and English; hidden names. */
#include "domain/calendar.h"
#include "gateway/gateway_transcript.h"
#include "text/utf8.h"

static const char *const words[WORD_COUNT][2] = {
    [WORD_ALL] = {"すべて", "All"},
    [WORD_TITLE] = {"単位取得証明書", "Transcript of credits"},
    [WORD_NAME] = {"氏名", "Name"},
    [WORD_NAME_KANA] = {"氏名カナ", "Name in kana"},
    [WORD_MAMIS_NO] = {"MAMIS番号", "MAMIS number"},
    [WORD_REGISTER_NO] = {"医籍登録番号", "Register number"},
    [WORD_PROGRAMMES] = {"対象の制度", "Programmes"},
    [WORD_DAYS] = {"開催日の範囲", "Held"},
    [WORD_ISSUED] = {"発行日時", "Issued"},
    [WORD_CODE] = {"確認コード", "Verification code"},
    [WORD_CHECK_PAGE] = {"確認ページ", "Check at"},
    [WORD_TOTALS] = {"制度・種別ごとの合計", "Totals by programme and kind"},
    [WORD_YEARS] = {"年度（4月から翌年3月まで）ごとの合計",
                    "Totals by fiscal year, April to March"},
    [WORD_ENTRIES] = {"単位の一覧", "List of credits"},
    [WORD_NONE] = {"該当する単位はありません。", "There are no such credits."},
    [WORD_PROGRAMME] = {"制度", "Programme"},
    [WORD_KIND] = {"種別", "Kind"},
    [WORD_KIND_CODE] = {"種別コード", "Kind code"},
    [WORD_UNITS] = {"単位", "Units"},
    [WORD_YEAR] = {"年度", "Fiscal year"},
    [WORD_HELD_ON] = {"開催日", "Held on"},
    [WORD_SEMINAR] = {"研修会", "Seminar"},
    [WORD_SEMINAR_NO] = {"研修会番号", "Seminar number"},
    [WORD_SEMINAR_TITLE] = {"研修会名", "Seminar title"},
    [WORD_SESSION_NO] = {"セッション番号", "Session number"},
    [WORD_SESSION_TITLE] = {"セッション名", "Session title"},
    [WORD_FORM] = {"形式", "Form"},
    [WORD_DELIVERY] = {"開催形式", "Form"},
    [WORD_NOTE_AS_OF] =
        {"発行日時に登録されていた単位です。取り消された単位は含みません。",
         "Credits that stood posted when this was issued. Cancelled ones are left out."},
    [WORD_NOTE_CHECK] =
        {"確認ページで確認コードを入力するか、二次元コードを読み取ると、この証明書が本物であること"
         "と、発行したときの合計を確かめられます。",
         "Enter the code on the page named above, or scan the QR code, to see whether this "
         "transcript is genuine and what its totals were when it was issued."},
    [WORD_VENUE] = {"会場", "Venue"},
    [WORD_WEB] = {"WEB", "Web"},
    [WORD_VISIT] = {"職場巡視", "Visit"},
};
static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

struct str transcript_word(enum transcript_word word, bool english)
{
    return str_of(words[word][english]);
}

struct str transcript_day(struct arena *arena, day_t day, bool english)
{
    int year, month, mday;

    if (day == DAY_NONE)
        return STR("");
    day_to_ymd(day, &year, &month, &mday);
    if (english)
        return str_of(arena_printf(arena, "%d %s %d", mday, months[month - 1], year));
    return str_of(arena_printf(arena, "%d年%d月%d日", year, month, mday));
}

struct str transcript_time(struct arena *arena, int64_t time_us, bool english)
{
    const int64_t second = time_us / CLOCK_SECOND_US + CLOCK_JAPAN_S;
    const int minute = (int)(second % CLOCK_DAY_S / 60);

    return str_of(arena_printf(arena, "%.*s %d:%02d%s",
                               STR_ARG(transcript_day(arena, day_of_us(time_us), english)),
                               minute / 60, minute % 60, english ? " (Japan)" : ""));
}

struct str transcript_period(struct arena *arena, day_t from, day_t to, bool english)
{
    if (from == DAY_NONE && to == DAY_NONE)
        return transcript_word(WORD_ALL, english);
    return str_of(arena_printf(arena, "%.*s ～ %.*s", STR_ARG(transcript_day(arena, from, english)),
                               STR_ARG(transcript_day(arena, to, english))));
}

struct str transcript_programme(struct str code, bool english)
{
    enum programme programme;

    if (code.data == NULL || !programme_of_code(code, &programme))
        return transcript_word(WORD_ALL, english);
    return str_of(programme_name(programme, english));
}

struct str transcript_delivery(struct str delivery, bool english)
{
    return transcript_word(str_eq_c(delivery, "web")     ? WORD_WEB
                           : str_eq_c(delivery, "visit") ? WORD_VISIT
                                                         : WORD_VENUE,
                           english);
}

struct str transcript_units(struct arena *arena, int64_t half_units)
{
    return str_of(arena_printf(arena, "%lld%s", (long long)(half_units / 2),
                               half_units % 2 == 0 ? "" : ".5"));
}

static bool is_variation(uint32_t point)
{
    return (point >= 0xFE00 && point <= 0xFE0F) || (point >= 0xE0100 && point <= 0xE01EF);
}

static bool is_blank(uint32_t point)
{
    return point == ' ' || point == 0x3000;
}

/* Whether a word of more than one character begins at `at`. */
static bool long_word(struct str name, size_t at)
{
    (void)utf8_next(name, &at);
    while (at < name.len) {
        const uint32_t point = utf8_next(name, &at);

        if (!is_variation(point))
            return !is_blank(point);
    }
    return false;
}

struct str transcript_mask(struct arena *arena, struct str name)
{
    struct buf out = {0};
    struct str masked;
    bool beginning = true, shown = true; /* of a word; what its first character is */
    size_t at = 0;

    while (at < name.len) {
        const size_t begin = at;
        const uint32_t point = utf8_next(name, &at);

        if (is_blank(point)) {
            beginning = true;
            buf_add(&out, name.data + begin, at - begin);
            continue;
        }
        if (beginning)
            shown = out.len == 0 || long_word(name, begin);
        if ((beginning || is_variation(point)) && shown)
            buf_add(&out, name.data + begin, at - begin);
        else if (!is_variation(point))
            buf_add_c(&out, "＊");
        shown = shown && (beginning || is_variation(point));
        beginning = false;
    }
    masked = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return masked;
}
