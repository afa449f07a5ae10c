#include "eval/detections_file.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json_reader.h"
#include "base/memory.h"
#include "base/numbers.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Sums of such coordinates are finite. */
static const double largest_coordinate = 1e300;

/* ---- VOC: images by name ---------------------------------------------------------------------------------------- */

/* The name of an image file without folder and extension. Returns its start within `path`, and sets *length. */
static const char *image_stem(const char *path, int *length)
{
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path, *dot = strrchr(stem, '.');
    *length = (int)(dot && dot > stem ? dot - stem : (ptrdiff_t)strlen(stem));
    return stem;
}

typedef struct {
    char *stem;
    int image;
} named_image;

static int by_stem(const void *a, const void *b)
{
    return strcmp(((const named_image *)a)->stem, ((const named_image *)b)->stem);
}

static void free_names(named_image *names, int count)
{
    int i;
    for (i = 0; names && i < count; ++i) free(names[i].stem);
    free(names);
}

/* The names of all images, sorted. Returns NULL after one line on stderr if two are the same. */
static named_image *sorted_names(const text_lines *images)
{
    named_image *names = (named_image *)xcalloc(images->count, sizeof *names);
    int i, length;
    for (i = 0; i < images->count; ++i) {
        const char *stem = image_stem(images->text[i], &length);
        names[i].image = i;
        names[i].stem = xstrdup(stem);
        names[i].stem[length] = 0;
    }
    qsort(names, images->count, sizeof *names, by_stem);
    for (i = 1; i < images->count; ++i) {
        if (strcmp(names[i].stem, names[i - 1].stem)) continue;
        report_error("%s and %s have the same name without folder, by which VOC's files tell images apart",
                     images->text[names[i - 1].image], images->text[names[i].image]);
        free_names(names, images->count);
        return 0;
    }
    return names;
}

/* ---- VOC: reading ----------------------------------------------------------------------------------------------- */

/* The class that a file belongs to: the class with the longest name that stands before ".txt" and after a _ or at the
 * start. -1: none. */
static int class_of_file(const char *file, const text_lines *names)
{
    const size_t length = strlen(file);
    size_t longest = 0;
    int k, class_id = -1;
    if (length < 4 || strcmp(file + length - 4, ".txt")) return -1;
    for (k = 0; k < names->count; ++k) {
        const size_t name = strlen(names->text[k]);
        const char *start = file + length - 4 - name;
        if (name + 4 > length || name < longest || strncmp(start, names->text[k], name)) continue;
        if (start > file && start[-1] != '_') continue;
        longest = name;
        class_id = k;
    }
    return class_id;
}

/* Cuts the last `count` fields off a line; fields[] keeps their order. Returns 0 if the line has fewer. */
static int last_fields(char *line, char **fields, int count)
{
    while (count > 0) {
        size_t length = strlen(line);
        while (length && strchr(" \t", line[length - 1])) line[--length] = 0;
        while (length && !strchr(" \t", line[length - 1])) --length;
        if (!length) return 0;
        fields[--count] = line + length;
        line[length - 1] = 0;
    }
    return 1;
}

static int read_voc_file(const char *path, int class_id, const named_image *names, int images, detect_result *found)
{
    static const char *const words[] = {"score", "xmin", "ymin", "xmax", "ymax"};
    char *buffer = 0, *line;
    size_t size = 0;
    int number = 0, status = 0, i;
    FILE *file = fopen(path, "r");
    if (!file) return report_error("cannot read %s: %s", path, strerror(errno));
    while (!status && (line = next_line(file, &buffer, &size))) {
        char *fields[5], *stem = line + strspn(line, " \t");
        double values[5];
        named_image key;
        const named_image *image;
        ap_detection d;
        ++number;
        if (!*stem) continue;
        if (!last_fields(line, fields, 5)) {
            status = report_error("%s:%d: a detection is: image score xmin ymin xmax ymax", path, number);
            continue;
        }
        for (i = 0; i < 5 && !status; ++i) {
            const double most = i ? largest_coordinate : HUGE_VAL;
            if (parse_number(fields[i], -most, most, &values[i]))
                status = report_error("%s:%d: %s %.40s: not a number, or too large", path, number, words[i], fields[i]);
        }
        if (status) continue;
        for (i = (int)strlen(stem); i && strchr(" \t", stem[i - 1]); --i) stem[i - 1] = 0;
        key.stem = stem;
        image = (const named_image *)bsearch(&key, names, images, sizeof *names, by_stem);
        if (!image) {
            status = report_error("%s:%d: image %.200s is not in the list of images", path, number, stem);
            continue;
        }
        memset(&d, 0, sizeof d);
        d.image = image->image;
        d.class_id = class_id;
        d.score = values[0];
        d.box.x = (values[1] - 1 + values[3]) / 2;
        d.box.y = (values[2] - 1 + values[4]) / 2;
        d.box.w = values[3] - (values[1] - 1);
        d.box.h = values[4] - (values[2] - 1);
        *add_detection(found) = d;
    }
    if (!status && !feof(file)) status = report_error("cannot read %s: %s", path, strerror(errno));
    free(buffer);
    fclose(file);
    return status;
}

