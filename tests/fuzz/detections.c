/* Detections that `detector map -detections` reads: by the first byte a file of COCO or a class's file of VOC. Every
 * box is of an image and a class that are there; what is written from them is read as as many boxes of the same scores.
 */
#include "fuzz.h"

#include "eval/detections_file.h"

#include "evaluation_data.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_written(const detect_result *found)
{
    detect_result again = {0};
    const char *path = fuzz_path("written.json");
    size_t i;
    MUST(!detections_write_coco(path, &evaluated, found));
    MUST(!detections_read(path, &evaluated, &again));
    MUST(again.count == found->count);
    for (i = 0; i < again.count; ++i) {
        const ap_detection *a = again.detections + i, *b = found->detections + i;
        MUST(a->image == b->image && a->class_id == b->class_id);
        MUST(fabs(a->score - b->score) <= 1e-8 * fabs(b->score)); /* nine digits are written */
    }
    free(again.detections);
}

void fuzz(const uint8_t *data, size_t size)
{
    const int is_voc = size && *data % 2;
    detect_result found = {0};
    const char *path;
    size_t i;
    int readable = 1; /* written, the numbers are no longer than the JSON reader takes them */
    data += size > 0;
    size -= size > 0;
    if (is_voc) {
        mkdir(fuzz_path("voc"), 0700);
        fuzz_file_named("voc/comp4_det_test_a dog.txt", data, size);
        path = fuzz_path("voc");
    } else {
        path = fuzz_file(data, size);
    }
    if (!detections_read(path, &evaluated, &found)) {
        for (i = 0; i < found.count; ++i) {
            const ap_detection *d = found.detections + i;
            MUST(d->image >= 0 && d->image < evaluated.images.count);
            MUST(d->class_id >= 0 && d->class_id < evaluated.classes && isfinite(d->score));
            MUST(isfinite(d->box.x) && isfinite(d->box.y) && isfinite(d->box.w) && isfinite(d->box.h));
            readable &= fabs(d->box.x) + fabs(d->box.y) + fabs(d->box.w) + fabs(d->box.h) < 1e50;
        }
        if (found.count && readable) check_written(&found);
    }
    free(found.detections);
}
