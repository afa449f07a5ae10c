#include "eval/average_precision.h"

#include "base/memory.h"

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
    options.iou_threshold = .5;
    options.score_threshold = .25;
    options.area_high = HUGE_VAL;
    return options;
}

const char *ap_status_text(ap_status status)
{
    /* In the order of ap_status. */
    static const char *const texts[] = {
        "no error",
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

/* Length of the intersection of two intervals, given by centre and length; 0 or negative if it is empty. */
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
    return both / (a.w * a.h + b.w * b.h - both);
}

/* ---- Order ------------------------------------------------------------------------------------------------------ */

/* Sort keys. They hold the index in the input, so that equal keys keep the order of the input (qsort is not stable),
 * and copies of what is compared, so that a comparison does not read the caller's arrays. */
typedef struct {
    int class_id, image;
    size_t index;
} object_key;

typedef struct {
    int class_id, image;
    double score;
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

static int by_class_score_image(const void *pa, const void *pb)
{
    const detection_key *a = (const detection_key *)pa, *b = (const detection_key *)pb;
    if (a->class_id == b->class_id && a->score == b->score && a->image != b->image) return a->image < b->image ? -1 : 1;
    return by_class_score(pa, pb);
}

static int by_class_image_score(const void *pa, const void *pb)
{
    const detection_key *a = (const detection_key *)pa, *b = (const detection_key *)pb;
    if (a->class_id == b->class_id && a->image != b->image) return a->image < b->image ? -1 : 1;
    return by_class_score(pa, pb);
}

/* Keys begin, begin + 1, ... end - 1. */
typedef struct {
    size_t begin, end;
} range;

/* The keys of one image within `of_class`, the range of one class (binary search). */
static range range_of_image(const object_key *keys, range of_class, int image)
{
    size_t low = of_class.begin, high = of_class.end;
    range found;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys[middle].image < image)
            low = middle + 1;
        else
            high = middle;
    }
    found.begin = found.end = low;
    while (found.end < of_class.end && keys[found.end].image == image) ++found.end;
    return found;
}

/* Sorted objects and detections. One preparation serves several evaluations (coco_evaluate runs 60). */
typedef struct {
    const ap_object *objects;
    const ap_detection *detections;
    size_t object_count, detection_count;
    object_key *object_keys;       /* by class and image */
    detection_key *detection_keys; /* by class and score */
    size_t *rank_in_image; /* by detection: its place, from 0, by score within its class and image; NULL with AP_VOC */
    /* Scratch of one evaluation: */
    unsigned char *found, *ignored; /* 1 or 0 for each object, in the order of object_keys */
    size_t *tp_rank;                /* ranks of the current class's true positives, see "The curve" */
} problem;

static void release(problem *p)
{
    free(p->object_keys);
    free(p->detection_keys);
    free(p->rank_in_image);
    free(p->found);
    free(p->ignored);
    free(p->tp_rank);
}

static void rank_in_images(problem *p)
{
    const detection_key *keys = p->detection_keys;
    size_t i;
    p->rank_in_image = (size_t *)xcalloc(p->detection_count, sizeof *p->rank_in_image);
    qsort(p->detection_keys, p->detection_count, sizeof *keys, by_class_image_score);
    for (i = 1; i < p->detection_count; ++i) {
        if (keys[i].class_id == keys[i - 1].class_id && keys[i].image == keys[i - 1].image)
            p->rank_in_image[keys[i].index] = p->rank_in_image[keys[i - 1].index] + 1;
    }
}

/* Sorts the input. The result refers to it; free it with release. */
static problem prepare(const ap_object *objects, size_t object_count, const ap_detection *detections,
                       size_t detection_count, ap_rule rule)
{
    problem p;
    size_t i;
    memset(&p, 0, sizeof p);
    p.objects = objects;
    p.detections = detections;
    p.object_count = object_count;
    p.detection_count = detection_count;
    p.object_keys = (object_key *)xcalloc(object_count, sizeof *p.object_keys);
    p.detection_keys = (detection_key *)xcalloc(detection_count, sizeof *p.detection_keys);
    p.found = (unsigned char *)xcalloc(object_count, 1);
    p.ignored = (unsigned char *)xcalloc(object_count, 1);
    p.tp_rank = (size_t *)xcalloc(object_count, sizeof *p.tp_rank);
    for (i = 0; i < object_count; ++i) {
        p.object_keys[i].class_id = objects[i].class_id;
        p.object_keys[i].image = objects[i].image;
        p.object_keys[i].index = i;
    }
    for (i = 0; i < detection_count; ++i) {
        p.detection_keys[i].class_id = detections[i].class_id;
        p.detection_keys[i].image = detections[i].image;
        p.detection_keys[i].score = detections[i].score;
        p.detection_keys[i].index = i;
    }
    qsort(p.object_keys, object_count, sizeof *p.object_keys, by_class_image);
    if (rule == AP_COCO) rank_in_images(&p);
    qsort(p.detection_keys, detection_count, sizeof *p.detection_keys,
          rule == AP_COCO ? by_class_score_image : by_class_score);
    return p;
}

