/* Shared by the files of the scan; nobody else includes it. */
#pragma once
#include "attendance/attendance_scan.h"

enum scan_phase { PHASE_SNIFF, PHASE_HEAD, PHASE_BODY, PHASE_REFUSED, PHASE_DONE };

/* What the first bytes say a file is; NOT_TEXT_NONE for what may be text. */
enum not_text attendance_sniff(struct str start);

/* Refuse at once: nothing that may still come is graver. */
void scan_refuse_now(struct attendance_scan *scan, struct attendance_refusal refusal);
/* Keep the graver of two refusals; the first of equals. */
void scan_refuse(struct attendance_scan *scan, struct attendance_refusal refusal);

/*
 * Look for the header in scan->head. When it is found (or cannot be read) the phase is PHASE_BODY,
 * scan->csv stands behind it and *ret_used says how much of scan->head that is. Otherwise skipped
 * rows have left scan->head and more bytes are needed; at the end there is none.
 */
void scan_head(struct attendance_scan *scan, bool at_end, size_t *ret_used);

/* Whether a complete row holds nothing, in the encoding found so far. */
bool scan_is_blank(const struct attendance_scan *scan, const struct csv_row *row);
