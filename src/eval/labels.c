#include "labels.h"

#include "complain.h"

#include "darknet.h"
#include "stb_image.h"
#include "utils.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Darknet's find_replace writes into buffers of this size without looking; paths stay below it with room to grow. */
enum { PATH_SIZE = 4096, PATH_LIMIT = PATH_SIZE - 64 };

/* Where training looks for the labels of an image: fill_truth_detection's replacements in its order, each at the first
 * occurrence. `path` is one of two buffers of PATH_SIZE that `buffers` holds. */
static const char *label_path(const char *image_path, char buffers[2][PATH_SIZE])
{
    static const char *const replace[][2] = {{"images", "labels"}, {"JPEGImages", "labels"}, {"raw", "labels"},
                                             {".jpg", ".txt"},     {".png", ".txt"},         {".JPG", ".txt"},
                                             {".JPEG", ".txt"}};
    enum { REPLACE = sizeof replace / sizeof *replace };
    int i;
    strcpy(buffers[0], image_path);
    for (i = 0; i < REPLACE; ++i)
        find_replace(buffers[i % 2], (char *)replace[i][0], (char *)replace[i][1], buffers[(i + 1) % 2]);
    return buffers[REPLACE % 2];
}

/* `path` (PATH_SIZE) becomes that of the difficult objects. Returns 0 where there is no such place. */
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

/* One line, `class x y width height`, that strtok_r may cut up. Returns 0, or 1 with the reason in `reason`. */
static int parse_label(char *line, int classes, ap_object *object, char *reason, size_t size)
{
    static const char *const names[] = {"x", "y", "width", "height"};
    /* Rounding takes boxes that span the image a little beyond it. */
    const double slack = .001;
    char *fields[6], *rest = 0, *field = strtok_r(line, " \t", &rest);
    double values[4], class_id;
    int i, count = 0;

    for (; field && count < 6; field = strtok_r(0, " \t", &rest)) fields[count++] = field;
    if (count != 5) {
        snprintf(reason, size, "a label is five numbers: class x y width height");
        return 1;
    }
    if (fields[0][strspn(fields[0], "0123456789")] || !parse_number(fields[0], &class_id) || class_id >= classes) {
        snprintf(reason, size, "class %.40s: must be 0 to %d", fields[0], classes - 1);
        return 1;
    }
    for (i = 0; i < 4; ++i) {
        int centre = i < 2;
        if (parse_number(fields[i + 1], &values[i]) && values[i] <= 1 + slack &&
            (centre ? values[i] >= -slack : values[i] > 0))
            continue;
        snprintf(reason, size, "%s %.40s: must be %s, relative to the image", names[i], fields[i + 1],
                 centre ? "0 to 1" : "above 0 and 1 at most");
        return 1;
    }
    object->class_id = (int)class_id;
    object->box.x = values[0];
    object->box.y = values[1];
    object->box.w = values[2];
    object->box.h = values[3];
    return 0;
}

/* Adds the objects of one label file, each a copy of `object` but for class and box. A file that is not there:
 * `missing` becomes 1. */
static int read_label_file(const char *path, ap_object object, int classes, label_list *labels, int *missing)
{
    char reason[200], *buffer = 0, *line;
    size_t size = 0;
    int number = 0, status = 0;
    FILE *file;
    errno = 0;
    *missing = 0;
    file = fopen(path, "r");
    if (!file && errno == ENOENT) {
        *missing = 1;
        return 0;
    }
    if (!file) return complain("cannot read labels %s: %s", path, strerror(errno));
    while (!status && (line = next_line(file, &buffer, &size))) {
        ap_object *grown;
        ++number;
        if (line[strspn(line, " \t")] == 0) continue;
        if (parse_label(line, classes, &object, reason, sizeof reason)) {
            status = complain("%s:%d: %s", path, number, reason);
            continue;
        }
        grown = (ap_object *)grow(labels->objects, labels->count, &labels->capacity, sizeof object);
        if (!grown) {
            status = complain("out of memory for the labels");
            continue;
        }
        labels->objects = grown;
        labels->objects[labels->count++] = object;
        labels->difficult += object.difficult;
    }
    if (!status && !feof(file)) status = complain("cannot read labels %s: %s", path, strerror(errno));
    free(buffer);
    fclose(file);
    return status;
}

int labels_read(const valid_data *data, label_list *labels)
{
    char buffers[2][PATH_SIZE], difficult[PATH_SIZE];
    const char *path = "";
    int i, status = 0, missing;
    memset(labels, 0, sizeof *labels);
    for (i = 0; i < data->images.count && !status; ++i) {
        const char *image_path = data->images.text[i];
        ap_object object;
        size_t length;
        if (strlen(image_path) >= PATH_LIMIT) return complain("path too long: %.60s...", image_path);
        if (check_file("image", image_path)) return 1;
        path = label_path(image_path, buffers);
        length = strlen(path);
        if (length < 4 || strcmp(path + length - 4, ".txt"))
            return complain("%s: Darknet finds labels of .jpg, .png, .JPG and .JPEG images only", image_path);
        memset(&object, 0, sizeof object);
        object.image = i;
        status = read_label_file(path, object, data->classes, labels, &missing);
        if (!status && missing && !labels->missing++) {
            labels->first_missing = strdup(path);
            if (!labels->first_missing) status = complain("out of memory");
        }
        object.difficult = 1;
        if (!status && difficult_path(path, difficult))
            status = read_label_file(difficult, object, data->classes, labels, &missing);
    }
    if (!status && !labels->count)
        status = complain("no labelled object in any of the %d images; the labels of the last are looked for in %s",
                          data->images.count, path);
    return status;
}

void labels_free(label_list *labels)
{
    free(labels->objects);
    free(labels->first_missing);
    memset(labels, 0, sizeof *labels);
}

/* Centre and length of a side of `size` pixels, from centre and length relative to it. */
static void side_to_pixels(double *centre, double *length, int size)
{
    /* Half a unit of the sixth decimal in the centre, and half of that again in half the length, is less than this. */
    const double precision = 1e-6 * size;
    double low = (*centre - *length / 2) * size, high = (*centre + *length / 2) * size;
    if (fabs(low - floor(low + .5)) < precision) low = floor(low + .5);
    if (fabs(high - floor(high + .5)) < precision) high = floor(high + .5);
    *centre = (low + high) / 2;
    *length = high - low;
}

void labels_to_pixels(label_list *labels, const detect_size *sizes)
{
    size_t i;
    for (i = 0; i < labels->count; ++i) {
        ap_box *box = &labels->objects[i].box;
        const detect_size size = sizes[labels->objects[i].image];
        side_to_pixels(&box->x, &box->w, size.w);
        side_to_pixels(&box->y, &box->h, size.h);
    }
}

int read_image_sizes(const text_lines *images, detect_size *sizes)
{
    int i, channels;
    for (i = 0; i < images->count; ++i) {
        if (!stbi_info(images->text[i], &sizes[i].w, &sizes[i].h, &channels) || sizes[i].w < 1 || sizes[i].h < 1)
            return complain("%s: not an image whose size can be read", images->text[i]);
    }
    return 0;
}
