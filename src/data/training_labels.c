#include "data/training_labels.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/label_file.h"

#include <stdlib.h>

static int label_classes; /* 0: those of the heads */

void training_labels_set_classes(int classes)
{
    label_classes = classes;
}

/* Darknet's arithmetic, in single precision. */
static box_label box_label_of(const label_box *read)
{
    const float x = read->single[0], y = read->single[1], w = read->single[2], h = read->single[3];
    box_label box;
    box.id = read->class_id;
    box.x = x;
    box.y = y;
    box.w = w;
    box.h = h;
    box.left = x - w / 2;
    box.right = x + w / 2;
    box.top = y - h / 2;
    box.bottom = y + h / 2;
    return box;
}

box_label *read_training_boxes(const char *image_path, int classes, int *count)
{
    char path[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    label_boxes read = {0};
    box_label *boxes;
    size_t i;
    if (label_classes) classes = label_classes;
    if (label_file_path(image_path, path, reason, sizeof reason) != LABELS_OK ||
        label_file_read(path, classes, &read, reason, sizeof reason) != LABELS_OK)
        die("%s (labels of %s)", reason, image_path);
    boxes = (box_label *)xcalloc(read.count + 1, sizeof *boxes); /* never of size 0 */
    for (i = 0; i < read.count; ++i) boxes[i] = box_label_of(read.items + i);
    free(read.items);
    *count = (int)read.count;
    return boxes;
}
