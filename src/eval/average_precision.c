#include "average_precision.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int finite_box(ap_box box)
{
    return isfinite(box.x) && isfinite(box.y) && isfinite(box.w) && isfinite(box.h);
}

ap_options ap_default_options(int classes)
{
    ap_options options;
    memset(&options, 0, sizeof options);
    options.classes = classes;
    options.points = 0;
    options.iou_threshold = .5;
    options.score_threshold = .25f;
    return options;
}

const char *ap_status_text(ap_status status)
{
    /* In the order of ap_status. */
    static const char *const texts[] = {
        "no error",
        "out of memory",
        "the number of classes must be at least 1",
        "the recall points must be 0, 11 or 101",
        "the IoU threshold must be above 0, and 1 at most",
        "the score threshold must be a finite number",
        "the class of an object or a detection is not in 0..classes-1",
        "a box or a score is infinite or not a number",
    };
    return texts[status];
}

/* ---- Overlap ---------------------------------------------------------------------------------------------------- */

/* Length that two intervals, given by centre and length, have in common; not above 0 if they lie apart or one of them
 * has no length. */
static double common_length(double x1, double w1, double x2, double w2)
{
    double left1 = x1 - w1 / 2, left2 = x2 - w2 / 2, right1 = x1 + w1 / 2, right2 = x2 + w2 / 2;
    return (right1 < right2 ? right1 : right2) - (left1 > left2 ? left1 : left2);
}

double ap_iou(ap_box a, ap_box b)
{
    double w, h, both;
    w = common_length(a.x, a.w, b.x, b.w);
    h = common_length(a.y, a.h, b.y, b.h);
    if (w <= 0 || h <= 0) return 0;
    both = w * h;
    return both / ((double)a.w * a.h + (double)b.w * b.h - both);
}

/* ---- Order ------------------------------------------------------------------------------------------------------ */

/* Sort keys with their place in the input, which makes the order of equal keys that of the input (qsort is not stable)
 * and spares the comparison a look into the caller's arrays. */
typedef struct {
    int class_id, image;
    size_t index;
} object_key;

typedef struct {
    int class_id;
    float score;
    size_t index;
} detection_key;