/* ---- The curve -------------------------------------------------------------------------------------------------- */

/* The precision/recall curve of a class is stored as the ranks of its true positives: tp_rank[k-1] is the number of
 * detections that are not ignored, down to the k-th true positive and including it. There, recall is k / objects and
 * precision k / tp_rank[k-1]. Between two true positives recall stays the same and precision falls, so these points are
 * enough for the interpolated curve. Both functions below go from the highest recall to the lowest; `best` is the
 * interpolated precision so far. */

static double area_under_curve(const size_t *tp_rank, size_t tp, size_t objects)
{
    double best = 0, sum = 0;
    size_t k;
    for (k = tp; k > 0; --k) {
        double precision = (double)k / tp_rank[k - 1];
        if (precision > best) best = precision;
        sum += best;
    }
    return sum / objects;
}

/* Whether the recall k / objects is at least the recall point i / steps. */
static int reaches(size_t k, size_t objects, size_t i, size_t steps, ap_rule rule)
{
    /* the values of np.linspace(0, 1, steps + 1), as in pycocotools */
    if (rule == AP_COCO) return (double)k / objects >= (i == steps ? 1 : i * (1. / steps));
    /* whole numbers: in floating point 3./10 < .1 * 3 */
    return k * steps >= i * objects;
}

static double mean_at_points(const size_t *tp_rank, size_t tp, size_t objects, int points, ap_rule rule)
{
    double best = 0, sum = 0;
    size_t k = tp, steps = points - 1, i;
    for (i = points; i-- > 0;) {
        for (; k > 0 && reaches(k, objects, i, steps, rule); --k) {
            double precision = (double)k / tp_rank[k - 1];
            if (precision > best) best = precision;
        }
        sum += best;
    }
    return sum / points;
}

double ap_of_ranks(const size_t *tp_rank, size_t tp, size_t objects, int points, ap_rule rule)
{
    return points ? mean_at_points(tp_rank, tp, objects, points, rule) : area_under_curve(tp_rank, tp, objects);
}

static int by_rank(const void *pa, const void *pb)
{
    const ap_point *a = (const ap_point *)pa, *b = (const ap_point *)pb;
    return a->recall < b->recall ? -1 : a->recall > b->recall;
}

size_t ap_curve(const ap_detection *detections, const ap_match *matches, size_t detection_count, int class_id,
                size_t objects, ap_point *points)
{
    size_t i, k, count = 0;
    for (i = 0; i < detection_count; ++i) {
        if (detections[i].class_id != class_id || matches[i].verdict != AP_TRUE) continue;
        points[count].recall = matches[i].rank; /* replaced by the recall below */
        points[count++].score = detections[i].score;
    }
    qsort(points, count, sizeof *points, by_rank);
    for (k = 0; k < count; ++k) {
        points[k].precision = (k + 1) / points[k].recall;
        points[k].recall = (double)(k + 1) / objects;
    }
    return count;
}

/* ---- Matching --------------------------------------------------------------------------------------------------- */

static int outside(ap_box box, const ap_options *options)
{
    double area = box.w * box.h;
    return area < options->area_low || area > options->area_high;
}

/* Match one detection with one of the objects of its class and image; `candidates` are their keys. *object becomes the
 * index in object_keys of the object with the largest IoU (VOC) or of the matched object (COCO), and is unchanged if
 * there is none. *iou becomes the IoU of the two. */
static ap_verdict match_voc(const problem *p, const ap_detection *d, range candidates, const ap_options *options,
                            size_t *object, double *iou)
{
    size_t i;
    *iou = 0;
    for (i = candidates.begin; i < candidates.end; ++i) {
        double overlap = ap_iou(d->box, p->objects[p->object_keys[i].index].box);
        if (overlap > *iou) {
            *iou = overlap;
            *object = i;
        }
    }
    if (*iou < options->iou_threshold) return AP_FALSE;
    if (p->ignored[*object]) return AP_IGNORED;
    if (p->found[*object]) return AP_FALSE;
    return AP_TRUE;
}

