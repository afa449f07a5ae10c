#include "detector_map.h"

#include "average_precision.h"
#include "detect.h"

#include "darknet.h"
#include "option_list.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Darknet's find_replace writes into buffers of this size without looking; paths stay below it with room to grow. */
enum { PATH_SIZE = 4096, PATH_LIMIT = PATH_SIZE - 64 };

/* Every error of this command is one line. Returns the exit status. */
static int complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "detector map: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    return 1;
}

/* Room for one more item: returns the array, moved if need be, or null (then `items` is still valid). */
static void *grow(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 256;
    if (count < *capacity) return items;
    items = realloc(items, more * size);
    if (items) *capacity = more;
    return items;
}

/* ---- Arguments -------------------------------------------------------------------------------------------------- */

/* A decimal number and nothing else: no inf, nan or hexadecimals, which strtod takes too. */
static int parse_number(const char *text, double *value)
{
    char *end;
    if (!*text || text[strspn(text, "0123456789.eE+-")]) return 0;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && !*end && (errno != ERANGE || fabs(*value) < 1);
}

static int is_points(double value)
{
    return value == 0 || value == 11 || value == 101;
}

static int is_iou_threshold(double value)
{
    return value > 0 && value <= 1;
}

static int is_score_threshold(double value)
{
    return value >= DETECT_LOWEST_SCORE && value <= 1;
}

static int is_nms(double value)
{
    return value >= 0 && value <= 1;
}

typedef struct {
    char *data_file, *cfg_file, *weights_file;
    double points, iou_threshold, score_threshold, nms;
} map_arguments;

static int parse_arguments(int argc, char **argv, map_arguments *arguments)
{
    const struct {
        const char *name;
        double *value, standard;
        int (*valid)(double);
        const char *range;
    } options[] = {
        {"-points", &arguments->points, 0, is_points, "0, 11 or 101"},
        {"-iou_thresh", &arguments->iou_threshold, .5, is_iou_threshold, "a number above 0, and 1 at most"},
        {"-thresh", &arguments->score_threshold, .25, is_score_threshold, "a number from .005 to 1"},
        {"-nms", &arguments->nms, .45, is_nms, "a number from 0 to 1"},
    };
    enum { OPTIONS = sizeof options / sizeof *options };
    int i, k;

    for (k = 0; k < OPTIONS; ++k) {
        char *text = find_char_arg(argc, argv, (char *)options[k].name, 0);
        *options[k].value = options[k].standard;
        if (text && !(parse_number(text, options[k].value) && options[k].valid(*options[k].value)))
            return complain("%s %s: must be %s", options[k].name, text, options[k].range);
    }
    /* Removed options leave nulls at the end of argv. What is left behind the three files nobody asked for. */
    for (i = 0; i < argc && argv[i]; ++i) {
        for (k = 0; k < OPTIONS; ++k) {
            if (i > 2 && !strcmp(argv[i], options[k].name))
                return complain("%s: %s", argv[i], i + 1 < argc && argv[i + 1] ? "given twice" : "needs a value");
        }
        if (i > 5) return complain("unexpected argument %s", argv[i]);
    }
    if (i < 6)
        return complain("usage: %s detector map <data> <cfg> <weights> [-points 0|11|101] [-iou_thresh .5] "
                        "[-thresh .25] [-nms .45]",
                        argc && argv[0] ? argv[0] : "darknet");
    arguments->data_file = argv[3];
    arguments->cfg_file = argv[4];
    arguments->weights_file = argv[5];
    return 0;
}

/* ---- Files ------------------------------------------------------------------------------------------------------ */

/* Darknet exits with status 0 where a file is missing, so files are looked at before it gets them. */
static int check_file(const char *what, const char *path)
{
    struct stat status;
    int reason = 0;
    if (stat(path, &status) || access(path, R_OK))
        reason = errno;
    else if (S_ISDIR(status.st_mode))
        reason = EISDIR;
    if (!reason) return 0;
    return complain("cannot read %s %s: %s", what, path, strerror(reason));
}

