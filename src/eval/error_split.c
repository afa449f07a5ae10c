#include "eval/error_split.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define NONE ((size_t)-1)

split_options split_default_options(void)
{
    const split_options options = {.5, .1, 100};
    return options;
}

const char *error_kind_name(error_kind kind)
{
    static const char *const names[] = {"Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"};
    return names[kind];
}

/* ---- What became of objects and detections ------------------------------------------------------------------------
 */

typedef struct {
    ap_verdict verdict;
    int used;        /* 0: beyond the best of its image */
    error_kind kind; /* where the verdict is not AP_TRUE */
    size_t object;   /* with ERROR_CLASS and ERROR_LOCATION the object that it is about */
} outcome;

typedef struct {
    int taken;
    size_t best_error; /* the detection that would take it if its error was corrected, or NONE */
} object_state;

/* A sort key, with a copy of what is compared. */
typedef struct {
    int image;
    double score; /* of objects 0 */
    size_t index;
} key;

typedef struct {
    const ap_object *objects;
    const ap_detection *detections;
    size_t object_count, detection_count;
    int classes;
    split_options options;
    outcome *outcomes;    /* by detection */
    object_state *states; /* by object */
} problem;

static int by_image(const void *pa, const void *pb)
{
    const key *a = (const key *)pa, *b = (const key *)pb;
    if (a->image != b->image) return a->image < b->image ? -1 : 1;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int by_score(const void *pa, const void *pb)
{
    const key *a = (const key *)pa, *b = (const key *)pb;
    return a->score != b->score ? (a->score > b->score ? -1 : 1) : by_image(pa, pb);
}

/* The caller frees both arrays of keys. */
static key *object_keys(const problem *p)
{
    key *keys = (key *)xcalloc(p->object_count, sizeof *keys);
    size_t i;
    for (i = 0; i < p->object_count; ++i) {
        keys[i].image = p->objects[i].image;
        keys[i].index = i;
    }
    qsort(keys, p->object_count, sizeof *keys, by_image);
    return keys;
}

static key *detection_keys(const problem *p)
{
    key *keys = (key *)xcalloc(p->detection_count, sizeof *keys);
    size_t i;
    for (i = 0; i < p->detection_count; ++i) {
        keys[i].image = p->detections[i].image;
        keys[i].score = p->detections[i].score;
        keys[i].index = i;
    }
    return keys;
}

/* ---- Matching -----------------------------------------------------------------------------------------------------
 */

/* The objects of one image: keys[0..count-1]. */
typedef struct {
    const key *keys;
    size_t count;
} image_objects;

typedef enum { OF_ITS_CLASS, OF_OTHER_CLASSES, OF_ALL_CLASSES } which_class;
typedef enum { FREE_ONES, TAKEN_ONES, ALL_OBJECTS } which_state;

/* The largest IoU with an object of these, which *best becomes (the first of equal ones; NONE if no box is touched). */
static double largest_iou(const problem *p, image_objects of, const ap_detection *d, which_class class_of,
                          which_state state, size_t *best)
{
    double largest = 0;
    size_t i;
    *best = NONE;
    for (i = 0; i < of.count; ++i) {
        const size_t index = of.keys[i].index;
        const ap_object *o = &p->objects[index];
        double iou;
        if (o->difficult ||
            (class_of != OF_ALL_CLASSES && (o->class_id == d->class_id) != (class_of == OF_ITS_CLASS)) ||
            (state != ALL_OBJECTS && p->states[index].taken != (state == TAKEN_ONES)))
            continue;
        iou = ap_iou(d->box, o->box);
        if (iou <= largest) continue;
        largest = iou;
        *best = index;
    }
    return largest;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Which part of box a lies in b. */
static double covered_part(ap_box a, ap_box b)
{
    const double w = smaller(a.x + a.w / 2, b.x + b.w / 2) - larger(a.x - a.w / 2, b.x - b.w / 2);
    const double h = smaller(a.y + a.h / 2, b.y + b.h / 2) - larger(a.y - a.h / 2, b.y - b.h / 2);
    return w > 0 && h > 0 ? w * h / (a.w * a.h) : 0;
}

static int lies_in_a_difficult_object(const problem *p, image_objects of, const ap_detection *d)
{
    size_t i;
    for (i = 0; i < of.count; ++i) {
        const ap_object *o = &p->objects[of.keys[i].index];
        if (o->difficult && o->class_id == d->class_id && covered_part(d->box, o->box) > p->options.foreground)
            return 1;
    }
    return 0;
}

static void match(problem *p, image_objects of, size_t index)
{
    const ap_detection *d = &p->detections[index];
    outcome *o = &p->outcomes[index];
    size_t best;
    o->used = 1;
    if (largest_iou(p, of, d, OF_ITS_CLASS, FREE_ONES, &best) >= p->options.foreground) {
        o->verdict = AP_TRUE;
        p->states[best].taken = 1;
    } else {
        o->verdict = lies_in_a_difficult_object(p, of, d) ? AP_IGNORED : AP_FALSE;
    }
}

/* Finds the error of a detection that took no object; all of its image were matched before. */
static error_kind find_error(const problem *p, image_objects of, const ap_detection *d, size_t *object)
{
    const double t_f = p->options.foreground, t_b = p->options.background;
    const double iou = largest_iou(p, of, d, OF_ITS_CLASS, ALL_OBJECTS, object);
    size_t unused;
    if (iou >= t_b && iou <= t_f) return ERROR_LOCATION;
    if (largest_iou(p, of, d, OF_OTHER_CLASSES, ALL_OBJECTS, object) >= t_f) return ERROR_CLASS;
    if (largest_iou(p, of, d, OF_ITS_CLASS, TAKEN_ONES, &unused) >= t_f) return ERROR_DUPLICATE;
    if (largest_iou(p, of, d, OF_ALL_CLASSES, ALL_OBJECTS, &unused) <= t_b) return ERROR_BACKGROUND;
    return ERROR_BOTH;
}

static void split_image(problem *p, image_objects of, const key *detections, size_t count)
{
    size_t i;
    for (i = 0; i < count; ++i) match(p, of, detections[i].index);
    for (i = 0; i < count; ++i) {
        outcome *o = &p->outcomes[detections[i].index];
        if (o->verdict == AP_TRUE) continue;
        o->kind = find_error(p, of, &p->detections[detections[i].index], &o->object);
        if (o->kind != ERROR_LOCATION && o->kind != ERROR_CLASS) continue;
        /* From the highest score down: the first one stays. */
        if (p->states[o->object].best_error == NONE) p->states[o->object].best_error = detections[i].index;
    }
}

/* `keys` are those of the detections, sorted by image. */
static void split_images(problem *p, const key *keys)
{
    key *objects = object_keys(p);
    size_t begin, end, first = 0;
    for (begin = 0; begin < p->detection_count; begin = end) {
        const int image = keys[begin].image;
        image_objects of;
        for (end = begin; end < p->detection_count && keys[end].image == image;) ++end;
        while (first < p->object_count && objects[first].image < image) ++first;
        of.keys = objects + first;
        for (of.count = 0; first + of.count < p->object_count && of.keys[of.count].image == image;) ++of.count;
        split_image(p, of, keys + begin,
                    end - begin < p->options.max_detections ? end - begin : p->options.max_detections);
    }
    free(objects);
}

/* ---- AP with some errors corrected ----------------------------------------------------------------------------------
 */

/* What is corrected. */
typedef struct {
    int kind; /* an error_kind, or -1 */
    int no_false_positives, no_false_negatives;
} correction;

typedef struct {
    size_t objects, found, rank, *tp_rank; /* tp_rank has room for all objects of the class */
    int has_detections;
} class_curve;

static int is_missed(const problem *p, size_t object)
{
    return !p->objects[object].difficult && !p->states[object].taken && p->states[object].best_error == NONE;
}

/* The objects that are asked for, by class; the ranks are in `ranks`, which has room for all objects. */
static void count_objects(const problem *p, correction c, class_curve *curves, size_t *ranks)
{
    size_t i;
    int k;
    for (i = 0; i < p->object_count; ++i) ++curves[p->objects[i].class_id].found;
    for (k = 0; k < p->classes; ++k) {
        curves[k].tp_rank = ranks;
        ranks += curves[k].found;
        curves[k].found = 0;
    }
    for (i = 0; i < p->object_count; ++i) {
        if (p->objects[i].difficult || (c.kind == ERROR_MISSED && is_missed(p, i)) ||
            (c.no_false_negatives && !p->states[i].taken))
            continue;
        ++curves[p->objects[i].class_id].objects;
    }
}

/* Adds a detection, with its error corrected or not; from the highest score down. */
static void add_detection_to(const problem *p, correction c, size_t index, class_curve *curves)
{
    const outcome *o = &p->outcomes[index];
    int hit = o->verdict == AP_TRUE, class_id = p->detections[index].class_id;
    class_curve *curve;
    if (!o->used) return;
    if (!hit && (int)o->kind == c.kind) {
        const int has_object = o->kind == ERROR_LOCATION || o->kind == ERROR_CLASS;
        if (!has_object || p->states[o->object].taken || p->states[o->object].best_error != index) return;
        hit = 1;
        class_id = p->objects[o->object].class_id;
    } else if (o->verdict == AP_IGNORED) {
        return;
    }
    curve = &curves[class_id];
    curve->has_detections = 1;
    if (!hit && c.no_false_positives) return;
    ++curve->rank;
    if (hit) curve->tp_rank[curve->found++] = curve->rank;
}

/* `keys` are those of the detections, sorted by score. */
static double corrected_ap(const problem *p, const key *keys, correction c)
{
    class_curve *curves = (class_curve *)xcalloc(p->classes, sizeof *curves);
    size_t *ranks = (size_t *)xcalloc(p->object_count, sizeof *ranks), i;
    double sum = 0;
    int k, counted = 0;
    count_objects(p, c, curves, ranks);
    for (i = 0; i < p->detection_count; ++i) add_detection_to(p, c, keys[i].index, curves);
    for (k = 0; k < p->classes; ++k) {
        const class_curve *curve = &curves[k];
        if (curve->objects) sum += ap_of_ranks(curve->tp_rank, curve->found, curve->objects, 101, AP_VOC);
        counted += curve->objects || curve->has_detections;
    }
    free(ranks);
    free(curves);
    return counted ? sum / counted : 0;
}

static void count_errors(const problem *p, error_split *result)
{
    size_t i;
    for (i = 0; i < p->detection_count; ++i)
        if (p->outcomes[i].used && p->outcomes[i].verdict != AP_TRUE) ++result->count[p->outcomes[i].kind];
    for (i = 0; i < p->object_count; ++i) result->count[ERROR_MISSED] += is_missed(p, i);
}

static void measure_gains(const problem *p, const key *keys, error_split *result)
{
    const correction nothing = {-1, 0, 0}, false_positives = {-1, 1, 0}, false_negatives = {-1, 0, 1};
    int kind;
    result->ap = corrected_ap(p, keys, nothing);
    for (kind = 0; kind < ERROR_KINDS; ++kind) {
        const correction one = {kind, 0, 0};
        /* Below 0 only where a class leaves the mean, or by the 101 points. */
        result->gain[kind] = larger(corrected_ap(p, keys, one) - result->ap, 0);
    }
    result->without_false_positives = corrected_ap(p, keys, false_positives) - result->ap;
    result->without_false_negatives = corrected_ap(p, keys, false_negatives) - result->ap;
}

void split_errors(const ap_object *objects, size_t object_count, const ap_detection *detections, size_t detection_count,
                  int classes, const split_options *options, error_split *result)
{
    problem p = {objects, detections, object_count, detection_count, classes, *options, 0, 0};
    key *keys = detection_keys(&p);
    size_t i;
    memset(result, 0, sizeof *result);
    p.outcomes = (outcome *)xcalloc(detection_count, sizeof *p.outcomes);
    p.states = (object_state *)xcalloc(object_count, sizeof *p.states);
    for (i = 0; i < object_count; ++i) p.states[i].best_error = NONE;
    qsort(keys, detection_count, sizeof *keys, by_image);
    split_images(&p, keys);
    qsort(keys, detection_count, sizeof *keys, by_score);
    count_errors(&p, result);
    measure_gains(&p, keys, result);
    free(p.states);
    free(p.outcomes);
    free(keys);
}