/* Returns <folder>/<prefix><name><ending>, which the caller frees. */
static char *join(const char *folder, const char *prefix, const char *name, const char *ending)
{
    size_t size = strlen(folder) + strlen(prefix) + strlen(name) + strlen(ending) + 2;
    char *path = (char *)xmalloc(size);
    snprintf(path, size, "%s/%s%s%s", folder, prefix, name, ending);
    return path;
}

/* Finds the file of every class in a folder. files[classes] is filled; NULL: no file. The caller frees the names, also
 * after an error. */
static int find_voc_files(const char *folder, const valid_data *data, char **files)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int status = 0, count = 0, k;
    if (!dir) return report_error("cannot read %s: %s", folder, strerror(errno));
    while (!status && (entry = readdir(dir))) {
        k = class_of_file(entry->d_name, &data->names);
        if (k < 0) continue;
        if (files[k])
            status = report_error("%s and %s/%s are both files of the class %s: keep one", files[k], folder,
                                  entry->d_name, data->names.text[k]);
        else
            files[k] = join(folder, "", entry->d_name, "");
        ++count;
    }
    closedir(dir);
    if (!status && !count)
        status = report_error("%s has no file <...>_<class>.txt for any of the %d classes", folder, data->classes);
    if (!status && count < data->classes) {
        for (k = 0; files[k];) ++k;
        report_note("%s has no file for %d of the %d classes, the first is %s: no detections of them", folder,
                    data->classes - count, data->classes, data->names.text[k]);
    }
    return status;
}

static int read_voc(const char *folder, const valid_data *data, detect_result *found)
{
    named_image *names = sorted_names(&data->images);
    char **files = (char **)xcalloc(data->classes, sizeof *files); /* by class */
    int status = !names || find_voc_files(folder, data, files), k;
    /* Class by class, because the order of readdir differs from one file system to another. */
    for (k = 0; k < data->classes; ++k) {
        if (!status && files[k]) status = read_voc_file(files[k], k, names, data->images.count, found);
        free(files[k]);
    }
    free(files);
    free_names(names, data->images.count);
    return status;
}

/* ---- COCO's numbers --------------------------------------------------------------------------------------------- */

typedef struct {
    long long id;
    int image;
} numbered_image;