static ap_verdict match_coco(problem *p, const ap_detection *d, range candidates, const ap_options *options,
                             size_t *object, double *iou)
{
    int ignored, taken = 0;
    for (ignored = 0; ignored <= 1 && !taken; ++ignored) {
        size_t i;
        *iou = options->iou_threshold < 1 - 1e-10 ? options->iou_threshold : 1 - 1e-10;
        for (i = candidates.begin; i < candidates.end; ++i) {
            double overlap;
            if (p->found[i] || p->ignored[i] != ignored) continue;
            overlap = ap_iou(d->box, p->objects[p->object_keys[i].index].box);
            if (overlap < *iou) continue;
            *iou = overlap;
            *object = i;
            taken = 1;
        }
        if (!taken) continue;
        p->found[*object] = 1; /* an ignored object can be matched only once, too */
        return ignored ? AP_IGNORED : AP_TRUE;
    }
    return outside(d->box, options) ? AP_IGNORED : AP_FALSE;
}

/* Evaluates one class. `objects` and `detections` are its ranges in object_keys and detection_keys. */
static ap_class evaluate_class(problem *p, const ap_options *options, range objects, range detections,
                               ap_match *matches)
{
    ap_class result;
    size_t i, rank = 0; /* of the current detection, among those that are not ignored */
    memset(&result, 0, sizeof result);
    for (i = objects.begin; i < objects.end; ++i) result.ignored += p->ignored[i];
    result.objects = objects.end - objects.begin - result.ignored;
    result.detections = detections.end - detections.begin;

    for (i = detections.begin; i < detections.end; ++i) {
        const size_t index = p->detection_keys[i].index;
        const ap_detection *d = &p->detections[index];
        const range candidates = range_of_image(p->object_keys, objects, d->image);
        ap_verdict verdict = AP_IGNORED;
        size_t object = 0;
        double iou = 0;

        if (options->rule == AP_VOC)
            verdict = match_voc(p, d, candidates, options, &object, &iou);
        else if (!options->max_detections || p->rank_in_image[index] < (size_t)options->max_detections)
            verdict = match_coco(p, d, candidates, options, &object, &iou);
        rank += verdict != AP_IGNORED;
        if (verdict == AP_TRUE) {
            p->found[object] = 1;
            p->tp_rank[result.found++] = rank;
        }
        if (d->score > options->score_threshold) {
            result.tp += verdict == AP_TRUE;
            result.fp += verdict == AP_FALSE;
            if (verdict == AP_TRUE) result.iou_sum += iou;
        }
        if (matches) {
            ap_match *m = &matches[index];
            m->verdict = verdict;
            m->object = verdict == AP_TRUE ? p->object_keys[object].index : 0;
            m->iou = verdict == AP_TRUE ? iou : 0;
            m->rank = verdict == AP_IGNORED ? 0 : rank;
        }
    }

    result.ap = AP_NO_OBJECTS;
    if (result.objects)
        result.ap = ap_of_ranks(p->tp_rank, result.found, result.objects, options->points, options->rule);
    return result;
}

