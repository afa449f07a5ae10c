#include "commands/detector_test.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "eval/detect.h"
#include "eval/threshold_file.h"
#include "image.h"
#include "list.h"
#include "stb_image_write.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A lower score than this is none: it is not worth a threshold. */
static const float LOWEST_NAMED = 1e-6f;

float detector_threshold(float given, const char *weights)
{
    double threshold = .5;
    if (!isnan(given)) return given;
    threshold_of_weights(weights, &threshold);
    return (float)threshold;
}

/* Writes a score with two digits that count, .21 or .0021, or with more where it would otherwise seem to have reached
 * the threshold: .499 is not .50. */
static const char *score_text(float score, float thresh, char *text)
{
    int decimals = 2;
    float said;
    while (decimals < 9 && score * pow(10, decimals) < 9.5) ++decimals;
    for (; decimals <= 9; ++decimals) {
        snprintf(text, DECIMAL_TEXT, "%.*f", decimals, score);
        said = strtof(text, 0);
        if (said < thresh || score == thresh) break;
    }
    return skip_leading_zero(text);
}

/* Writes half the score, so that more than this one box is shown, rounded down to a digit: of .21 it is .1. */
static const char *suggestion(float score, char *text)
{
    const double half = score / 2;
    const int decimals = (int)ceil(-log10(half) - 1e-9);
    const double unit = pow(10, -decimals);
    snprintf(text, DECIMAL_TEXT, "%.*f", decimals, floor(half / unit + 1e-6) * unit);
    return skip_leading_zero(text);
}

void outline_boxes(image im, const detection *boxes, int count, float thresh, int classes)
{
    const int darknets_width = (int)(im.h * .006);
    int i, k;
    if (darknets_width > 0) return;
    for (i = 0; i < count; ++i) {
        const box b = boxes[i].bbox;
        int colour;
        k = 0;
        while (k < classes && !(boxes[i].prob[k] > thresh)) ++k;
        if (k == classes) continue;
        colour = k * 123457 % classes; /* as in draw_detections */
        draw_box_width(im, (int)((b.x - b.w / 2) * im.w), (int)((b.y - b.h / 2) * im.h), (int)((b.x + b.w / 2) * im.w),
                       (int)((b.y + b.h / 2) * im.h), 1, get_color(2, colour, classes), get_color(1, colour, classes),
                       get_color(0, colour, classes));
    }
}

void check_names(char *names_file, int classes)
{
    list *names = get_paths(names_file);
    if (names->size < classes)
        die("%d classes, but %d names in %s: every class needs one", classes, names->size, names_file);
    free_list_contents(names);
    free_list(names);
}

void tell_if_no_box(network *net, int w, int h, const detection *boxes, int count, float thresh, char **names)
{
    char said[3][DECIMAL_TEXT], rounded[32];
    float highest;
    int class_id = 0;
    if (highest_score(boxes, count, net->layers[net->n - 1].classes, &class_id) > thresh) return;
    if (!heads_are_finite(net)) {
        report_note("no box: the output is not finite: weights that are untrained or have diverged");
        return;
    }
    snprintf(rounded, sizeof rounded, "%.6g", thresh); /* what was typed, not the float that came of it */
    format_decimal(atof(rounded), 2, said[0]);
    highest = highest_score_of_output(net, w, h, &class_id);
    if (highest < 0)
        report_note("no box above %s; a lower -thresh shows more", skip_leading_zero(said[0]));
    else if (highest >= LOWEST_NAMED)
        report_note("no box above %s; the highest score is %s (%s): try -thresh %s", skip_leading_zero(said[0]),
                    score_text(highest, thresh, said[1]), names[class_id], suggestion(highest, said[2]));
    else
        report_note("no box above %s, nor any of a score worth showing", skip_leading_zero(said[0]));
}

void begin_results(const char *folder, char *names_file, int classes)
{
    char path[PATH_MAX];
    check_names(names_file, classes);
    if (mkdir(folder, 0777) && errno != EEXIST) die("cannot make the folder %s: %s", folder, strerror(errno));
    snprintf(path, sizeof path, "%s/", folder); /* so that a file is no folder */
    if (access(path, W_OK | X_OK)) die("cannot write to the folder %s: %s", folder, strerror(errno));
}

