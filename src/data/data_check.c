#include "data/data_check.h"

#include "base/memory.h"
#include "base/nearest_name.h"
#include "base/progress.h"
#include "base/text_line.h"
#include "data/data_value.h"
#include "data/image_header.h"
#include "data/label_file.h"
#include "data/labelled_images.h"
#include "data/lists.h"
#include "data/photo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const double quiet_seconds = 2;

/* ---- The .data file ---------------------------------------------------------------------------------------------- */

/* Darknet's keys, those of this project (docs/keys.md), and two that others write and nothing reads. */
static const char *const known_keys[] = {"backup", "classes",      "difficult", "eval",       "labels",  "leaves",
                                         "map",    "names",        "noise",     "noise_file", "results", "sampling",
                                         "tag",    "noise_column", "test",      "noise_seed", "top",     "train",
                                         "tree",   "truth",        "valid",     "voc"};
enum { KNOWN_KEYS = sizeof known_keys / sizeof *known_keys };

static int is_known_key(const char *key)
{
    int i;
    for (i = 0; i < KNOWN_KEYS && strcmp(key, known_keys[i]);) ++i;
    return i < KNOWN_KEYS;
}

/* The line, from 1, that has this key first; of `lines`, which are stripped. */
static int first_line_of(const text_lines *lines, const char *key, size_t length)
{
    int i;
    for (i = 0; strncmp(lines->text[i], key, length) || lines->text[i][length] != '=';) ++i;
    return i + 1;
}

/* A key that is misspelt is a problem, and one that comes twice is noted, as in a cfg. `equals` is the = of line i of
 * the stripped `lines`. */
static void check_key(const char *data_file, const text_lines *lines, int i, const char *equals, problems *list)
{
    const char *text = lines->text[i], *meant;
    const size_t length = (size_t)(equals - text);
    const int first = first_line_of(lines, text, length);
    char *key = xstrdup(text);
    key[length] = 0;
    meant = is_known_key(key) ? 0 : nearest_name(key, known_keys, KNOWN_KEYS);
    if (meant) add_problem(list, "%s:%d: unknown key %s=: did you mean %s=?", data_file, i + 1, key, meant);
    if (first <= i) report_note("%s:%d: %s= is given twice: line %d counts", data_file, i + 1, key, first);
    free(key);
}

/* Darknet's read_data_cfg takes a line without = for a key without a value, or drops it with a remark. */
int check_data_lines(const char *data_file, problems *list)
{
    const size_t before = list->count;
    text_lines lines;
    int i;
    collect_text("data file", data_file, &lines, list);
    for (i = 0; i < lines.count; ++i) {
        char *text = lines.text[i], *whole = xstrdup(text);
        const char *equals;
        strip_cfg_line(text);
        equals = strchr(text, '=');
        if (*text && (!equals || equals == text))
            add_problem(list, "%s:%d: %.60s: a line of a .data file is key = value", data_file, i + 1, whole);
        else if (*text && !equals[1])
            add_problem(list, "%s:%d: %.60s has no value", data_file, i + 1, text);
        else if (*text)
            check_key(data_file, &lines, i, equals, list);
        free(whole);
    }
    free_lines(&lines);
    return list->count > before;
}

/* The value of a key, which the caller frees; NULL if the file has none, and *line is then 0. check_data_lines has
 * found no problem. */
static char *value_of(const char *data_file, const char *key, int *line)
{
    data_value value;
    if (data_value_find(data_file, key, &value)) return 0;
    if (line) *line = value.line;
    return value.text;
}

static int has_key(const char *data_file, const char *key)
{
    char *value = value_of(data_file, key, 0);
    free(value);
    return value != 0;
}