typedef struct {
    char **text;
    int count;
} lines;

static void free_lines(lines *l)
{
    if (l->text) free_ptrs((void **)l->text, l->count);
    l->text = 0;
}

/* The lines of a file without their ends, \r\n too, and without empty lines at the end of the file. Free with
 * free_lines. */
static int read_lines(const char *what, char *path, lines *result)
{
    list *paths;
    int i;
    if (check_file(what, path)) return 1;
    paths = get_paths(path);
    result->count = paths->size;
    result->text = (char **)list_to_array(paths);
    free_list(paths);
    for (i = 0; i < result->count; ++i) {
        size_t length = strlen(result->text[i]);
        if (length && result->text[i][length - 1] == '\r') result->text[i][length - 1] = 0;
    }
    while (result->count && !*result->text[result->count - 1]) free(result->text[--result->count]);
    for (i = 0; i < result->count; ++i) {
        if (!*result->text[i]) return complain("%s:%d: empty line in the %s", path, i + 1, what);
    }
    return result->count ? 0 : complain("the %s %s is empty", what, path);
}

static void free_options(list *options)
{
    node *n;
    for (n = options->front; n; n = n->next) {
        kvp *pair = (kvp *)n->val;
        free(pair->key); /* the whole line; the value lies in it */
        free(pair);
    }
    free_list(options);
}

typedef struct {
    int classes; /* as the data file says */
    lines names, images;
    char *names_file;
} map_data;

static void free_data_file(map_data *data)
{
    free_lines(&data->names);
    free_lines(&data->images);
    free(data->names_file);
}

static int read_data_file(char *path, map_data *data)
{
    const char *keys[] = {"valid", "names", "classes"};
    char *values[3];
    double classes = 0;
    list *options;
    int i, status = 0;

    if (check_file("data file", path)) return 1;
    options = read_data_cfg(path);
    for (i = 0; i < 3 && !status; ++i) {
        values[i] = option_find_str(options, (char *)keys[i], 0);
        if (!values[i]) status = complain("%s has no %s=", path, keys[i]);
    }
    if (!status && !(parse_number(values[2], &classes) && classes >= 1 && classes <= 1e6 && classes == (int)classes))
        status = complain("%s: classes=%s: must be a whole number, at least 1", path, values[2]);
    if (!status) {
        data->classes = (int)classes;
        data->names_file = (char *)malloc(strlen(values[1]) + 1);
        status = data->names_file ? 0 : complain("out of memory");
    }
    if (!status) {
        strcpy(data->names_file, values[1]);
        status = read_lines("list of names", values[1], &data->names);
    }
    if (!status) status = read_lines("list of images", values[0], &data->images);
    free_options(options);
    return status;
}

/* ---- Labels ----------------------------------------------------------------------------------------------------- */

typedef struct {
    ap_object *objects;
    size_t count, capacity;
    int missing;       /* images without label file */
    int first_missing; /* number of the first of them */
} map_labels;

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

