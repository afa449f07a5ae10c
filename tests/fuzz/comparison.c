/* Results that -compare reads: by the first byte that of `detector map -json` or of `classifier metrics -json`. What is
 * taken has the images, classes and objects of this evaluation, and no image with more hits than objects. */
#include "fuzz.h"

#include "eval/classification_file.h"
#include "eval/map_file.h"

#include "evaluation_data.h"

#include <string.h>

static void compare_map(const char *path)
{
    const ap_object objects[] = {{.image = 0, .class_id = 0, .box = {.5, .5, .5, .5}},
                                 {.image = 2, .class_id = 1, .box = {.25, .5, .5, .5}},
                                 {.image = 2, .class_id = 1, .box = {.75, .5, .5, .5}}};
    map_rankings mine = map_rankings_of_objects(objects, 3, evaluated.classes, evaluated.images.count), theirs = {0};
    int k;
    mine.labels = 7;
    if (!map_file_read(path, &evaluated, "rules", &mine, &theirs)) {
        for (k = 0; k < mine.class_count; ++k) {
            const class_ranking *a = mine.classes + k, *b = theirs.classes + k;
            size_t i, hits = 0;
            MUST(b->object_count == a->object_count);
            MUST(!a->object_count || !memcmp(a->objects, b->objects, a->object_count * sizeof *a->objects));
            for (i = 0; i < b->ranked_count; ++i) {
                MUST(b->ranked[i] && abs(b->ranked[i]) <= evaluated.images.count);
                hits += b->ranked[i] > 0;
            }
            MUST(hits <= a->object_count);
        }
    }
    map_rankings_free(&theirs);
    map_rankings_free(&mine);
}

static void compare_metrics(const char *path)
{
    const int labels[] = {0, 1, 1};
    unsigned char correct[3] = {9, 9, 9};
    int i;
    if (classification_file_read(path, paths_of_images, labels, 3, correct)) return;
    for (i = 0; i < 3; ++i) MUST(correct[i] <= 1);
}

void fuzz(const uint8_t *data, size_t size)
{
    const int is_map = size && *data % 2;
    const char *path = fuzz_file(data + (size > 0), size - (size > 0));
    if (is_map)
        compare_map(path);
    else
        compare_metrics(path);
}