static int by_class_image(const void *pa, const void *pb)
{
    const object_key *a = (const object_key *)pa, *b = (const object_key *)pb;
    if (a->class_id != b->class_id) return a->class_id < b->class_id ? -1 : 1;
    if (a->image != b->image) return a->image < b->image ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int by_class_score(const void *pa, const void *pb)
{
    const detection_key *a = (const detection_key *)pa, *b = (const detection_key *)pb;
    if (a->class_id != b->class_id) return a->class_id < b->class_id ? -1 : 1;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* First of the `count` keys, all of one class, whose image is not before `image`; `count` if there is none. */
static size_t first_of_image(const object_key *keys, size_t count, int image)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys[middle].image < image)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- The curve -------------------------------------------------------------------------------------------------- */

/* The precision/recall curve of a class is kept as the ranks of its true positives: with rank[k-1] detections down to
 * and including the k-th of them, recall is k / objects and precision k / rank[k-1]. In between, precision only falls,
 * so these are all the points that the interpolated curve touches. Both functions walk from the highest recall down,
 * with `best` the interpolated precision. */

static double area_under_curve(const size_t *rank, size_t tp, size_t objects)
{
    double best = 0, sum = 0;
    size_t k;
    for (k = tp; k > 0; --k) {
        double precision = (double)k / rank[k - 1];
        if (precision > best) best = precision;
        sum += best;
    }
    return sum / objects;
}

static double mean_at_points(const size_t *rank, size_t tp, size_t objects, int points)
{
    double best = 0, sum = 0;
    size_t k = tp, steps = points - 1, i;
    for (i = points; i-- > 0;) {
        /* k / objects >= i / steps without the rounding, which would lose a recall of 3/10 against .1 * 3 */
        for (; k > 0 && k * steps >= i * objects; --k) {
            double precision = (double)k / rank[k - 1];
            if (precision > best) best = precision;
        }
        sum += best;
    }
    return sum / points;
}

/* ---- AP --------------------------------------------------------------------------------------------------------- */

static ap_status check(const ap_object *objects, size_t object_count, const ap_detection *detections,
                       size_t detection_count, const ap_options *options)
{
    size_t i;
    if (options->classes < 1) return AP_BAD_CLASSES;
    if (options->points != 0 && options->points != 11 && options->points != 101) return AP_BAD_POINTS;
    if (!(options->iou_threshold > 0 && options->iou_threshold <= 1)) return AP_BAD_IOU_THRESHOLD;
    if (!isfinite(options->score_threshold)) return AP_BAD_SCORE_THRESHOLD;
    for (i = 0; i < object_count; ++i) {
        if (objects[i].class_id < 0 || objects[i].class_id >= options->classes) return AP_CLASS_OUT_OF_RANGE;
        if (!finite_box(objects[i].box)) return AP_NOT_FINITE;
    }
    for (i = 0; i < detection_count; ++i) {
        if (detections[i].class_id < 0 || detections[i].class_id >= options->classes) return AP_CLASS_OUT_OF_RANGE;
        if (!finite_box(detections[i].box) || !isfinite(detections[i].score)) return AP_NOT_FINITE;
    }
    return AP_OK;
}

ap_status average_precision(const ap_object *objects, size_t object_count, const ap_detection *detections,
                            size_t detection_count, const ap_options *options, ap_class *per_class)
{
    ap_status status = check(objects, object_count, detections, detection_count, options);
    object_key *object_keys = 0;
    detection_key *detection_keys = 0;
    unsigned char *found = 0; /* by place in object_keys */
    size_t *rank = 0;         /* of the true positives of the class at hand */
    size_t i, first_object = 0, next = 0;
    int class_id;

    if (status != AP_OK) return status;
    /* One more than needed, as an allocation of nothing may return null. */
    object_keys = (object_key *)calloc(object_count + 1, sizeof *object_keys);
    detection_keys = (detection_key *)calloc(detection_count + 1, sizeof *detection_keys);
    found = (unsigned char *)calloc(object_count + 1, sizeof *found);
    rank = (size_t *)calloc(object_count + 1, sizeof *rank);
    if (!object_keys || !detection_keys || !found || !rank) {
        status = AP_NO_MEMORY;
        goto cleanup;
    }

    for (i = 0; i < object_count; ++i) {
        object_keys[i].class_id = objects[i].class_id;
        object_keys[i].image = objects[i].image;
        object_keys[i].index = i;
    }
    for (i = 0; i < detection_count; ++i) {
        detection_keys[i].class_id = detections[i].class_id;
        detection_keys[i].score = detections[i].score;
        detection_keys[i].index = i;
    }
    qsort(object_keys, object_count, sizeof *object_keys, by_class_image);
    qsort(detection_keys, detection_count, sizeof *detection_keys, by_class_score);

    for (class_id = 0; class_id < options->classes; ++class_id) {
        const object_key *of_class = object_keys + first_object;
        const size_t first_detection = next;
        ap_class result;
        size_t tp = 0;

        memset(&result, 0, sizeof result);
        while (first_object + result.objects < object_count && of_class[result.objects].class_id == class_id)
            ++result.objects;

        for (; next < detection_count && detection_keys[next].class_id == class_id; ++next) {
            const ap_detection *detection = &detections[detection_keys[next].index];
            size_t best_object = 0;
            double best_iou = 0;
            int positive;

            for (i = first_of_image(of_class, result.objects, detection->image);
                 i < result.objects && of_class[i].image == detection->image; ++i) {
                double iou = ap_iou(detection->box, objects[of_class[i].index].box);
                if (iou > best_iou) {
                    best_iou = iou;
                    best_object = i;
                }
            }
            positive = best_iou >= options->iou_threshold && !found[first_object + best_object];
            if (positive) {
                found[first_object + best_object] = 1;
                rank[tp++] = next - first_detection + 1;
            }
            if (detection->score > options->score_threshold) {
                result.tp += positive;
                result.fp += !positive;
                if (positive) result.iou_sum += best_iou;
            }
        }
        result.detections = next - first_detection;

        if (!result.objects)
            result.ap = AP_NO_OBJECTS;
        else if (options->points)
            result.ap = mean_at_points(rank, tp, result.objects, options->points);
        else
            result.ap = area_under_curve(rank, tp, result.objects);
        first_object += result.objects;
        per_class[class_id] = result;
    }

cleanup:
    free(rank);
    free(found);
    free(detection_keys);
    free(object_keys);
    return status;
}

/* ---- All classes ------------------------------------------------------------------------------------------------ */

double mean_average_precision(const ap_class *per_class, int classes)
{
    double sum = 0;
    int i, with_objects = 0;
    for (i = 0; i < classes; ++i) {
        if (!per_class[i].objects) continue;
        sum += per_class[i].ap;
        ++with_objects;
    }
    return with_objects ? sum / with_objects : AP_NO_OBJECTS;
}

ap_class ap_total(const ap_class *per_class, int classes)
{
    ap_class total;
    int i;
    memset(&total, 0, sizeof total);
    for (i = 0; i < classes; ++i) {
        total.objects += per_class[i].objects;
        total.detections += per_class[i].detections;
        total.tp += per_class[i].tp;
        total.fp += per_class[i].fp;
        total.iou_sum += per_class[i].iou_sum;
    }
    total.ap = mean_average_precision(per_class, classes);
    return total;
}
