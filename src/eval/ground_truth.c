#include "eval/ground_truth.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/label_file.h"
#include "data/photo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sets path[LABEL_PATH_SIZE] to the file of difficult objects that belongs to the label file `labels`. Returns 0 if no
 * folder in that path is named `labels`. */
static int difficult_path(const char *labels, char *path)
{
    static const char folder[] = "labels", more[] = "-difficult";
    const size_t length = sizeof folder - 1;
    const char *at;
    for (at = strrchr(labels, '/'); at && at >= labels + length; --at) {
        const char *start = at - length;
        size_t before = at - labels;
        if (*at != '/' || strncmp(start, folder, length) || (start > labels && start[-1] != '/')) continue;
        memcpy(path, labels, before);
        strcpy(path + before, more);
        strcat(path, at);
        return 1;
    }
    return 0;
}

/* Appends the objects of one label file: class and box are read from it, the other fields are copied from `object`.
 * *missing: whether the file does not exist. `boxes` is scratch. */
static int add_objects(const char *path, ap_object object, int classes, label_boxes *boxes, ground_truth *truth,
                       int *missing)
{
    char reason[LABEL_PATH_SIZE + 256];
    const label_box *box;
    *missing = 0;
    boxes->count = 0;
    switch (label_file_read(path, classes, boxes, reason, sizeof reason)) {
    case LABELS_OK:
        break;
    case LABELS_MISSING:
        *missing = 1;
        return 0;
    default:
        return report_error("%s", reason);
    }
    for (box = boxes->items; box < boxes->items + boxes->count; ++box) {
        object.class_id = box->class_id;
        object.box.x = box->x;
        object.box.y = box->y;
        object.box.w = box->w;
        object.box.h = box->h;
        truth->objects = (ap_object *)grow_array(truth->objects, truth->count, &truth->capacity, sizeof object);
        truth->objects[truth->count++] = object;
        truth->difficult += object.difficult;
    }
    return 0;
}

int ground_truth_read(const valid_data *data, ground_truth *truth)
{
    char path[LABEL_PATH_SIZE] = "", difficult[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    label_boxes boxes = {0, 0, 0};
    int i, status = 0, missing;
    memset(truth, 0, sizeof *truth);
    for (i = 0; i < data->images.count && !status; ++i) {
        const char *image_path = data->images.text[i];
        ap_object object;
        if (label_file_path(image_path, path, reason, sizeof reason) != LABELS_OK)
            status = report_error("%s", reason);
        else
            status = check_file("image", image_path);
        if (status) continue;
        memset(&object, 0, sizeof object);
        object.image = i;
        status = add_objects(path, object, data->classes, &boxes, truth, &missing);
        if (!status && missing && !truth->missing++) truth->first_missing = xstrdup(path);
        object.difficult = 1;
        if (!status && difficult_path(path, difficult))
            status = add_objects(difficult, object, data->classes, &boxes, truth, &missing);
    }
    free(boxes.items);
    if (!status && !truth->count)
        status = report_error("no labelled object in any of the %d images; the labels of the last are looked for in %s",
                              data->images.count, path);
    return status;
}

void ground_truth_free(ground_truth *truth)
{
    free(truth->objects);
    free(truth->first_missing);
    memset(truth, 0, sizeof *truth);
}

/* Converts centre and length of a box along one side of the image, `size` pixels long, from fractions to pixels. */
static void side_to_pixels(double *centre, double *length, int size)
{
    /* Above the rounding error of a corner: half a unit of the sixth decimal in the centre, a quarter in half the
     * length. */
    const double precision = 1e-6 * size;
    double low = (*centre - *length / 2) * size, high = (*centre + *length / 2) * size;
    if (fabs(low - floor(low + .5)) < precision) low = floor(low + .5);
    if (fabs(high - floor(high + .5)) < precision) high = floor(high + .5);
    *centre = (low + high) / 2;
    *length = high - low;
}

void ground_truth_to_pixels(ground_truth *truth, const detect_size *sizes)
{
    size_t i;
    for (i = 0; i < truth->count; ++i) {
        ap_box *box = &truth->objects[i].box;
        const detect_size size = sizes[truth->objects[i].image];
        side_to_pixels(&box->x, &box->w, size.w);
        side_to_pixels(&box->y, &box->h, size.h);
    }
}

static int read_size(const char *path, detect_size *size)
{
#ifdef OPENCV
    photo p;
    if (!photo_decode(path, &p)) return 0;
    size->w = p.w;
    size->h = p.h;
    photo_close(p);
    return 1;
#else
    return photo_size(path, &size->w, &size->h);
#endif
}

int read_image_sizes(const text_lines *images, detect_size *sizes)
{
    int i;
    for (i = 0; i < images->count; ++i) {
        if (!read_size(images->text[i], &sizes[i]))
            return report_error("%s: not an image whose size can be read", images->text[i]);
    }
    return 0;
}
