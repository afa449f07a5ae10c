/* Finds and parses the label files of a detector. */
#include "data/label_file.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Replaces the first `word` in `path` with `by`. `path` must have room for a longer text. */
static void replace_first(char *path, const char *word, const char *by)
{
    char *at = strstr(path, word);
    if (!at) return;
    memmove(at + strlen(by), at + strlen(word), strlen(at + strlen(word)) + 1);
    memcpy(at, by, strlen(by));
}

static int ends_with(const char *path, const char *end)
{
    const size_t length = strlen(path), end_length = strlen(end);
    return length >= end_length && !strcmp(path + length - end_length, end);
}

/* `raw` is the word raw, which becomes labels, too; or NULL. */
static int replace_words(char *path, const char *raw)
{
    static const char *const endings[] = {".jpg", ".png", ".JPG", ".JPEG"};
    size_t i;
    replace_first(path, "images", "labels");
    replace_first(path, "JPEGImages", "labels");
    if (raw) replace_first(path, raw, "labels");
    for (i = 0; i < sizeof endings / sizeof *endings; ++i) replace_first(path, endings[i], ".txt");
    return ends_with(path, ".txt");
}

static int by_darknets_rule(char *path)
{
    return replace_words(path, "raw");
}

static int by_rule_of_detection(char *path)
{
    return strstr(path, "raw") && replace_words(path, 0);
}

/* The ending of the file's name becomes .txt. */
static int beside_the_image(char *path)
{
    char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    strcpy(dot ? dot : name + strlen(name), ".txt");
    return 1;
}

/* The last folder of the path with this name, or NULL. */
static char *last_folder(char *path, const char *name)
{
    const size_t length = strlen(name);
    char *slash = strrchr(path, '/');
    for (; slash && slash >= path + length; --slash) {
        char *start = slash - length;
        if (*slash == '/' && !strncmp(start, name, length) && (start == path || start[-1] == '/')) return start;
    }
    return 0;
}

static int beside_the_folder(char *path)
{
    char *images = last_folder(path, "images"), *jpegs = last_folder(path, "JPEGImages");
    beside_the_image(path);
    if (!images && !jpegs) return 0;
    if (jpegs && (!images || jpegs > images))
        replace_first(jpegs, "JPEGImages", "labels");
    else
        replace_first(images, "images", "labels");
    return 1;
}

int label_file_place(int place, const char *image_path, char path[LABEL_PATH_SIZE])
{
    static int (*const places[LABEL_PLACES])(char *) = {by_darknets_rule, by_rule_of_detection, beside_the_folder,
                                                        beside_the_image};
    enum { ROOM = 64 }; /* bytes that the replacements can add */
    const size_t length = strlen(image_path);
    if (length >= LABEL_PATH_SIZE - ROOM) return 0;
    memcpy(path, image_path, length + 1);
    return places[place](path);
}

labels_status label_file_path(const char *image_path, char path[LABEL_PATH_SIZE], char *reason, size_t reason_size)
{
    int i, first = -1;
    for (i = 0; i < LABEL_PLACES; ++i) {
        if (!label_file_place(i, image_path, path)) continue;
        if (!access(path, F_OK)) return LABELS_OK;
        if (first < 0) first = i;
    }
    if (first >= 0 && label_file_place(first, image_path, path)) return LABELS_OK;
    snprintf(reason, reason_size, "path too long: %.60s...", image_path);
    return LABELS_BAD;
}

/* Parses one line and modifies it on the way. Returns 0, or 1 with the reason. */
static int parse_label(char *line, int classes, label_box *box, char *reason, size_t reason_size)
{
    static const char *const names[] = {"x", "y", "width", "height"};
    /* A box as wide as the image may reach a little beyond it, because the numbers in the file are rounded. */
    const double slack = .001;
    char *fields[6], *rest = 0, *field = strtok_r(line, " \t\r\n", &rest);
    double values[4];
    long long class_id;
    int i, count = 0;

    for (; field && count < 6; field = strtok_r(0, " \t\r\n", &rest)) fields[count++] = field;
    if (count != 5) {
        snprintf(reason, reason_size, "a label is five numbers: class x y width height");
        return 1;
    }
    if (parse_whole_number(fields[0], 0, classes - 1, &class_id)) {
        snprintf(reason, reason_size, "class %.40s: must be 0 to %d", fields[0], classes - 1);
        return 1;
    }
    for (i = 0; i < 4; ++i) {
        int centre = i < 2;
        if (!parse_number(fields[i + 1], centre ? -slack : 0, 1 + slack, &values[i]) && (centre || values[i] > 0))
            continue;
        snprintf(reason, reason_size, "%s %.40s: must be %s, relative to the image", names[i], fields[i + 1],
                 centre ? "0 to 1" : "above 0 and 1 at most");
        return 1;
    }
    if (values[0] == 0 && values[1] == 0) {
        snprintf(reason, reason_size, "a box at x 0, y 0: Darknet takes it for the end of the list");
        return 1;
    }
    for (i = 0; i < 4; ++i) box->single[i] = strtof(fields[i + 1], 0);
    box->class_id = (int)class_id;
    box->x = values[0];
    box->y = values[1];
    box->w = values[2];
    box->h = values[3];
    return 0;
}

static labels_status read_open(FILE *file, const char *path, int classes, label_boxes *boxes, char *reason,
                               size_t reason_size)
{
    char line[1024], why[160];
    int number = 0;
    while (fgets(line, sizeof line, file)) {
        const size_t length = strlen(line);
        const int is_whole = length && (line[length - 1] == '\n' || feof(file));
        label_box box;
        ++number;
        strip_line(line);
        if (length && !line[strspn(line, " \t")]) continue;
        if (!is_whole) {
            snprintf(reason, reason_size, "%s:%d: not a line of text, or longer than %d characters", path, number,
                     (int)sizeof line - 2);
            return LABELS_BAD;
        }
        if (parse_label(line, classes, &box, why, sizeof why)) {
            snprintf(reason, reason_size, "%s:%d: %s", path, number, why);
            return LABELS_BAD;
        }
        boxes->items = (label_box *)grow_array(boxes->items, boxes->count, &boxes->capacity, sizeof box);
        boxes->items[boxes->count++] = box;
    }
    if (!ferror(file)) return LABELS_OK;
    snprintf(reason, reason_size, "cannot read labels %s: %s", path, strerror(errno));
    return LABELS_BAD;
}

labels_status label_file_read(const char *path, int classes, label_boxes *boxes, char *reason, size_t reason_size)
{
    const size_t before = boxes->count;
    labels_status status;
    FILE *file;
    errno = 0;
    file = fopen(path, "r");
    if (!file) {
        if (errno == ENOENT) {
            snprintf(reason, reason_size, "no labels %s", path);
            return LABELS_MISSING;
        }
        snprintf(reason, reason_size, "cannot read labels %s: %s", path, strerror(errno));
        return LABELS_BAD;
    }
    status = read_open(file, path, classes, boxes, reason, reason_size);
    if (status != LABELS_OK) boxes->count = before;
    fclose(file);
    return status;
}
