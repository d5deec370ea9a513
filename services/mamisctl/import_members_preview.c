/*
 * import members: what a line changes of a doctor, an account, certificates, for a preview; and
 * what it does not change.
 */
#include <stdio.h>

#include "mamisctl/import_members.h"

void members_note_doctor(struct import_file *file, struct import_row *row,
                         const struct db_query *query, size_t at)
{
    static const struct {
        const char *name;
        size_t column;
        int found;
    } plain[] = {{"name", NAME, FIND_NAME},
                 {"name_kana", NAME_KANA, FIND_NAME_KANA},
                 {"former_name", FORMER_NAME, FIND_FORMER_NAME},
                 {"former_name_kana", FORMER_NAME_KANA, FIND_FORMER_NAME_KANA},
                 {"sex", SEX, FIND_SEX},
                 {"l1_code", L1_CODE, FIND_L1_CODE},
                 {"l2_code", L2_CODE, FIND_L2_CODE},
                 {"l3_category", L3_CATEGORY, FIND_L3_CATEGORY}};
    const struct member *member = row->item;

    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        import_note_change(file, row, plain[i].name, db_get_text(query, at, plain[i].found),
                           IMPORT_FIELD(row, plain[i].column));
    import_note_day(file, row, "licensed_on", db_get_day(query, at, FIND_LICENSED_ON),
                    member->licensed_on);
    import_note_day(file, row, "birth_on", db_get_day(query, at, FIND_BIRTH_ON), member->birth_on);
    if (member->training_ends_on != DAY_NONE)
        import_note_day(file, row, "training_ends_on", db_get_day(query, at, FIND_TRAINING_ENDS_ON),
                        member->training_ends_on);
    import_note_change(file, row, "email", db_get_text(query, at, FIND_EMAIL), member->email);
    if (member->mamis_no.len > 0)
        import_note_change(file, row, "mamis_no", db_get_text(query, at, FIND_MAMIS_NO),
                           member->mamis_no);
    import_note_change(file, row, "my_page", db_get_text(query, at, FIND_MY_PAGE),
                       str_of(my_page_name(member->my_page)));
    if (!member->wants_account)
        return;
    if (db_is_null(query, at, FIND_ACCOUNT_ID)) {
        import_note_change(file, row, "account", STR(""), member->account_state);
        return;
    }
    import_note_change(file, row, "account", db_get_text(query, at, FIND_STATE),
                       member->account_state);
    import_note_change(file, row, "account's step", db_get_text(query, at, FIND_STEP),
                       member->account_step);
    import_note_change(file, row, "account's email", db_get_text(query, at, FIND_ACCOUNT_EMAIL),
                       member->account_email);
}

void members_note_certificate(struct import_file *file, struct import_row *row,
                              const struct db_query *query, size_t at)
{
    static const char *const names[PROGRAMMES][3] = {{"op_no", "op_from", "op_to"},
                                                     {"sp_no", "sp_from", "sp_to"}};
    size_t programme = str_eq_c(db_get_text(query, at, HELD_PROGRAMME), "OP") ? OP : SP;
    const struct certificate *certificate = &member_of(row)->certificates[programme];

    if (!certificate->differs)
        return;
    import_note_change(file, row, names[programme][0], db_get_text(query, at, HELD_NUMBER),
                       certificate->number);
    import_note_day(file, row, names[programme][1], db_get_day(query, at, HELD_FROM),
                    certificate->from);
    import_note_day(file, row, names[programme][2], db_get_day(query, at, HELD_TO),
                    certificate->to);
}

/* A certificate that is new has nothing beside which it could be found. */
static void note_new_certificates(const struct import_file *file, size_t *ret_new,
                                  size_t *ret_postcards)
{
    for (size_t i = 0; i < file->row_count; i++) {
        const struct import_row *row = &file->rows[i];

        if (row->bad)
            continue;
        *ret_postcards += members_wants_postcard(row);
        for (size_t k = 0; k < PROGRAMMES; k++)
            *ret_new += member_of(row)->certificates[k].differs &&
                        member_of(row)->certificates[k].version == 0;
    }
}

void members_preview(const struct import_file *file)
{
    size_t certificates = 0, postcards = 0;

    note_new_certificates(file, &certificates, &postcards);
    (void)printf("members: %zu new certificates, %zu doctors get a temporary password\n",
                 certificates, postcards);
}

void members_left(const struct import_file *file)
{
    size_t count = 0;

    for (size_t i = 0; i < file->row_count; i++)
        count += !file->rows[i].bad && member_of(&file->rows[i])->email_left;
    if (count == 0)
        return;
    (void)printf("members: %zu lines name another e-mail than the one that the doctor confirmed,"
                 " which stays: lines",
                 count);
    for (size_t i = 0, shown = 0; i < file->row_count && shown < IMPORT_PROBLEMS_SHOWN_MAX; i++) {
        const struct import_row *row = &file->rows[i];

        if (row->bad || !member_of(row)->email_left)
            continue;
        (void)printf(" %u", row->line);
        shown++;
    }
    (void)printf(count > IMPORT_PROBLEMS_SHOWN_MAX ? " ...\n" : "\n");
}