static int by_id(const void *pa, const void *pb)
{
    const numbered_image *a = (const numbered_image *)pa, *b = (const numbered_image *)pb;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int compare_ids(const void *pa, const void *pb)
{
    const long long a = *(const long long *)pa, b = *(const long long *)pb;
    return a < b ? -1 : a > b;
}

static int id_of_name(const char *path, long long *id)
{
    int length, i, digits = 0;
    const char *stem = image_stem(path, &length);
    *id = 0;
    for (i = 0; i < length; ++i) {
        if (stem[i] == '_' && !strncmp(stem, "COCO_", 5)) {
            *id = 0;
            digits = 0;
        }
        if (stem[i] < '0' || stem[i] > '9') continue;
        *id = 10 * *id + (stem[i] - '0');
        digits += digits || stem[i] != '0' || i + 1 == length || stem[i + 1] < '0' || stem[i + 1] > '9';
        if (digits > 15) return 0;
    }
    return digits > 0;
}

int coco_image_ids(const text_lines *images, long long *ids)
{
    long long *sorted = (long long *)xmalloc(images->count * sizeof *sorted);
    int i, by_name = 1;
    for (i = 0; i < images->count && by_name; ++i) {
        by_name = id_of_name(images->text[i], &ids[i]);
        sorted[i] = ids[i];
    }
    if (by_name) {
        qsort(sorted, images->count, sizeof *sorted, compare_ids);
        for (i = 1; i < images->count && by_name; ++i) by_name = sorted[i] != sorted[i - 1];
    }
    for (i = 0; i < images->count && !by_name; ++i) ids[i] = i + 1;
    free(sorted);
    return by_name;
}

/* The category_id of a class, as the header says. */
static int coco_category_id(int class_id, int classes)
{
    static const unsigned char left_out[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};
    int id = class_id + 1;
    size_t i;
    for (i = 0; classes == 80 && i < sizeof left_out; ++i) id += id >= left_out[i];
    return id;
}

static int class_of_category(double id, int classes)
{
    int k;
    if (!(id >= 1 && id <= coco_category_id(classes - 1, classes))) return -1;
    for (k = (int)id - 1; k >= 0 && k >= (int)id - 1 - 10; --k) {
        if (k < classes && coco_category_id(k, classes) == id) return k;
    }
    return -1;
}

/* ---- COCO: reading ---------------------------------------------------------------------------------------------- */

/* The keys of a result. The value of key i is values[i] in read_result; bbox is last, as it has four values. */
static const char *const coco_keys[] = {"image_id", "category_id", "score", "bbox"};
enum { KEYS = 4, ALL_KEYS = (1 << KEYS) - 1 };

/* Reads one result. Returns 1, or 0 with the reader's error set. */
static int read_result(json_reader *r, double values[3 + 4])
{
    char key[JSON_STRING];
    int seen = 0, i, k;
    for (json_begin(r, '{'); json_more(r, '}');) {
        if (!json_key(r, key)) return 0;
        for (k = 0; k < KEYS && strcmp(key, coco_keys[k]); ++k) continue;
        if (k == KEYS) {
            json_skip(r);
        } else if (strcmp(key, "bbox")) {
            values[k] = json_number(r);
        } else {
            for (json_begin(r, '['), i = 0; json_more(r, ']'); ++i) {
                double number = json_number(r);
                if (fabs(number) > largest_coordinate) return json_fail(r, "%g in a bbox is too large", number);
                if (i < 4) values[3 + i] = number;
            }
            if (i != 4) return json_fail(r, "a bbox is four numbers: left, top, width, height");
        }
        if (k < KEYS) seen |= 1 << k;
    }
    for (k = 0; k < KEYS; ++k) {
        if (!(seen & 1 << k)) return json_fail(r, "a result without %s", coco_keys[k]);
    }
    return !r->error[0];
}

/* The images sorted by their COCO ids. The caller frees the result. *by_name: the result of coco_image_ids. */
static numbered_image *images_by_id(const text_lines *images, int *by_name)
{
    numbered_image *numbered = (numbered_image *)xcalloc(images->count, sizeof *numbered);
    long long *ids = (long long *)xcalloc(images->count, sizeof *ids);
    int i;
    *by_name = coco_image_ids(images, ids);
    for (i = 0; i < images->count; ++i) {
        numbered[i].id = ids[i];
        numbered[i].image = i;
    }
    qsort(numbered, images->count, sizeof *numbered, by_id);
    free(ids);
    return numbered;
}

/* The image with this id; NULL: none. */
static const numbered_image *image_of_id(double id, const numbered_image *images, int count)
{
    const double largest = 1e15; /* every whole number up to here is exact in a double */
    const numbered_image key = {fabs(id) <= largest ? (long long)id : -1, 0}, *image;
    image = (const numbered_image *)bsearch(&key, images, count, sizeof *images, by_id);
    return image && image->id == id ? image : 0;
}

static int read_coco(const char *path, const valid_data *data, detect_result *found)
{
    const int count = data->images.count;
    int by_name, status;
    numbered_image *images = images_by_id(&data->images, &by_name);
    json_reader r;
    if (json_open(&r, path)) {
        for (json_begin(&r, '['); json_more(&r, ']');) {
            double values[3 + 4];
            const numbered_image *image;
            ap_detection d;
            if (!read_result(&r, values)) break;
            memset(&d, 0, sizeof d);
            image = image_of_id(values[0], images, count);
            d.class_id = class_of_category(values[1], data->classes);
            d.score = values[2];
            d.box.w = values[5];
            d.box.h = values[6];
            d.box.x = values[3] + d.box.w / 2;
            d.box.y = values[4] + d.box.h / 2;
            if (!image) {
                json_fail(&r, "image_id %.15g is no image of the list (%s)", values[0],
                          by_name ? "ids are the digits in the names of the files"
                                  : "its names give no ids of their own: the images are 1, 2, ... in its order");
            } else if (d.class_id < 0) {
                json_fail(&r, "category_id %.15g: must be 1 to %d%s", values[1],
                          coco_category_id(data->classes - 1, data->classes),
                          data->classes == 80 ? " and one of COCO's 80" : "");
            } else {
                d.image = image->image;
                *add_detection(found) = d;
            }
        }
        json_end(&r);
    }
    status = r.error[0] ? report_error("%s", r.error) : 0;
    json_close(&r);
    free(images);
    return status;
}

int detections_read(const char *path, const valid_data *data, detect_result *found)
{
    struct stat is;
    memset(found, 0, sizeof *found);
    if (stat(path, &is)) return report_error("cannot read detections %s: %s", path, strerror(errno));
    return S_ISDIR(is.st_mode) ? read_voc(path, data, found) : read_coco(path, data, found);
}

/* ---- Writing ---------------------------------------------------------------------------------------------------- */

/* %.9g, because nine digits are enough to read a float back exactly. */
static void write_voc_class(FILE *file, int class_id, const valid_data *data, const detect_result *found)
{
    size_t i;
    for (i = 0; i < found->count; ++i) {
        const ap_detection *d = &found->detections[i];
        int length;
        const char *stem;
        if (d->class_id != class_id) continue;
        stem = image_stem(data->images.text[d->image], &length);
        fprintf(file, "%.*s %.9g %.6f %.6f %.6f %.6f\n", length, stem, d->score, d->box.x - d->box.w / 2 + 1,
                d->box.y - d->box.h / 2 + 1, d->box.x + d->box.w / 2, d->box.y + d->box.h / 2);
    }
}

int detections_write_voc(const char *folder, const valid_data *data, const detect_result *found)
{
    named_image *names = sorted_names(&data->images); /* only to check that no two are the same */
    int k, status = !names;
    free_names(names, data->images.count);
    if (!status && mkdir(folder, 0777) && errno != EEXIST)
        status = report_error("cannot make the folder %s: %s", folder, strerror(errno));
    for (k = 0; k < data->classes && !status; ++k) {
        atomic_file file;
        char *path;
        int error;
        if (strchr(data->names.text[k], '/'))
            return report_error("the class %s has a / in its name, and cannot have a file of its own",
                                data->names.text[k]);
        path = join(folder, "comp4_det_test_", data->names.text[k], ".txt");
        error = atomic_open(&file, path);
        if (!error) {
            write_voc_class(file.stream, k, data, found);
            error = atomic_commit(&file);
        }
        if (error) status = report_error("cannot write %s: %s", path, strerror(error));
        free(path);
    }
    return status;
}

int detections_write_coco(const char *path, const valid_data *data, const detect_result *found)
{
    long long *ids = (long long *)xcalloc(data->images.count, sizeof *ids);
    atomic_file file;
    int error = atomic_open(&file, path);
    size_t i;
    if (!error) {
        if (!coco_image_ids(&data->images, ids))
            report_note("%s: the names of the images give no ids of their own: image_id is the place in the list, "
                        "from 1",
                        path);
        fputs("[", file.stream);
        for (i = 0; i < found->count; ++i) {
            const ap_detection *d = &found->detections[i];
            fprintf(file.stream,
                    "%s\n{\"image_id\": %lld, \"category_id\": %d, \"bbox\": [%.6f, %.6f, %.6f, %.6f], "
                    "\"score\": %.9g}",
                    i ? "," : "", ids[d->image], coco_category_id(d->class_id, data->classes), d->box.x - d->box.w / 2,
                    d->box.y - d->box.h / 2, d->box.w, d->box.h, d->score);
        }
        fputs("\n]\n", file.stream);
        error = atomic_commit(&file);
    }
    free(ids);
    return error ? report_error("cannot write %s: %s", path, strerror(error)) : 0;
}