static void evaluate(problem *p, const ap_options *options, ap_class *per_class, ap_match *matches)
{
    range objects = {0, 0}, detections = {0, 0};
    size_t i;
    int k;
    memset(p->found, 0, p->object_count);
    for (i = 0; i < p->object_count; ++i) {
        const ap_object *o = &p->objects[p->object_keys[i].index];
        p->ignored[i] = o->difficult || (options->rule == AP_COCO && outside(o->box, options));
    }
    for (k = 0; k < options->classes; ++k) {
        objects.begin = objects.end;
        detections.begin = detections.end;
        while (objects.end < p->object_count && p->object_keys[objects.end].class_id == k) ++objects.end;
        while (detections.end < p->detection_count && p->detection_keys[detections.end].class_id == k) ++detections.end;
        per_class[k] = evaluate_class(p, options, objects, detections, matches);
    }
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

ap_status average_precision_matches(const ap_object *objects, size_t object_count, const ap_detection *detections,
                                    size_t detection_count, const ap_options *options, ap_class *per_class,
                                    ap_match *matches)
{
    ap_status status = check(objects, object_count, detections, detection_count, options);
    problem p;
    if (status != AP_OK) return status;
    p = prepare(objects, object_count, detections, detection_count, options->rule);
    evaluate(&p, options, per_class, matches);
    release(&p);
    return AP_OK;
}

ap_status average_precision(const ap_object *objects, size_t object_count, const ap_detection *detections,
                            size_t detection_count, const ap_options *options, ap_class *per_class)
{
    return average_precision_matches(objects, object_count, detections, detection_count, options, per_class, 0);
}

/* ---- COCO's numbers --------------------------------------------------------------------------------------------- */

/* AP and AR, means over the classes that have objects and over the thresholds. */
typedef struct {
    double ap, ar;
} coco_mean;

/* at[COCO_THRESHOLDS] (may be null) gets the mean AP at each threshold. The mean AP of each class is added to
 * ap_per_class (may be null). */
static coco_mean coco_mean_over_thresholds(problem *p, ap_options options, ap_class *per_class, double *at,
                                           double *ap_per_class)
{
    coco_mean mean = {0, 0};
    int t, k;
    for (t = 0; t < COCO_THRESHOLDS; ++t) {
        double recall = 0;
        int with_objects = 0;
        /* the values of np.linspace(.5, .95, 10), as in pycocotools */
        options.iou_threshold = t == COCO_THRESHOLDS - 1 ? .95 : .5 + t * ((.95 - .5) / (COCO_THRESHOLDS - 1));
        evaluate(p, &options, per_class, 0);
        for (k = 0; k < options.classes; ++k) {
            if (ap_per_class) ap_per_class[k] += per_class[k].ap / COCO_THRESHOLDS;
            if (!per_class[k].objects) continue;
            recall += (double)per_class[k].found / per_class[k].objects;
            ++with_objects;
        }
        if (at) at[t] = mean_average_precision(per_class, options.classes);
        mean.ap += mean_average_precision(per_class, options.classes) / COCO_THRESHOLDS;
        mean.ar += (with_objects ? recall / with_objects : AP_NO_OBJECTS) / COCO_THRESHOLDS;
    }
    return mean;
}

ap_status coco_evaluate(const ap_object *objects, size_t object_count, const ap_detection *detections,
                        size_t detection_count, int classes, coco_metrics *result, double *ap_per_class)
{
    static const double side_low[] = {0, 32, 96}, side_high[] = {32, 96, 1e5};
    ap_options options = ap_default_options(classes);
    ap_status status;
    problem p;
    ap_class *per_class;
    coco_mean mean, of_area[3];
    double at[COCO_THRESHOLDS];
    int i;

    options.rule = AP_COCO;
    options.points = 101;
    options.max_detections = COCO_MAX_DETECTIONS;
    status = check(objects, object_count, detections, detection_count, &options);
    if (status != AP_OK) return status;
    per_class = (ap_class *)xcalloc(classes, sizeof *per_class);
    p = prepare(objects, object_count, detections, detection_count, AP_COCO);
    for (i = 0; i < classes && ap_per_class; ++i) ap_per_class[i] = 0;
    mean = coco_mean_over_thresholds(&p, options, per_class, at, ap_per_class);
    for (i = 0; i < classes && ap_per_class; ++i) {
        if (!per_class[i].objects) ap_per_class[i] = AP_NO_OBJECTS;
    }
    result->ap = mean.ap;
    result->ap50 = at[0];
    result->ap75 = at[5];
    result->ar100 = mean.ar;
    options.max_detections = 1;
    result->ar1 = coco_mean_over_thresholds(&p, options, per_class, 0, 0).ar;
    options.max_detections = 10;
    result->ar10 = coco_mean_over_thresholds(&p, options, per_class, 0, 0).ar;
    options.max_detections = COCO_MAX_DETECTIONS;
    for (i = 0; i < 3; ++i) {
        options.area_low = side_low[i] * side_low[i];
        options.area_high = side_high[i] * side_high[i];
        of_area[i] = coco_mean_over_thresholds(&p, options, per_class, 0, 0);
    }
    result->ap_small = of_area[0].ap, result->ap_medium = of_area[1].ap, result->ap_large = of_area[2].ap;
    result->ar_small = of_area[0].ar, result->ar_medium = of_area[1].ar, result->ar_large = of_area[2].ar;
    release(&p);
    free(per_class);
    return AP_OK;
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
        total.ignored += per_class[i].ignored;
        total.found += per_class[i].found;
        total.detections += per_class[i].detections;
        total.tp += per_class[i].tp;
        total.fp += per_class[i].fp;
        total.iou_sum += per_class[i].iou_sum;
    }
    total.ap = mean_average_precision(per_class, classes);
    return total;
}
