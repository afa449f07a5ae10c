/* A detector's label file. Every box that is read lies in the image and has a class; what is written from the boxes is
 * read as the same boxes; after an error there are the boxes of before, and a reason. The first byte says how many
 * classes there are. */
#include "fuzz.h"

#include "data/label_file.h"

#include <string.h>

static void check_box(const label_box *b, int classes)
{
    MUST(b->class_id >= 0 && b->class_id < classes);
    MUST(b->x >= -.001 && b->x <= 1.001 && b->y >= -.001 && b->y <= 1.001);
    MUST(b->w > 0 && b->w <= 1.001 && b->h > 0 && b->h <= 1.001);
    MUST(b->x != 0 || b->y != 0);
}

static void check_written(const label_boxes *boxes, int classes)
{
    label_boxes again = {0};
    char *text = 0, reason[300];
    size_t length = 0, i;
    FILE *file = open_memstream(&text, &length);
    for (i = 0; i < boxes->count; ++i) {
        const label_box *b = boxes->items + i;
        fprintf(file, "%d %.17g %.17g %.17g %.17g\n", b->class_id, b->x, b->y, b->w, b->h);
    }
    fclose(file);
    MUST(label_file_read(fuzz_file((uint8_t *)text, length), classes, &again, reason, sizeof reason) == LABELS_OK);
    MUST(again.count == boxes->count);
    for (i = 0; i < again.count; ++i) {
        const label_box *a = again.items + i, *b = boxes->items + i;
        MUST(a->class_id == b->class_id && a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h);
    }
    free(again.items);
    free(text);
}

void fuzz(const uint8_t *data, size_t size)
{
    label_boxes boxes = {0};
    char reason[300] = "";
    const int classes = size ? 1 + *data % 80 : 1;
    const labels_status status =
        label_file_read(fuzz_file(data + (size > 0), size - (size > 0)), classes, &boxes, reason, sizeof reason);
    size_t i;
    for (i = 0; i < boxes.count; ++i) check_box(boxes.items + i, classes);
    if (status == LABELS_OK)
        check_written(&boxes, classes);
    else
        MUST(status == LABELS_BAD && !boxes.count && *reason);
    free(boxes.items);
}
