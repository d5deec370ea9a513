/* import members: what a line has to be, by itself and beside the others. */
#include <string.h>

#include "mail/mail.h"
#include "mamisctl/import_members.h"

static const char *const my_pages[] = {
    [MY_PAGE_NONE] = "none",     [MY_PAGE_TEMP] = "temp_issued", [MY_PAGE_PENDING] = "link_pending",
    [MY_PAGE_ACTIVE] = "active", [MY_PAGE_CLOSED] = "closed",    [MY_PAGE_CLOSED + 1] = NULL};
static const char *const sexes[] = {"", "M", "F", NULL};
static const char *const categories[] = {"", "A1", "A2B", "A2C", "B", "C", NULL};

const char *my_page_name(enum my_page my_page)
{
    must((size_t)my_page < ARRAY_LEN(my_pages) - 1);
    return my_pages[my_page];
}

enum my_page my_page_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(my_pages) - 1; i++) {
        if (str_eq_c(name, my_pages[i]))
            return (enum my_page)i;
    }
    return MY_PAGE_NONE;
}

struct str member_register_no(const struct import_row *row)
{
    return str_of(member_of(row)->register_no);
}

struct str member_mamis_no(const struct import_row *row)
{
    return member_of(row)->mamis_no;
}

static void check_numbers(struct import_file *file, struct import_row *row, struct member *member)
{
    struct str mamis_no = IMPORT_FIELD(row, MAMIS_NO);
    int64_t number = register_no_parse(IMPORT_FIELD(row, REGISTER_NO));

    if (number == NUMBER_NONE)
        import_problem(file, row, REGISTER_NO, "no register number",
                       "write 1 to 7 digits, not as a spreadsheet's number");
    else
        register_no_format(number, member->register_no);
    if (mamis_no.len == 0)
        return;
    number = mamis_no_parse(mamis_no);
    if (number == NUMBER_NONE) {
        import_problem(file, row, MAMIS_NO, "no MAMIS number",
                       "write ten digits with the right check digit, or leave it empty");
    } else {
        char digits[MAMIS_NO_BYTES];

        mamis_no_format(number, digits);
        member->mamis_no = str_of(arena_strdup(file->arena, digits));
    }
}

/* Number, first and last day: all three or none. */
static void check_certificate(struct import_file *file, struct import_row *row,
                              struct certificate *certificate, size_t column)
{
    size_t filled = 0;

    certificate->column = column;
    certificate->number = IMPORT_FIELD(row, column);
    for (size_t i = 0; i < 3; i++)
        filled += IMPORT_FIELD(row, column + i).len > 0;
    for (size_t i = 0; i < 3 && filled > 0 && filled < 3; i++) {
        if (IMPORT_FIELD(row, column + i).len == 0)
            import_problem(file, row, column + i, "is empty, the others of the certificate are not",
                           "fill in number, first and last day, or none of them");
    }
    (void)import_code(file, row, column);
    if (import_day(file, row, column + 1, &certificate->from) &&
        import_day(file, row, column + 2, &certificate->to) && filled == 3 &&
        certificate->to < certificate->from)
        import_problem(file, row, column + 2, "before the first day", "swap or mend the days");
}

static void check_row(struct import_file *file, struct import_row *row)
{
    struct member *member = arena_new_of(file->arena, struct member);

    row->item = member;
    check_numbers(file, row, member);
    (void)import_day(file, row, LICENSED_ON, &member->licensed_on);
    (void)import_need(file, row, NAME);
    (void)import_need(file, row, NAME_KANA);
    (void)import_word(file, row, SEX, sexes);
    (void)import_day(file, row, BIRTH_ON, &member->birth_on);
    (void)import_day(file, row, TRAINING_ENDS_ON, &member->training_ends_on);
    member->email = IMPORT_FIELD(row, EMAIL);
    if (member->email.len > 0 && !mail_address_ok(member->email))
        import_problem(file, row, EMAIL, "no mail address that can be used",
                       "mend it or leave it empty");
    (void)import_code(file, row, L1_CODE);
    (void)import_l2_code(file, row, L2_CODE);
    (void)import_word(file, row, L3_CATEGORY, categories);
    if (import_word(file, row, MY_PAGE, my_pages))
        member->my_page = my_page_of(IMPORT_FIELD(row, MY_PAGE));
    check_certificate(file, row, &member->certificates[OP], OP_NO);
    check_certificate(file, row, &member->certificates[SP], SP_NO);
}

static struct str op_number(const struct import_row *row)
{
    return member_of(row)->certificates[OP].number;
}

static struct str sp_number(const struct import_row *row)
{
    return member_of(row)->certificates[SP].number;
}

void members_check(struct import_file *file)
{
    for (size_t i = 0; i < file->row_count; i++)
        check_row(file, &file->rows[i]);
    import_unique(file, REGISTER_NO, member_register_no, "keep one line for each doctor");
    import_unique(file, MAMIS_NO, member_mamis_no, "give every doctor his own number");
    import_unique(file, OP_NO, op_number, "give every certificate its own number");
    import_unique(file, SP_NO, sp_number, "give every certificate its own number");
}
