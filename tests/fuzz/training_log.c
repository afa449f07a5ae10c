/* The log of a training. What is read is written, and read as the same rows; written once more, the file is the same.
 * The best value is that of the judged measure's column or of the last column, and a foreign file gives no rows. */
#include "fuzz.h"

#include "train/training_log.h"

#include <math.h>
#include <string.h>

static void make_format(log_format *format)
{
    memset(format, 0, sizeof *format);
    log_format_add(format, "mAP", DRAWN_IN_PERCENT, "#d94801");
    log_format_add(format, "AP a, \"b\"", DRAWN_NOWHERE, 0);
}

static void check_rows(const training_rows *rows, const log_format *format)
{
    size_t i, k;
    MUST(!rows->is_foreign || !rows->count);
    for (i = 0; i < rows->count; ++i) {
        const training_row *r = rows->rows + i;
        MUST(isfinite(r->epoch) && r->epoch >= 0 && r->rate >= 0);
        MUST(!isinf(r->loss) && !isinf(r->average_loss)); /* NAN: the column is empty */
        MUST(r->iteration < (size_t)1e16 && r->images < (size_t)1e16);
        MUST(r->best <= rows->best && r->measures[format->judged] <= rows->best);
        for (k = 0; k < format->count; ++k) MUST(isfinite(r->measures[k]));
    }
}

void fuzz(const uint8_t *data, size_t size)
{
    log_format format, own;
    training_rows rows, again;
    const char *path = fuzz_path("log.csv");
    make_format(&format);
    make_format(&own);
    MUST(!training_rows_read(fuzz_file(data, size), &format, &rows));
    check_rows(&rows, &format);
    if (!rows.is_foreign && size) {
        char *first, *second;
        size_t first_size, second_size;
        MUST(!training_rows_write(path, &format, &rows, (size_t)-1));
        first = fuzz_read(path, &first_size);
        MUST(!training_rows_read(path, &own, &again) && !again.is_foreign);
        MUST(again.count == rows.count && own.count == format.count);
        MUST(!training_rows_write(path, &own, &again, (size_t)-1));
        second = fuzz_read(path, &second_size);
        MUST(first_size == second_size && !memcmp(first, second, first_size));
        free(first);
        free(second);
        training_rows_free(&again);
    }
    training_rows_free(&rows);
    log_format_free(&format);
    log_format_free(&own);
}