FILE *open_result(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) die("cannot write %s: %s", path, strerror(errno));
    return file;
}

static void write_bytes(void *file, void *bytes, int count)
{
    fwrite(bytes, 1, (size_t)count, (FILE *)file); /* atomic_commit finds an error */
}

static int write_jpg(FILE *file, image im, const unsigned char *bytes)
{
    const int quality = 80; /* as Darknet has it */
    return stbi_write_jpg_to_func(write_bytes, file, im.w, im.h, im.c, bytes, quality);
}

static int write_png(FILE *file, image im, const unsigned char *bytes)
{
    return stbi_write_png_to_func(write_bytes, file, im.w, im.h, im.c, bytes, im.w * im.c);
}

static int write_bmp(FILE *file, image im, const unsigned char *bytes)
{
    return stbi_write_bmp_to_func(write_bytes, file, im.w, im.h, im.c, bytes);
}

static int write_tga(FILE *file, image im, const unsigned char *bytes)
{
    return stbi_write_tga_to_func(write_bytes, file, im.w, im.h, im.c, bytes);
}

/* Returns 0 where there is no memory for it. */
typedef int (*picture_writer)(FILE *file, image im, const unsigned char *bytes);

/* Finds the writer for a name by its ending, and makes the path of the file, which the caller frees: where the ending
 * is of no format, that of a JPEG comes behind it. Ends the program where a format is asked for that nothing writes. */
static picture_writer find_writer(const char *name, char **path)
{
    static const struct {
        const char *ending;
        picture_writer write; /* NULL: a format that is not written */
    } formats[] = {{".jpg", write_jpg}, {".jpeg", write_jpg}, {".png", write_png}, {".bmp", write_bmp},
                   {".tga", write_tga}, {".gif", 0},          {".tif", 0},         {".tiff", 0},
                   {".webp", 0},        {".ppm", 0},          {".pdf", 0},         {".svg", 0}};
    const char *slash = strrchr(name, '/'), *ending = strrchr(slash ? slash : name, '.');
    struct stat status;
    size_t i;
    *path = (char *)xcalloc(strlen(name) + sizeof ".jpg", 1);
    strcpy(*path, name);
    for (i = 0; ending && i < sizeof formats / sizeof *formats; ++i) {
        if (strcasecmp(ending, formats[i].ending)) continue;
        if (!formats[i].write) die("cannot write %s: pictures are .jpg, .png, .bmp or .tga", name);
        return formats[i].write;
    }
    /* a device or a pipe has the name that it has */
    if (stat(name, &status) || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) strcat(*path, ".jpg");
    return write_jpg;
}

/* The image's pixels, [h][w][c] from 0 to 255, as Darknet makes them of 0 to 1. */
static unsigned char *bytes_of(image im)
{
    const int area = im.w * im.h;
    unsigned char *bytes = (unsigned char *)xmalloc((size_t)area * im.c);
    int i, k;
    for (k = 0; k < im.c; ++k)
        for (i = 0; i < area; ++i) bytes[i * im.c + k] = (unsigned char)(255 * im.data[i + k * area]);
    return bytes;
}

void save_picture(image im, const char *name)
{
    char *path;
    const picture_writer write = find_writer(name, &path);
    unsigned char *bytes = bytes_of(im);
    atomic_file file;
    int error = atomic_open(&file, path);
    if (!error && write(file.stream, im, bytes)) {
        error = atomic_commit(&file);
    } else if (!error) {
        atomic_discard(&file);
        error = ENOMEM;
    }
    if (error) die("cannot write %s: %s", path, strerror(error));
    free(bytes);
    free(path);
}

static int coordinates;

void detector_test_set_coordinates(int on)
{
    coordinates = on;
}

void print_coordinates(int w, int h, const detection *boxes, int count, float thresh, char **names, int classes)
{
    int i, k;
    for (i = 0; coordinates && i < count; ++i) {
        const box b = boxes[i].bbox;
        for (k = 0; k < classes; ++k)
            if (boxes[i].prob[k] > thresh)
                printf("%s: %.0f%%\t(left_x: %4.0f   top_y: %4.0f   width: %4.0f   height: %4.0f)\n", names[k],
                       boxes[i].prob[k] * 100, (b.x - b.w / 2) * w, (b.y - b.h / 2) * h, b.w * w, b.h * h);
    }
}