/* One line, `class x y width height`, that strtok_r may cut up. Returns 0, or 1 with the reason in `reason`. */
static int parse_label(char *line, int classes, ap_object *object, char *reason, size_t size)
{
    static const char *const names[] = {"x", "y", "width", "height"};
    /* Rounding takes boxes that span the image a little beyond it. */
    const double slack = .001;
    char *fields[6], *rest = 0, *field = strtok_r(line, " \t\r\n", &rest);
    double values[4], class_id;
    int i, count = 0;

    for (; field && count < 6; field = strtok_r(0, " \t\r\n", &rest)) fields[count++] = field;
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

/* Adds the objects of one label file, which carry the number `image`. */
static int read_label_file(FILE *file, const char *path, int image, int classes, map_labels *labels)
{
    char line[1024], reason[200];
    int number = 0;
    while (fgets(line, sizeof line, file)) {
        ap_object object, *grown;
        size_t length = strlen(line);
        ++number;
        if (length && line[strspn(line, " \t\r\n")] == 0) continue;
        if (!length || (line[length - 1] != '\n' && !feof(file)))
            return complain("%s:%d: not a line of text, or longer than %d characters", path, number,
                            (int)sizeof line - 2);
        memset(&object, 0, sizeof object);
        object.image = image;
        if (parse_label(line, classes, &object, reason, sizeof reason))
            return complain("%s:%d: %s", path, number, reason);
        grown = (ap_object *)grow(labels->objects, labels->count, &labels->capacity, sizeof object);
        if (!grown) return complain("out of memory");
        labels->objects = grown;
        labels->objects[labels->count++] = object;
    }
    return ferror(file) ? complain("cannot read %s: %s", path, strerror(errno)) : 0;
}

/* The labels of all images; image numbers are places in the list. Also sees to it that the images can be read. */
static int read_labels(const map_data *data, map_labels *labels)
{
    char buffers[2][PATH_SIZE];
    const char *path = "";
    int i, status = 0;
    for (i = 0; i < data->images.count && !status; ++i) {
        const char *image_path = data->images.text[i];
        size_t length;
        FILE *file;
        if (strlen(image_path) >= PATH_LIMIT) return complain("path too long: %.60s...", image_path);
        if (check_file("image", image_path)) return 1;
        path = label_path(image_path, buffers);
        length = strlen(path);
        if (length < 4 || strcmp(path + length - 4, ".txt"))
            return complain("%s: Darknet finds labels of .jpg, .png, .JPG and .JPEG images only", image_path);
        errno = 0;
        file = fopen(path, "r");
        if (file) {
            status = read_label_file(file, path, i, data->classes, labels);
            fclose(file);
        } else if (errno == ENOENT) {
            if (!labels->missing++) labels->first_missing = i;
        } else {
            status = complain("cannot read labels %s: %s", path, strerror(errno));
        }
    }
    if (!status && !labels->count)
        status = complain("no labelled object in any of the %d images; the labels of the last are looked for in %s",
                          data->images.count, path);
    return status;
}

/* From relative to the image, as labels are. */
static void to_pixels(ap_box *box, detect_size size)
{
    box->x *= size.w;
    box->w *= size.w;
    box->y *= size.h;
    box->h *= size.h;
}

/* ---- The report ------------------------------------------------------------------------------------------------- */

/* Digits behind the point that show `value` in full, `digits` at least and 6 at most: .5 as 0.50, .125 as 0.125. */
static int digits_for(double value, int digits)
{
    double scaled = value * pow(10, digits);
    for (; digits < 6 && fabs(scaled - floor(scaled + .5)) > 1e-6; ++digits) scaled *= 10;
    return digits;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Scripts read these lines; their wording is that of the Darknet forks that have this command. */
static int print_report(const map_arguments *a, const map_data *data, const ap_class *per_class)
{
    const ap_class total = ap_total(per_class, data->classes);
    const double thresh = a->score_threshold, iou = a->iou_threshold;
    const int digits = digits_for(thresh, 2);
    const double precision = ratio(total.tp, total.tp + total.fp), recall = ratio(total.tp, total.objects);
    int k;

    for (k = 0; k < data->classes; ++k) {
        const ap_class *c = &per_class[k];
        printf("class_id = %d, name = %s, ap = ", k, data->names.text[k]);
        if (c->objects)
            printf("%.2f%% \t (TP = %lu, FP = %lu) \n", 100 * c->ap, (unsigned long)c->tp, (unsigned long)c->fp);
        else
            printf("n/a (no objects; FP = %lu; left out of the mean)\n", (unsigned long)c->fp);
    }
    printf("\n for conf_thresh = %.*f, precision = %.2f, recall = %.2f, F1-score = %.2f \n", digits, thresh, precision,
           recall, ratio(2 * precision * recall, precision + recall));
    printf(" for conf_thresh = %.*f, TP = %lu, FP = %lu, FN = %lu, average IoU = %.2f %% \n", digits, thresh,
           (unsigned long)total.tp, (unsigned long)total.fp, (unsigned long)(total.objects - total.tp),
           100 * ratio(total.iou_sum, total.tp + total.fp));
    printf("\n IoU threshold = %.*f %%, AP by %s; average IoU counts a false positive as 0 \n",
           digits_for(100 * iou, 0), 100 * iou,
           a->points == 0    ? "area under the interpolated curve (VOC 2010 on)"
           : a->points == 11 ? "the mean at 11 recall points (VOC 2007)"
                             : "the mean at 101 recall points (COCO)");
    printf(" mean average precision (mAP@%.*f) = %f, or %.2f %% \n", digits_for(iou, 2), iou, total.ap, 100 * total.ap);
    if (fflush(stdout) || ferror(stdout)) return complain("cannot write the result: %s", strerror(errno));
    return 0;
}

int detector_map(int argc, char **argv)
{
    map_arguments arguments;
    map_data data;
    map_labels labels;
    detect_options how;
    detect_result found;
    detect_size *sizes = 0;
    network *net = 0;
    ap_class *per_class = 0;
    int classes = 0, status;

    memset(&arguments, 0, sizeof arguments);
    memset(&data, 0, sizeof data);
    memset(&labels, 0, sizeof labels);
    memset(&how, 0, sizeof how);
    memset(&found, 0, sizeof found);

    status = parse_arguments(argc, argv, &arguments);
    if (!status) status = read_data_file(arguments.data_file, &data);
    if (!status) status = check_file("cfg", arguments.cfg_file) || check_file("weights", arguments.weights_file);
    if (!status) {
        net = load_detector(arguments.cfg_file, arguments.weights_file, &classes);
        status = !net;
    }
    if (!status && (data.classes != data.names.count || data.classes != classes))
        status = complain("classes=%d in %s, %d names in %s and %d classes in %s: must be the same", data.classes,
                          arguments.data_file, data.names.count, data.names_file, classes, arguments.cfg_file);
    if (!status) status = read_labels(&data, &labels);
    if (!status) {
        sizes = (detect_size *)calloc(data.images.count, sizeof *sizes);
        if (!sizes) status = complain("out of memory");
    }
    how.letterbox = -1;
    how.nms = arguments.nms;
    if (!status) status = detect_images(net, classes, data.images.text, data.images.count, &how, &found, sizes);
    if (!status) {
        size_t i;
        for (i = 0; i < labels.count; ++i) to_pixels(&labels.objects[i].box, sizes[labels.objects[i].image]);
    }
    if (!status) {
        ap_options options = ap_default_options(data.classes);
        ap_status error = AP_NO_MEMORY;
        options.points = (int)arguments.points;
        options.iou_threshold = arguments.iou_threshold;
        options.score_threshold = arguments.score_threshold;
        per_class = (ap_class *)calloc(data.classes, sizeof *per_class);
        if (per_class)
            error = average_precision(labels.objects, labels.count, found.detections, found.count, &options, per_class);
        if (error != AP_OK) status = complain("%s", ap_status_text(error));
    }
    if (!status) status = print_report(&arguments, &data, per_class);
    if (!status && labels.missing) {
        char buffers[2][PATH_SIZE];
        fprintf(stderr, "%d of %d images have no label file and count as images without objects; first: no %s\n",
                labels.missing, data.images.count, label_path(data.images.text[labels.first_missing], buffers));
    }

    free(per_class);
    free(found.detections);
    free(labels.objects);
    free(sizes);
    if (net) free_network(net);
    free_data_file(&data);
    return status;
}
