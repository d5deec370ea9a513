/* qr: see qr.h. */
#include <qrencode.h>

#include "qr/qr.h"

bool qr_make(struct str text, struct qr *ret_qr)
{
    QRcode *code;
    bool fits;

    if (text.len == 0 || text.len > QR_BYTES_MAX)
        return false;
    code = QRcode_encodeData((int)text.len, (const unsigned char *)text.data, 0, QR_ECLEVEL_M);
    if (code == NULL)
        return false;
    fits = code->width > 0 && code->width <= QR_SIDE_MAX;
    if (fits) {
        ret_qr->side = (size_t)code->width;
        for (size_t i = 0; i < ret_qr->side * ret_qr->side; i++)
            ret_qr->dark[i] = (code->data[i] & 1) != 0;
    }
    QRcode_free(code);
    return fits;
}