/* Whether there is something that is neither a file nor a folder. */
static int is_special(const char *path)
{
    struct stat status;
    return !stat(path, &status) && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* A list is read more than once, which a pipe allows only once. Reports it and returns 1. */
static int is_pipe(const char *data_file, const char *key, const char *path, problems *list)
{
    if (!is_special(path)) return 0;
    return add_problem(list, "%s: %s=%s is no file, but a pipe or a device: write the lines to a file", data_file, key,
                       path);
}

/* Whether train= and valid= are the same file, of which every problem would be said twice. */
static int is_one_list(const char *data_file)
{
    char *train = value_of(data_file, "train", 0), *valid = value_of(data_file, "valid", 0);
    const int same = train && valid && !strcmp(train, valid);
    free(train);
    free(valid);
    return same;
}

/* ---- Images and label files -------------------------------------------------------------------------------------- */

/* A list that is being checked. */
typedef struct {
    const char *file;
    int label_classes; /* of a detector; 0: there are no label files */
    int most_objects;  /* 0: as many as there are */
    int needs_labels;  /* an image must have a label file */
    size_t objects;
    int crowded; /* images with more than most_objects; the first of them: */
    int first_crowded;
    size_t first_count;
    label_boxes boxes; /* scratch */
    problems *list;
    int *counts;        /* [label_classes] objects by class */
    int skips, skipped; /* -skip_bad: images that cannot be read are counted and are no problem */
    char first_skipped[LABEL_PATH_SIZE + 300];
} image_list;

/* Returns 1 if the image cannot be read. */
static int check_image(image_list *images, int line, const char *path)
{
    char reason[256];
    if (!image_header_problem(path, reason, sizeof reason)) return 0;
    if (!images->skips)
        return add_problem(images->list, "%s:%d: image %s: %s: replace it, or take the line out", images->file, line,
                           path, reason);
    if (!images->skipped++)
        snprintf(images->first_skipped, sizeof images->first_skipped, "line %d: %s: %s", line, path, reason);
    return 1;
}

static void add_missing_labels(const image_list *images, int line, const char *path)
{
    char places[LABEL_PLACES * (LABEL_PATH_SIZE + 4)] = "", place[LABEL_PATH_SIZE];
    int i;
    for (i = 0; i < LABEL_PLACES; ++i) {
        const size_t used = strlen(places);
        if (!label_file_place(i, path, place) || strstr(places, place)) continue;
        snprintf(places + used, sizeof places - used, "%s%s", used ? ", " : "", place);
    }
    add_problem(images->list,
                "%s:%d: image %s: no label file: there is no %s (an image without objects needs an empty one)",
                images->file, line, path, places);
}

static void count_objects(image_list *images, int line)
{
    const size_t count = images->boxes.count;
    size_t i;
    images->objects += count;
    for (i = 0; i < count; ++i) ++images->counts[images->boxes.items[i].class_id];
    if (!images->most_objects || count <= (size_t)images->most_objects || images->crowded++) return;
    images->first_crowded = line;
    images->first_count = count;
}

static void check_labels(image_list *images, int line, const char *path)
{
    char labels[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    if (label_file_path(path, labels, reason, sizeof reason) != LABELS_OK) {
        add_problem(images->list, "%s:%d: %s", images->file, line, reason);
        return;
    }
    if (is_special(labels)) { /* which would be waited for */
        add_problem(images->list, "%s:%d: labels %s: it is no file, but a pipe or a device", images->file, line,
                    labels);
        return;
    }
    images->boxes.count = 0;
    switch (label_file_read(labels, images->label_classes, &images->boxes, reason, sizeof reason)) {
    case LABELS_OK:
        count_objects(images, line);
        break;
    case LABELS_MISSING:
        if (images->needs_labels) add_missing_labels(images, line, path);
        break;
    case LABELS_BAD:
        add_problem(images->list, "%s", reason);
        break;
    }
}

static void check_paths(image_list *images, char **paths, int count)
{
    progress p;
    int i;
    progress_begin(&p, "images", (size_t)count, count, quiet_seconds);
    for (i = 0; i < count; ++i) {
        if (*paths[i]) {
            const int is_bad = check_image(images, i + 1, paths[i]);
            if (images->label_classes && !(is_bad && images->skips)) check_labels(images, i + 1, paths[i]);
        }
        progress_step(&p, 1);
    }
    progress_end(&p);
    if (images->skipped)
        report_note("%d images of %s cannot be read and will be skipped; the first is %s", images->skipped,
                    images->file, images->first_skipped);
    if (images->crowded)
        report_note(
            "%d images of %s have more objects than the %d that max= of the head lets a training see at a time; "
            "the first is line %d, with %zu",
            images->crowded, images->file, images->most_objects, images->first_crowded, images->first_count);
    if (images->skipped == count && count) add_problem(images->list, "%s has no other images", images->file);
}

/* A class that is in no image or object of the training list is not learned, but may be meant: images of it come later.
 * `counts` [classes]. */
static void note_empty_classes(const char *file, const char *what, const int *counts, int classes)
{
    int i, empty = 0, first = 0;
    for (i = classes; i-- > 0;) {
        if (counts[i]) continue;
        first = i;
        ++empty;
    }
    if (empty)
        report_note("%s has no %s of %d of the %d classes; the first of them is class %d", file, what, empty, classes,
                    first);
}

/* ---- Detectors --------------------------------------------------------------------------------------------------- */

/* Returns how many images the list of `key` has. */
static int check_detector_list(const char *data_file, const char *key, detector_classes network, size_t *objects,
                               problems *list)
{
    image_list images;
    text_lines lines = {0};
    char *path = value_of(data_file, key, 0);
    const int is_training = !strcmp(key, "train"), label_classes = network.label_classes;
    const size_t before = list->count;
    int count = 0;
    if (!path && is_training) add_problem(list, "%s has no train=", data_file);
    if (path && !is_pipe(data_file, key, path, list)) {
        memset(&images, 0, sizeof images);
        images.file = path;
        images.label_classes = label_classes;
        images.most_objects = is_training ? network.most_objects : 0;
        images.counts = (int *)xcalloc((size_t)label_classes + 1, sizeof *images.counts);
        images.needs_labels = is_training;
        images.skips = is_training && photo_skips();
        images.list = list;
        collect_lines("list of images", path, &lines, list);
        check_paths(&images, lines.text, lines.count);
        count = lines.count;
        *objects += images.objects;
        if (is_training && label_classes && list->count == before)
            note_empty_classes(path, "object", images.counts, label_classes);
        free(images.counts);
        free(images.boxes.items);
        free_lines(&lines);
    }
    free(path);
    return count;
}

/* Reads names=, which must have a line for every class. */
static void check_names(const char *data_file, int classes, problems *list)
{
    text_lines names;
    int line = 0;
    char *path = value_of(data_file, "names", &line);
    if (!path || is_pipe(data_file, "names", path, list)) {
        free(path);
        return;
    }
    if (!collect_lines("list of names", path, &names, list) && names.count < classes)
        add_problem(list, "%s has %d names, but there are %d classes: one line each", path, names.count, classes);
    else if (names.count > classes)
        report_note("%s has %d names for %d classes: the last ones have no class", path, names.count, classes);
    free_lines(&names);
    free(path);
}

/* classes= of the .data file; 0 if there is none. */
static int read_classes(const char *data_file, problems *list)
{
    const int most = 1000000;
    long long classes = 0;
    if (data_value_whole_number(data_file, "classes", 1, most, &classes)) add_printed_problem(list);
    return (int)classes;
}

void check_detector_data(const char *data_file, detector_classes network, checked_data *checked, problems *list)
{
    int said;
    memset(checked, 0, sizeof *checked);
    said = read_classes(data_file, list);
    if (!network.classes) network.classes = network.label_classes = said;
    if (!network.classes) {
        add_problem(list, "%s has no classes=", data_file);
        return;
    }
    checked->classes = network.classes;
    if (said && said != network.classes)
        add_problem(list, "%s: classes=%d, but the network has %d: must be the same", data_file, said, network.classes);
    check_names(data_file, network.classes, list);
    checked->train_images = check_detector_list(data_file, "train", network, &checked->objects, list);
    if (is_one_list(data_file))
        checked->valid_images = checked->train_images;
    else
        checked->valid_images = check_detector_list(data_file, "valid", network, &checked->objects, list);
}

/* ---- Classifiers ------------------------------------------------------------------------------------------------- */

/* As use_labels refuses them. Returns 1 if there is one. */
static int refuse_keys_of_labels(const char *data_file, problems *list)
{
    static const char *const keys[] = {"truth", "noise", "noise_file"};
    const size_t before = list->count;
    size_t i;
    for (i = 0; i < sizeof keys / sizeof *keys; ++i) {
        int line = 0;
        char *value = value_of(data_file, keys[i], &line);
        if (value) add_problem(list, "%s:%d: %s=%s does not go together with tag=1", data_file, line, keys[i], value);
        free(value);
    }
    return list->count > before;
}

/* With tag=1 the labels stand in files of their own form, and the images alone are looked at. */
static int check_tagged_list(const char *data_file, const char *key, problems *list)
{
    const detector_classes none = {0, 0, 0};
    size_t objects = 0;
    return check_detector_list(data_file, key, none, &objects, list);
}

static void note_images_of_classes(const char *file, const labelled_images *images)
{
    int *counts = (int *)xcalloc((size_t)images->classes, sizeof *counts), i;
    for (i = 0; i < images->count; ++i)
        if (images->labels[i] >= 0) ++counts[images->labels[i]];
    note_empty_classes(file, "image", counts, images->classes);
    free(counts);
}

static int check_classifier_list(const char *data_file, const char *key, problems *list)
{
    labelled_images images;
    image_list checked;
    const size_t before = list->count;
    char *path = value_of(data_file, key, 0);
    int count = 0;
    if ((path || !strcmp(key, "train")) && !(path && is_pipe(data_file, key, path, list))) {
        labelled_images_collect(data_file, key, &images, list);
        memset(&checked, 0, sizeof checked);
        checked.file = path;
        checked.list = list;
        checked.skips = !strcmp(key, "train") && photo_skips();
        check_paths(&checked, images.paths, images.count);
        count = images.count;
        if (list->count == before && !strcmp(key, "train")) note_images_of_classes(path, &images);
        labelled_images_free(&images);
    }
    free(path);
    return count;
}

void check_classifier_data(const char *data_file, checked_data *checked, problems *list)
{
    const size_t before = list->printed;
    long long tag = 0;
    int (*check_list)(const char *, const char *, problems *);
    memset(checked, 0, sizeof *checked);
    checked->classes = read_classes(data_file, list);
    if (!checked->classes) checked->classes = 2; /* Darknet's default */
    if (data_value_whole_number(data_file, "tag", 0, 1, &tag)) add_printed_problem(list);
    if (tag && refuse_keys_of_labels(data_file, list)) return; /* the list may have labels in it */
    check_list = tag ? check_tagged_list : check_classifier_list;
    checked->train_images = check_list(data_file, "train", list);
    if (list->printed > before) return; /* the labels cannot be read, of either list */
    checked->valid_images = is_one_list(data_file) ? checked->train_images : check_list(data_file, "valid", list);
}

/* ---- Which one --------------------------------------------------------------------------------------------------- */

int looks_like_a_detector(const char *data_file)
{
    static const char *const of_classifiers[] = {"labels", "truth", "top", "tag", "noise_file"};
    enum { FIRST_IMAGES = 100 };
    problems ignored = {{0}, 0, 0, 0};
    char labels[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    text_lines lines = {0};
    char *path;
    size_t i;
    int k, found = 0;
    for (i = 0; i < sizeof of_classifiers / sizeof *of_classifiers; ++i)
        if (has_key(data_file, of_classifiers[i])) return 0;
    path = value_of(data_file, "train", 0);
    if (path) collect_lines("list of images", path, &lines, &ignored);
    for (k = 0; k < lines.count && k < FIRST_IMAGES && !found; ++k) {
        struct stat status;
        found = label_file_path(lines.text[k], labels, reason, sizeof reason) == LABELS_OK && !stat(labels, &status);
    }
    drop_problems(&ignored);
    free_lines(&lines);
    free(path);
    return found;
}
