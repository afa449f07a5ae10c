#include "data/object_noise.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/label_file.h"
#include "data/label_noise.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The objects of an image are classes[first] to classes[first + count - 1]. */
typedef struct {
    const char *path;
    int first, count;
} known_image;

static known_image *table; /* sorted by the addresses of the paths; NULL: no noise */
static int table_size;
static int *classes; /* of all objects, in the order of the list and of the label files */

static int by_address(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const known_image *)a)->path, y = (uintptr_t)((const known_image *)b)->path;
    return (x > y) - (x < y);
}

/* Appends the objects of an image; ends the program where its label file cannot be read. */
static void read_objects(const char *image_path, int class_count, label_boxes *boxes)
{
    char path[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    if (label_file_path(image_path, path, reason, sizeof reason) == LABELS_OK &&
        label_file_read(path, class_count, boxes, reason, sizeof reason) == LABELS_OK)
        return;
    die("noise= needs the labels of all images: %s", reason);
}

/* Fills the table and `classes`, as the label files have them. Returns the number of objects. */
static int read_all_objects(int class_count, char **paths, int n)
{
    label_boxes boxes = {0};
    int i, objects;
    table = (known_image *)xmalloc((size_t)n * sizeof *table);
    table_size = n;
    for (i = 0; i < n; ++i) {
        table[i].path = paths[i];
        table[i].first = (int)boxes.count;
        read_objects(paths[i], class_count, &boxes);
        table[i].count = (int)boxes.count - table[i].first;
    }
    objects = (int)boxes.count;
    classes = (int *)xmalloc((size_t)(objects ? objects : 1) * sizeof *classes);
    for (i = 0; i < objects; ++i) classes[i] = boxes.items[i].class_id;
    free(boxes.items);
    qsort(table, table_size, sizeof *table, by_address);
    return objects;
}

void use_object_noise(const char *data_file, int class_count, int has_map, char **paths, int n)
{
    symmetric_noise noise;
    int objects, changed;
    free(table);
    free(classes);
    table = 0;
    classes = 0;
    if (read_symmetric_noise(data_file, class_count, &noise)) exit(1);
    if (!noise.line) return;
    if (has_map) die("%s: noise= does not go together with map= in the cfg, by which labels are no classes", data_file);
    objects = read_all_objects(class_count, paths, n);
    changed = add_symmetric_noise(noise.share, noise.seed, class_count, classes, objects);
    fprintf(stderr, "Noise: %d of %d training objects (%.2f %%) have another class, by noise=%g, noise_seed=%u\n",
            changed, objects, objects ? 100. * changed / objects : 0, noise.share, noise.seed);
}

void change_classes(const char *path, box_label *boxes, int count)
{
    const known_image wanted = {path, 0, 0}, *found;
    int i;
    if (!table) return;
    found = (const known_image *)bsearch(&wanted, table, table_size, sizeof wanted, by_address);
    if (!found) return;
    if (found->count != count)
        die("the labels of %s have changed since the training began: %d objects, not %d", path, count, found->count);
    for (i = 0; i < count; ++i) boxes[i].id = classes[found->first + i];
}
